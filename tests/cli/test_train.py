"""`equipoise train`: from a log or the journal to a challenger that the other commands take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .conftest import Said

MAP = 'reward = "got"\nitem_id = "what"\nuser_id = "who"\nat = "when"\npropensity = "p"\nattributes = ["device"]\n'
QUICK = ("--ridge", "1", "--variance", "0.5")


def log_of(folder: Path, n: int = 600, *, name: str = "their.csv", seed: int = 1) -> Path:
    """Evenly shown i0 to i3; i2 is clicked with .7, others with .1. Rows 5, 6 and 7 cannot be used."""
    dice = np.random.default_rng(seed)
    lines = ["when,who,what,got,p,device"]
    for number in range(n):
        item = int(dice.integers(4))
        got = int(dice.random() < (0.7 if item == 2 else 0.1))
        device = ("phone", "desk")[number % 2]
        lines.append(
            f"2026-01-01T{number // 60 % 24:02}:{number % 60:02}:00Z,u{number % 5},i{item},{got},0.25,{device}"
        )
    lines[5] = lines[5].replace(",0.25,", ",0,")
    lines[6] = ",".join([*lines[6].split(",")[:3], "often", "0.25", "phone"])
    lines[7] = lines[7].replace(",i", ",unknown")
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    (folder / "map.toml").write_text(MAP)
    return path


def test_a_log_becomes_a_challenger(folder: Path, say: Callable[..., Said]) -> None:
    log_of(folder)
    done = say("train", "--log", "their.csv", "--columns", "map.toml")
    assert done.code == 0, done.err
    assert "what was tried in log-items@device (d=64)" in done.out
    assert "propensities are the log's own." in done.out and "on_policy" in done.out
    assert "2 bad rows left out" in done.out and "written to challenger.toml" in done.out
    assert len(Path("their.csv.rejects.jsonl").read_text().splitlines()) == 2
    assert "next: equipoise evaluate --log LATER --columns MAP --policy challenger.toml." in done.out
    assert Path("challenger.toml").read_text().startswith("# Trained by 'equipoise train' on \"their.csv\".")
    log_of(folder, name="later.csv", seed=2)
    named = ("--log", "later.csv", "--columns", "map.toml", "--policy", "challenger.toml")
    found = say("evaluate", *named, "--skip-bad-rows", "--json")
    assert found.code == 0, found.err
    values = {(row["policy"], row["estimator"]): row["value"] for row in found.json}
    # Even choice earns .25; i2 alone .7. 600 rows are worth about 150 for it: a standard error of .04.
    assert values["challenger", "snips"] == pytest.approx(0.7, abs=0.2)


def test_json_says_the_same(folder: Path, say: Callable[..., Said]) -> None:
    log_of(folder)
    done = say(
        "train",
        "--log",
        "their.csv",
        "--columns",
        "map.toml",
        "--method",
        "poem",
        "--out",
        "p.toml",
        "--json",
    )
    assert done.code == 0, done.err
    told = done.json
    assert (told["policy"], told["file"], told["method"]) == ("p", "p.toml", "poem")
    assert told["estimated"] is False and told["refusal"] is None
    (trained,) = told["trained"]
    assert trained["choices"] == 419 and len(trained["tried"]) == 15
    row = next(row for row in told["estimates"] if (row["policy"], row["estimator"]) == ("p", "snips"))
    assert set(row) == {
        "policy",
        "estimator",
        "value",
        "stderr",
        "low",
        "high",
        "n",
        "n_effective",
        "warnings",
    }
    assert row["low"] < row["value"] < row["high"] and row["n"] == 179


def test_beside_a_catalogue_it_can_be_promoted(folder: Path, say: Callable[..., Said]) -> None:
    log_of(folder)
    assert say("init", "items.csv").code == 0
    done = say("train", "--log", "their.csv", "--columns", "map.toml", "--config", "equipoise.toml", *QUICK)
    assert done.code == 0, done.err
    assert "challenger in the catalogue's features" in done.out
    assert "3 bad rows left out" in done.out  # the unknown item is one here
    assert "--policy challenger.toml, or equipoise promote challenger.toml." in done.out
    promoted = say("promote", "challenger.toml")
    assert promoted.code == 0 and "trained#" in promoted.out
    assert say("recommend", "--user", "u1", "--slots", "3").code == 0


def test_our_own_journal(folder: Path, say: Callable[..., Said]) -> None:
    assert say("init", "items.csv").code == 0
    asked = "".join(json.dumps({"user_id": f"u{number % 4}"}) + "\n" for number in range(80))
    Path("asked.jsonl").write_text(asked)
    from equipoise import Engine, Request

    with Engine.open("equipoise.toml") as engine:
        for number in range(80):
            decision = engine.recommend(Request(user_id=f"u{number % 4}"), slots=2)
            for slot in decision.slots:
                if slot.item_id in ("i2", "i7"):
                    engine.feedback(decision.decision_id, slot=slot.slot, kind="like")
            engine.settle(decision.decision_id)
    done = say("train", "--journal", "equipoise.db", *QUICK, "--out", "own.toml", "--json")
    assert done.code in (0, 3), done.err
    assert done.json["trained"][0]["choices"] == 112
    assert done.json["propensities"] == "propensities are the journal's own"
    found = say("evaluate", "--journal", "equipoise.db", "--policy", "own.toml", "--json", "--force")
    assert found.code == 0 and any(row["policy"] == "own" for row in found.json)


def test_a_later_part_that_cannot_answer_exits_with_3(folder: Path, say: Callable[..., Said]) -> None:
    """Later on i2, which the policy has learned to show, is shown but twice: the file is there, the number is not."""
    log = log_of(folder, 700)
    lines = log.read_text().splitlines()
    for row in range(480, 701):
        when, who, _, _, _, device = lines[row].split(",")
        lines[row] = ",".join(
            [when, who, *(("i2", "1", "0.01") if row in (500, 600) else ("i0", "0", "0.97")), device]
        )
    log.write_text("\n".join(lines) + "\n")
    done = say("train", "--log", "their.csv", "--columns", "map.toml", *QUICK)
    assert done.code == 3
    assert Path("challenger.toml").exists() and "can this log speak of challenger?" in done.out
    told = say("train", "--log", "their.csv", "--columns", "map.toml", *QUICK, "--force", "--json")
    assert told.code == 3
    assert told.json["estimates"] == [] and "challenger" in told.json["refusal"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "name one log"),
        (("--log", "their.csv", "--journal", "x.db"), "name one log"),
        (("--log", "their.csv"), "--columns map.toml"),
        (("--log", "nowhere.csv", "--columns", "map.toml"), "nowhere.csv"),
        (("--log", "their.csv", "--columns", "map.toml", "--held-out", "1.5"), "held_out is 1.5"),
        (
            ("--log", "their.csv", "--columns", "map.toml", "--method", "ips", "--variance", "1"),
            "method 'poem'",
        ),
        (("--log", "their.csv", "--columns", "map.toml", "--out", "no/c.toml"), "its folder is not there"),
        (("--journal", "nowhere.db"), "no configuration at 'equipoise.toml'"),
    ],
)
def test_mistakes_are_told_in_a_line(
    folder: Path, say: Callable[..., Said], words: tuple[str, ...], error: str
) -> None:
    log_of(folder, 60)
    done = say("train", *words)
    assert done.code == 1 and error in done.err and "Traceback" not in done.err
    assert not Path("challenger.toml").exists()


def test_a_file_that_is_there_is_kept(folder: Path, say: Callable[..., Said]) -> None:
    log_of(folder)
    Path("challenger.toml").write_text("mine")
    done = say("train", "--log", "their.csv", "--columns", "map.toml")
    assert done.code == 1 and "replace it with --force" in done.err
    assert Path("challenger.toml").read_text() == "mine"
