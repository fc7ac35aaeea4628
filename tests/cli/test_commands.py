"""Every command, in words and in JSON, as a new user would try it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.cli import main
from equipoise.cli.app import COMMANDS

from .conftest import Said

Say = Callable[..., Said]


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_help_has_an_example_of_its_own(say: Say, name: str) -> None:
    told = say(name, "--help")
    assert told.code == 0
    assert f"Example: equipoise {name}" in told.out


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_speaks_json(say: Say, name: str) -> None:
    assert "--json" in say(name, "--help").out


def test_help_without_a_command_lists_all(say: Say) -> None:
    told = say()
    assert told.code == 0
    assert all(name in told.out for name, _ in COMMANDS)
    assert say("--version").out.strip()


def test_init_says_what_it_guessed_and_keeps_what_is_there(say: Say, folder: Path) -> None:
    told = say("init", "items.csv")
    assert told.code == 0
    assert all(name in told.out for name in ("item_id", "title", "kind", "price", "equipoise.toml"))
    written = (folder / "equipoise.toml").read_text()
    assert say("init", "items.csv").code == 1
    assert (folder / "equipoise.toml").read_text() == written
    forced = say("init", "items.csv", "--force", "--json")
    assert forced.json["config"] == "equipoise.toml"
    assert len(forced.json["guesses"]) >= 4
    other = say("init", "items.csv", "--config", "other.toml", "--json")
    assert other.json["config"] == "other.toml"
    assert (folder / "other.toml").exists()


def test_the_way_of_a_decision(shop: Say) -> None:
    answer = shop(
        "recommend",
        "--text",
        "shoes for wet trails",
        "--user",
        "u1",
        "--history",
        "i7,i9",
        "--slots",
        "3",
        "--json",
    ).json
    assert set(answer) == {"decision_id", "policy", "slots"}
    assert answer["policy"] == "thompson"
    assert [slot["slot"] for slot in answer["slots"]] == [0, 1, 2]
    for slot in answer["slots"]:
        assert set(slot) == {"slot", "item_id", "propensity", "probability", "source"}
        assert 0.0 < slot["propensity"] <= 1.0
    one = answer["decision_id"]
    told = shop("feedback", one, "--slot", "2", "--kind", "click", "--json").json
    assert (told["decision_id"], told["status"], told["position"]) == (one, "counted", None)
    assert shop("feedback", one, "--slot", "1", "--kind", "like", "--settle", "--json").json["position"] == 1
    why = shop("why", one, "--json").json
    assert why["reproduced"] is True
    assert why["differences"] == []
    assert why["rewards"] == [0.0, 1.0, 0.3]  # a like at 1, a click at .3, as init wrote them
    assert [slot["item_id"] for slot in why["slots"]] == [slot["item_id"] for slot in answer["slots"]]
    replay = shop("replay", "--json")
    assert (replay.code, replay.json["identical"], replay.json["decisions"]) == (0, True, 1)
    status = shop("status", "--json").json
    assert (status["items"], status["decisions"], status["settled"], status["learned"]) == (20, 1, 1, 1)
    assert status["feedback"] == {"counted": 2}


def test_the_same_in_words(shop: Say) -> None:
    told = shop("recommend", "--text", "shoes", "--slots", "2")
    one = told.out.split("decision ")[1].split()[0]
    assert "propensity" in told.out and "for every day" in told.out
    assert shop("feedback", one, "--kind", "click", "--settle").out.splitlines() == [
        "counted: click = 1 on slot 0 counts",
        "settled at position 1; the policy has learned from it",
    ]
    why = shop("why", one)
    assert "slot 0, " in why.out and "bit for bit" in why.out
    assert "identical true" in shop("replay").out
    status = shop("status").out
    assert "thompson#" in status
    assert not {"{", "[", "1800.0"} & set(status.split())
    assert "machine" in shop("doctor").out


def test_titles_that_look_like_markup_are_shown_as_they_are(say: Say, folder: Path) -> None:
    (folder / "odd.csv").write_text(
        "item_id,title\n[/red],no [/bold] thing of many words\n:smile:,[red]one[/red] 日本\n"
    )
    assert say("init", "odd.csv").code == 0
    told = say("recommend", "--slots", "2")
    assert all(text in told.out for text in ("[/red]", "no [/bold] thing", ":smile:", "[red]one[/red] 日本"))
    one = told.out.split("decision ")[1].split()[0]
    assert "[/red]" in say("why", one).out


def test_a_stream_without_the_letters_shows_escapes(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", bare)
        assert main(["recommend", "--text", "日本", "--slots", "1", "--user", "日本", "--json"]) == 0
        assert main(["import", "nope-日本.csv"]) == 1


def test_every_option_of_recommend(shop: Say) -> None:
    told = shop(
        *("recommend", "--attribute", "device=phone", "--attribute", "hour=21", "--filter", "kind=shoe"),
        *("--exclude", "i0,i1", "--pin", "1=i2", "--slots", "3", "--json"),
    )
    slots = told.json["slots"]
    assert (slots[1]["item_id"], slots[1]["source"], slots[1]["propensity"]) == ("i2", "pinned", 1.0)
    assert {slots[0]["item_id"], slots[2]["item_id"]} <= {"i5", "i6", "i10", "i11", "i15", "i16"}
    listed = shop("recommend", "--items", "i3, i4", "--slots", "2", "--json").json
    assert {slot["item_id"] for slot in listed["slots"]} == {"i3", "i4"}


def test_a_dash_reads_standard_input(shop: Say) -> None:
    assert shop("recommend", "--text", "-", "--slots", "1", "--json", stdin="wet boots\n").code == 0
    request = {"text": "boots", "user_id": "u1", "pinned": {"0": "i3"}, "attributes": {"hour": 3}}
    told = shop("recommend", "--request", "-", "--slots", "2", "--json", stdin=json.dumps(request))
    assert told.json["slots"][0]["item_id"] == "i3"
    csv = shop("import", "-", "--json", stdin="item_id,title,kind,price\nnew,wet boot,boot,9\n")
    assert (csv.json["added"], csv.json["bad"], csv.json["rejects"]) == (1, 0, None)
    line = {"item_id": "newer", "title": "dry boot", "kind": "boot", "price": 3}
    assert shop("import", "-", "--json", stdin=json.dumps(line)).json["added"] == 1
    assert shop("status", "--json").json["items"] == 22


def test_an_import_lasts_and_keeps_its_bad_rows(shop: Say, folder: Path) -> None:
    (folder / "new.csv").write_text(
        "item_id,title,kind,price\nnew,wet boot,boot,9\nodd,wet boot,boot,cheap\n"
    )
    done = shop("import", "new.csv", "--json").json
    assert (done["added"], done["unchanged"], done["removed"], done["bad"]) == (1, 0, 0, 1)
    assert "line" in Path(done["rejects"]).read_text()
    assert shop("recommend", "--items", "new", "--slots", "1", "--json").code == 0
    assert "cheap" in Path(done["rejects"]).read_text()
    gone = shop("import", "new.csv", "--replace", "--json").json
    assert (gone["removed"], shop("status", "--json").json["items"]) == (20, 1)


def test_rebuild_from_the_command_line(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shop("recommend", "--text", "boots", "--slots", "2", "--json").json["decision_id"]
    shop("feedback", one, "--kind", "like", "--settle")
    monkeypatch.setenv("EQUIPOISE_PAIRING__ITEM", "8")
    refused = shop("recommend", "--text", "boots", "--json")
    assert (refused.code, json.loads(refused.err)["error"]["kind"]) == (1, "FeatureSpaceError")
    assert "replay --rebuild" in refused.err
    rebuilt = shop("replay", "--rebuild", "--json")
    assert (rebuilt.code, rebuilt.json["decisions"]) == (0, 1)
    assert shop("recommend", "--text", "boots", "--json").code == 0
    assert shop("replay", "--json").json["identical"] is True
    assert shop("why", one, "--json").json["reproduced"] is False


def test_doctor_finds_faults_and_says_so_by_its_code(shop: Say, folder: Path) -> None:
    assert shop("doctor", "--json").code == 0
    (folder / "items.csv").unlink()
    told = shop("doctor", "--json")
    assert told.code == 1
    faults = [finding for finding in told.json if finding["level"] == "fault"]
    assert [(finding["what"], bool(finding["remedy"])) for finding in faults] == [("catalogue", True)]


def test_main_reads_the_words_of_the_process(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["equipoise", "init", "items.csv", "--json"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["config"] == "equipoise.toml"
