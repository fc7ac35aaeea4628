"""What is wrong with a log is told with row and column, and the good rows are read when asked."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from equipoise.core import InputError, PropensityError
from equipoise.evaluation.logs import LogColumns, Reading, read_log

from .files import COLUMNS, ROWS, changed, csv, jsonl, parquet_file

WRONG = [
    ("p", 0, "is not above 0"),
    ("p", -0.1, "is not above 0"),
    ("p", 1.5, "is above 1"),
    ("p", "nan", "is missing"),
    ("p", "", "is missing"),
    ("p", "often", "is no number"),
    ("r", "yes", "is no number"),
    ("r", "inf", "is infinite"),
    ("new", 1.01, "is above 1"),
    ("new", -0.5, "is below 0"),
    ("slot", "1.5", "is no whole number"),
    ("at", "soon", "is no time"),
    ("at", "2023-01-01", "is earlier than the row before"),
    ("id", "", "is missing"),
    ("item", "", "is missing"),
]


@pytest.mark.parametrize(("column", "value", "words"), WRONG)
def test_a_bad_value_in_text(column: str, value: object, words: str, tmp_path: Path) -> None:
    """Row 3, which is line 4 of the file."""
    path = csv(tmp_path, changed(2, column, value))
    with pytest.raises((InputError, PropensityError), match=words) as caught:
        read_log(path, COLUMNS)
    assert f"row 3 (line 4), column '{column}'" in str(caught.value)
    assert "--skip-bad-rows" in str(caught.value)
    assert isinstance(caught.value, PropensityError) == (column == "p")


@pytest.mark.parametrize(("column", "value", "words"), WRONG)
def test_the_good_rows_are_read_when_asked(column: str, value: object, words: str, tmp_path: Path) -> None:
    aside = tmp_path / "aside.jsonl"
    path = csv(tmp_path, changed(2, column, value))
    log = read_log(path, COLUMNS, how=Reading(skip_bad_rows=True, rejects=aside))
    assert log.rewards.tolist() == [1.0, 0.0, 1.0]
    assert log.decisions.tolist() == [0, 0, 1]
    assert log.left_out == 1
    assert "1 bad row left out" in log.notes[0]
    (told,) = map(json.loads, aside.read_text().splitlines())
    assert (told["row"], told["line"], told["column"]) == (3, 4, column)
    assert words in told["reason"]


@pytest.mark.parametrize(("column", "value"), [("p", 0.0), ("p", None), ("r", None), ("new", 2.0)])
def test_a_bad_value_in_parquet_and_jsonl(column: str, value: object, tmp_path: Path) -> None:
    for path in (
        parquet_file(tmp_path, changed(2, column, value)),
        jsonl(tmp_path, changed(2, column, value)),
    ):
        with pytest.raises((InputError, PropensityError), match=f"row 3.*column '{column}'"):
            read_log(path, COLUMNS)
        assert len(read_log(path, COLUMNS, how=Reading(skip_bad_rows=True))) == 3


def test_reward_as_text_among_numbers_in_jsonl(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2 .*'yes' is no number"):
        read_log(jsonl(tmp_path, changed(1, "r", "yes")), COLUMNS)


def test_the_same_decision_and_slot_twice(tmp_path: Path) -> None:
    path = csv(tmp_path, [*ROWS[:2], ROWS[0], *ROWS[2:]])
    with pytest.raises(
        InputError, match=r"row 3 \(line 4\), column 'id': 'a' was there before with the same slot"
    ):
        read_log(path, COLUMNS)
    log = read_log(path, COLUMNS, how=Reading(skip_bad_rows=True))
    assert len(log) == 4
    assert log.duplicates == log.left_out == 1


def test_the_same_id_twice_without_slots(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2 .*'a' was there before: .*'slot'"):
        read_log(csv(tmp_path), LogColumns(reward="r", decision_id="id"))


@pytest.mark.parametrize("cut", ["d", "d,1,2024-01-0", "d,1,2024-01-04,0.5,1.0,x,D"])
def test_a_half_written_last_line(cut: str, tmp_path: Path) -> None:
    path = csv(tmp_path, tail=cut)
    with pytest.raises(
        InputError, match=r"row 5 \(line 6\), column '\(whole row\)'.*has \d columns where .* has 8"
    ):
        read_log(path, COLUMNS)
    assert len(read_log(path, COLUMNS, how=Reading(skip_bad_rows=True))) == 4


def test_a_half_written_last_line_of_jsonl(tmp_path: Path) -> None:
    path = jsonl(tmp_path, tail='{"id": "d", "sl')
    with pytest.raises(InputError, match=r"row 5 .*is not JSON"):
        read_log(path, COLUMNS)
    assert len(read_log(path, COLUMNS, how=Reading(skip_bad_rows=True))) == 4


def test_rows_behind_a_broken_one_keep_their_numbers(tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [*ROWS[:2], ["broken"], *changed(3, "p", 0)[2:]]
    path = csv(tmp_path, rows)
    aside = tmp_path / "aside.jsonl"
    read_log(path, COLUMNS, how=Reading(skip_bad_rows=True, rejects=aside))
    assert [json.loads(line)["row"] for line in aside.read_text().splitlines()] == [3, 5]


def test_a_gzip_file_that_is_cut_off(tmp_path: Path) -> None:
    rows = [(f"d{row}", *ROWS[0][1:]) for row in range(5_000)]
    packed = gzip.compress(jsonl(tmp_path, rows).read_bytes())
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="row"):
        read_log(path, COLUMNS)
    assert 0 < len(read_log(path, COLUMNS, how=Reading(skip_bad_rows=True))) < 5_000


@pytest.mark.parametrize("skip", [False, True])
def test_files_with_nothing_in_them(skip: bool, tmp_path: Path) -> None:
    how = Reading(skip_bad_rows=skip)
    for name in ("log.csv", "log.jsonl", "log.parquet"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match=r"is empty.*row 1"):
            read_log(tmp_path / name, COLUMNS, how=how)
    with pytest.raises(InputError, match="no usable row"):
        read_log(csv(tmp_path, []), COLUMNS, how=how)


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no column 'rr', which the columns file takes for reward.*did you mean 'r'"
    ):
        read_log(csv(tmp_path), LogColumns(reward="rr"))
    with pytest.raises(InputError, match=r"no column 'chance'.*propensity"):
        read_log(jsonl(tmp_path), LogColumns(reward="r", propensity="chance"))


def test_unknown_items(tmp_path: Path) -> None:
    path, items = csv(tmp_path), frozenset("xy")
    with pytest.raises(InputError, match=r"row 4 .*column 'item': 'z' is an unknown item"):
        read_log(path, COLUMNS, how=Reading(items=items))
    assert len(read_log(path, COLUMNS, how=Reading(items=items, skip_bad_rows=True))) == 3


def test_files_that_are_not_there_or_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        read_log(tmp_path / "log.csv", COLUMNS)
    with pytest.raises(InputError, match="is a folder"):
        read_log(tmp_path, COLUMNS, how=Reading(format="csv"))
    with pytest.raises(InputError, match=r"ends in '\.xls'"):
        read_log(tmp_path / "log.xls", COLUMNS)
    with pytest.raises(InputError, match="did you mean 'parquet'"):
        read_log(tmp_path / "log.xls", COLUMNS, how=Reading(format="parket"))
    (tmp_path / "log.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_log(tmp_path / "log.parquet", COLUMNS)
    with pytest.raises(InputError, match="--columns"):
        read_log(csv(tmp_path))


def test_one_wild_time_does_not_cost_the_rows_behind_it(tmp_path: Path) -> None:
    """Row 2 lies far ahead; only row 3, which is earlier than row 2, is set aside, and the rest is in order."""
    rows = [(f"d{row}", 1, f"2024-01-0{row}T00:00:00", *ROWS[0][3:]) for row in range(1, 8)]
    rows[1] = ("d2", 1, "2099-01-01T00:00:00", *ROWS[0][3:])
    log = read_log(csv(tmp_path, rows), COLUMNS, how=Reading(skip_bad_rows=True))
    assert len(log) == 6
    assert (log.at[1:] >= log.at[:-1]).all()


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    """One name as Latin-1: its row is told, and the others are read. Whole files of another kind are refused."""
    path = csv(tmp_path, changed(2, "country", "Köln"))
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(InputError, match=r"row 3 \(line 4\), column 'country': 'K\ufffdln' is not UTF-8"):
        read_log(path, COLUMNS)
    log = read_log(path, COLUMNS, how=Reading(skip_bad_rows=True, rejects=tmp_path / "aside.jsonl"))
    assert log.rewards.tolist() == [1.0, 0.0, 1.0]
    assert log.left_out == 1
    path.write_bytes(csv(tmp_path).read_text().encode("utf-16"))
    with pytest.raises(InputError, match="save the file as UTF-8"):
        read_log(path, COLUMNS)


def test_names_beyond_ascii_are_read(tmp_path: Path) -> None:
    path = csv(tmp_path, changed(2, "country", "Köln"))
    assert "Köln" in read_log(path, COLUMNS).groups["country"].names


def test_items_of_rows_that_are_left_out_are_not_in_the_log(tmp_path: Path) -> None:
    """Neither that of a bad row nor that of a duplicate: coverage would count them as items that are never shown."""
    again = [*ROWS[0][:5], "twin", *ROWS[0][6:]]
    bad = ["d", 1, "2024-01-04T00:00:00", 0.0, 1.0, "ghost", "DE", 0.5]
    log = read_log(
        csv(tmp_path, [*ROWS[:2], again, *ROWS[2:], bad]), COLUMNS, how=Reading(skip_bad_rows=True)
    )
    assert log.left_out == 2
    assert log.items.names == ("x", "y", "z")
    assert log.items.codes.tolist() == [0, 1, 0, 2]
