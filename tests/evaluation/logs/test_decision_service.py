"""Vowpal Wabbit's decision-service lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.core import InputError, PropensityError
from equipoise.evaluation.logs import LogColumns, Reading, read_log
from equipoise.evaluation.targets import Uniform


def one(event: str, cost: float, chance: float, actions: list[int], **more: Any) -> dict[str, Any]:
    chances = [chance, *[(1.0 - chance) / (len(actions) - 1)] * (len(actions) - 1)]
    return {
        "_label_cost": cost,
        "_label_probability": chance,
        "_label_Action": actions[0],
        "_labelIndex": actions[0] - 1,
        "Timestamp": f"2024-01-01T00:00:0{event[-1]}.0000000Z",
        "EventId": event,
        "a": actions,
        "c": {
            "User": {"device": "phone"},
            "hour": 9,
            "_multi": [{"_tag": "x"}, {"id": "y"}, {"f": {"a": 1}}],
        },
        "p": chances,
        **more,
    }


SLATE = {
    "Timestamp": "2024-01-01T00:00:03Z",
    "EventId": "e3",
    "c": {"_multi": [{"id": "x"}, {"id": "y"}, {"id": "z"}], "_slots": [{}, {}]},
    "_outcomes": [
        {"_label_cost": -1, "_a": [1, 0, 2], "_p": [0.5, 0.25, 0.25]},
        {"_label_cost": 0, "_a": [2, 0], "_p": [0.7, 0.3]},
    ],
}


def write(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "log.dsjson"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_costs_are_rewards_turned_round(tmp_path: Path) -> None:
    path = write(
        tmp_path, one("e1", -1.0, 0.8, [2, 1, 3]), one("e2", 0.0, 0.2, [3, 1, 2]), SLATE, {"RewardValue": 1}
    )
    log = read_log(path)
    assert log.rewards.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert log.propensities is not None
    assert log.propensities.tolist() == [0.8, 0.2, 0.5, 0.7]
    assert log.decisions.tolist() == [0, 1, 2, 2]
    assert [log.items.names[code] for code in log.items.codes] == ["y", "action 3", "y", "z"]
    assert log.choices is not None
    assert log.choices.tolist() == [3, 3, 3, 2]


def test_uniform_knows_the_candidates(tmp_path: Path) -> None:
    """A third in single decisions and the first slot, half in the second."""
    log = read_log(write(tmp_path, one("e1", -1.0, 0.8, [2, 1, 3]), SLATE))
    assert Uniform().chances(log).target.tolist() == [1 / 3, 1 / 3, 1 / 2]


def test_facts_of_the_context_are_attributes(tmp_path: Path) -> None:
    columns = LogColumns(reward="", attributes=("User.device", "hour"))
    log = read_log(write(tmp_path, one("e1", -1.0, 0.8, [2, 1, 3])), columns)
    assert log.groups["User.device"].names == ("phone",)
    assert log.groups["hour"].names == ("9",)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"_label_probability": 0.0}, "is not above 0"),
        ({"_label_cost": "free"}, "is no number"),
        ({"a": [7, 1]}, "action 7 of 3 candidates"),
        ({"a": []}, "another shape"),
        ({"c": {}}, "lacks '_multi'"),
    ],
)
def test_lines_that_cannot_be_used(more: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = write(tmp_path, one("e1", -1.0, 0.8, [2, 1, 3]), one("e2", -1.0, 0.8, [2, 1, 3], **more))
    with pytest.raises((InputError, PropensityError), match=words) as caught:
        read_log(path)
    assert "row 2" in str(caught.value)
    assert len(read_log(path, how=Reading(skip_bad_rows=True))) == 1


def test_messages_call_columns_as_the_file_does(tmp_path: Path) -> None:
    path = write(tmp_path, one("e1", -1.0, 0.0, [2, 1, 3]))
    with pytest.raises(PropensityError, match=r"row 1 \(line 1\), column '_label_probability': '0.0'"):
        read_log(path)


def test_a_missing_label_probability_is_the_first_of_p(tmp_path: Path) -> None:
    """`p` stands in the order of `a`, the chosen one first."""
    record = one("e1", -1.0, 0.8, [2, 1, 3]) | {"p": [0.8, 0.1, 0.1]}
    del record["_label_probability"]
    log = read_log(write(tmp_path, record))
    assert log.propensities is not None and log.propensities.tolist() == [0.8]
    del record["p"]
    with pytest.raises(PropensityError, match="column '_label_probability': '' is missing"):
        read_log(write(tmp_path, record))


def test_a_file_of_other_objects_says_what_is_wrong_with_the_first(tmp_path: Path) -> None:
    (tmp_path / "log.dsjson").write_text('{"_label_cost": 0}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"no usable JSON object .* from row 1 on .*lacks"):
        read_log(tmp_path / "log.dsjson")
