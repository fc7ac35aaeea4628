"""`promote` as people type it: start, look, cancel, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.cli.promote import show

from .conftest import Said

Say = Callable[..., Said]


@pytest.fixture
def challenger(folder: Path) -> str:
    (folder / "challenger.toml").write_text('[policy]\nname = "ucb"\n', encoding="utf-8")
    return "challenger.toml"


def test_start_look_and_cancel(shop: Say, challenger: str) -> None:
    started = shop("promote", challenger, "--json").json
    assert started["serving"] == "configuration"
    promotion = started["promotion"]
    assert (promotion["state"], promotion["stage"]) == ("running", "shadow")
    assert promotion["challenger"].startswith("ucb#")
    assert promotion["tables"]["policy"]["name"] == "ucb"
    assert [step["kind"] for step in promotion["steps"]] == ["started"]
    one = shop("recommend", "--text", "wet", "--user", "u1", "--json").json["decision_id"]
    shop("feedback", one, "--kind", "like", "--settle")
    assert shop("promote", "--status", "--json").json["promotion"]["now"]["n"] == 1
    assert "shadow: " in shop("promote", "--status").out
    assert "shadow: " in shop("status").out
    assert shop("status", "--json").json["promotion"]["state"] == "running"
    assert shop("promote", "--cancel", "--json").json["promotion"]["state"] == "cancelled"
    assert "cancelled by hand" in shop("promote", "--status").out
    assert shop("replay", "--json").json["identical"] is True


def test_where_there_was_none(shop: Say) -> None:
    assert shop("promote", "--status", "--json").json["promotion"] is None
    assert "none so far" in shop("promote", "--status").out
    assert "none so far" in shop("status").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name one thing to do"),
        (("--status", "--cancel"), "name one thing to do"),
        (("--cancel",), "there is nothing to cancel"),
        (("nowhere.toml",), "no challenger at 'nowhere.toml'"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], says: str, shop: Say) -> None:
    told = shop("promote", *words)
    assert told.code == 1
    assert says in told.err


def test_a_file_that_broke_off_before_its_first_table_is_refused(shop: Say, folder: Path) -> None:
    (folder / "half.toml").write_text("# Trained by 'equipoise train' on", encoding="utf-8")
    told = shop("promote", "half.toml")
    assert told.code == 1
    assert "'half.toml' has no table in it, so it would be the incumbent itself" in told.err
    assert shop("promote", "--status", "--json").json["promotion"] is None


def test_a_second_challenger_must_wait(shop: Say, challenger: str) -> None:
    assert shop("promote", challenger).code == 0
    told = shop("promote", challenger)
    assert told.code == 1
    assert "a promotion is running" in told.err


@pytest.mark.parametrize("columns", [80, 120])
def test_every_step_fits_its_line(
    columns: int, shop: Say, challenger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 80 columns no word of the table is folded: each step is one line that begins with its time."""
    monkeypatch.setenv("COLUMNS", str(columns))
    shop("promote", challenger)
    shop("promote", "--cancel")
    lines = shop("promote", "--status").out.splitlines()
    steps = [line for line in lines if line.startswith(" 20")]
    assert [line.split()[2] for line in steps] == ["started", "cancelled"]
    assert "decisions difference" in " ".join(lines)
    assert max(map(len, lines)) <= 80


def test_numbers_of_a_million_decisions_fit_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    numbers = {"n": 1_234_567, "difference": -0.12345, "low": -12.3456, "high": 12.3456}
    step = {"at": 1.8e9, "kind": "rolled_back", "stage": "0.001 of the traffic", **numbers}
    promotion = {
        "state": "rolled_back",
        "challenger": "epsilon_greedy#0123456789ab",
        "incumbent": "thompson#0123456789ab",
        "now": None,
        "steps": [step],
    }
    show({"serving": "configuration", "policy": "thompson#0123456789ab", "promotion": promotion})
    out = capsys.readouterr().out
    assert "rolled back 0.001 1,234,567    -0.1235 -12.3456 +12.3456" in out
    assert max(map(len, out.splitlines())) <= 80
