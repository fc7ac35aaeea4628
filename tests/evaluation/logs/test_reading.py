"""Every format gives the same columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from equipoise.core import ConfigurationError, InputError, PropensityError
from equipoise.evaluation.logs import Log, LogColumns, Reading, columns_from, read_columns, read_log
from equipoise.evaluation.logs.grouping import grouped
from equipoise.evaluation.logs.names import hashes

from .files import COLUMNS, ROWS, changed, csv, jsonl, parquet_file, zipped

WRITERS: dict[str, Callable[[Path], Path]] = {
    "csv": csv,
    "tsv": lambda folder: csv(folder, separator="\t"),
    "csv.gz": lambda folder: zipped(csv(folder)),
    "jsonl": jsonl,
    "jsonl.gz": lambda folder: zipped(jsonl(folder)),
    "parquet": parquet_file,
}


def check(log: Log) -> None:
    assert log.rewards.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert log.propensities is not None
    assert log.propensities.tolist() == [0.5, 0.25, 0.5, 0.5]
    assert log.decisions.tolist() == [0, 0, 1, 2]
    assert log.slots.tolist() == [0, 1, 0, 0]
    assert np.diff(log.at).tolist() == [0.0, 86_400.0, 86_400.0]
    assert [log.items.names[code] for code in log.items.codes] == ["x", "y", "x", "z"]
    assert [log.groups["country"].names[code] for code in log.groups["country"].codes] == [
        "DE",
        "DE",
        "FR",
        "DE",
    ]
    assert log.targets["new"].tolist() == [0.25, 0.5, 1.0, 0.0]
    assert log.left_out == 0


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_gives_the_same_log(form: str, tmp_path: Path) -> None:
    check(read_log(WRITERS[form](tmp_path), COLUMNS))


@pytest.mark.parametrize("form", WRITERS)
def test_rows_of_a_decision_are_brought_together(form: str, tmp_path: Path) -> None:
    """The second slot of a stands last in the file, and the log comes out as if it had stood in its place."""
    first, second, *others = ROWS
    writers = {"jsonl": jsonl, "parquet": parquet_file}
    rows = [first, *others, (*second[:2], "2024-01-04T00:00:00", *second[3:])]
    log = read_log(writers.get(form, csv)(tmp_path, rows), COLUMNS)
    assert log.decisions.tolist() == [0, 0, 1, 2]
    assert [log.items.names[code] for code in log.items.codes] == ["x", "y", "x", "z"]


def test_evidence_has_the_weights(tmp_path: Path) -> None:
    """0.25 / 0.5, 0.5 / 0.25, 1 / 0.5, 0 / 0.5."""
    log = read_log(csv(tmp_path), COLUMNS)
    evidence = log.evidence(log.targets["new"])
    assert evidence.weights.tolist() == [0.5, 2.0, 2.0, 0.0]
    assert evidence.slate_size == 2
    part = evidence.where(np.array([False, True, False, True]))
    assert part.decisions.tolist() == [0, 1]
    assert part.weights.tolist() == [2.0, 0.0]


def test_a_target_that_is_no_probability_is_refused(tmp_path: Path) -> None:
    log = read_log(csv(tmp_path), COLUMNS)
    with pytest.raises(PropensityError, match=r"1\.5 in row 2"):
        log.evidence(np.array([0.1, 1.5, 0.1, 0.1]))
    with pytest.raises(InputError, match=r"\(3,\)"):
        log.evidence(np.ones(3))


def test_only_reward_is_needed(tmp_path: Path) -> None:
    log = read_log(csv(tmp_path), LogColumns(reward="r"))
    assert log.decisions.tolist() == [0, 1, 2, 3]
    with pytest.raises(PropensityError, match="no propensities"):
        log.evidence(np.ones(4))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2019-11-24 00:00:34.762830+00:00", 1574553634.76283),
        ("2024-01-01", 1704067200.0),
        ("2024-01-01T02:00:00+02:00", 1704067200.0),
        ("2024-01-01T00:00:00.0000000Z", 1704067200.0),
        ("1704067200.5", 1704067200.5),
    ],
)
def test_times_as_people_write_them(written: str, seconds: float, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"r,at\n1,{written}\n")
    assert read_log(path, LogColumns(reward="r", at="at")).at[0] == pytest.approx(seconds, abs=1e-5)


def test_times_of_several_kinds_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("r,at\n1,2024-01-01\n1,1704067201\n1,2024-01-01T00:00:02Z\n")
    assert np.diff(read_log(path, LogColumns(reward="r", at="at")).at).tolist() == [1.0, 1.0]


def test_typed_columns_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    table = pa.table(
        {
            "id": pa.array([7, 8]),
            "r": pa.array([True, False]),
            "p": pa.array([0.5, 0.25], pa.float32()),
            "at": pa.array([0, 1_000_000], pa.timestamp("us")),
            "item": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    parquet.write_table(table, path)
    log = read_log(path, LogColumns(reward="r", propensity="p", decision_id="id", at="at", item_id="item"))
    assert log.rewards.tolist() == [1.0, 0.0]
    assert log.at.tolist() == [0.0, 1.0]
    assert log.items.names == ("x", "y")


def test_sorting_by_time_keeps_decisions_whole(tmp_path: Path) -> None:
    first, second, third, fourth = ROWS
    log = read_log(csv(tmp_path, [fourth, third, first, second]), COLUMNS, how=Reading(sort=True))
    check_order = [log.items.names[code] for code in log.items.codes]
    assert check_order == ["x", "y", "x", "z"]
    assert log.decisions.tolist() == [0, 0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30))
def test_grouping_makes_contiguous_decisions_with_rising_slots(pairs: list[tuple[int, int]]) -> None:
    keys = np.array([key for key, _ in pairs], dtype=np.uint64)
    slots = np.array([slot for _, slot in pairs], dtype=np.int16)
    found = grouped(keys, slots, None)
    order = np.arange(len(keys)) if found.order is None else found.order
    assert sorted(order.tolist()) == list(range(len(keys)))
    kept = [row for row in order.tolist() if row not in set(found.again.tolist())]
    told = [(int(keys[row]), int(slots[row])) for row in kept]
    assert len(set(told)) == len(told) == len(set(pairs))
    firsts = list(dict.fromkeys(key for key, _ in pairs))
    assert told == sorted(told, key=lambda pair: (firsts.index(pair[0]), pair[1]))


@given(st.lists(st.text(max_size=6), min_size=1, max_size=40))
def test_equal_texts_have_equal_hashes_and_others_have_not(words: list[str]) -> None:
    found = hashes(pa.array(words)).tolist()
    by_hash = dict(zip(found, words, strict=True))
    assert [by_hash[number] for number in found] == words
    assert hashes(pa.array(["", *words]).slice(1)).tolist() == found


def test_columns_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('reward = "r"\nattributes = ["a", "b"]\n[target_probability]\nnew = "p_new"\n')
    found = read_columns(path)
    assert found == LogColumns(reward="r", attributes=("a", "b"), target_probability={"new": "p_new"})
    path.write_text('[columns]\nreward = "r"\ntarget_probability = "p_new"\n')
    assert read_columns(path).target_probability == {"p_new": "p_new"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"reward": "r", "propensty": "p"}, "did you mean 'propensity'"),
        ({"propensity": "p"}, "names no reward"),
        ({"reward": 3}, "reward = 3"),
        ({"reward": "r", "attributes": 3}, "attributes = 3"),
        ({"reward": "r", "target_probability": 3}, "target_probability = 3"),
    ],
)
def test_columns_that_cannot_be(told: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        columns_from(told)


def test_columns_files_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no columns file"):
        read_columns(tmp_path / "none.toml")
    (tmp_path / "half.toml").write_text('reward = "')
    with pytest.raises(ConfigurationError, match="not TOML"):
        read_columns(tmp_path / "half.toml")


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = csv(tmp_path)
    read_log(path, COLUMNS, how=Reading(progress=lambda done, total: told.append((done, total))))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_users_are_kept_only_if_asked_for(tmp_path: Path) -> None:
    columns = LogColumns(reward="r", user_id="country")
    path = csv(tmp_path)
    assert read_log(path, columns).users is None
    users = read_log(path, columns, how=Reading(users=True)).users
    assert users is not None
    assert users.names == ("DE", "FR")


def test_a_changed_row_changes_the_log(tmp_path: Path) -> None:
    assert read_log(csv(tmp_path, changed(0, "r", 0.5)), COLUMNS).rewards[0] == 0.5
