"""What goes wrong: 2 for what was not understood, 1 for what failed, one line and no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.cli import main
from equipoise.core import EquipoiseError

from .conftest import Said

Say = Callable[..., Said]

USAGE = [
    ("nonsense",),
    ("recommend", "--nope"),
    ("recommend", "--slots", "many"),
    ("recommend", "--text"),
    ("why",),
    ("feedback",),
    ("feedback", "d1", "--slot", "first"),
    ("simulate", "mars"),
    ("simulate", "--seeds", "x"),
    ("init",),
    ("import",),
]


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_what_is_not_understood_is_2(say: Say, words: tuple[str, ...]) -> None:
    plain = say(*words)
    assert (plain.code, plain.out) == (2, "")
    assert plain.err
    spoken = say(*words, "--json")
    assert (spoken.code, spoken.out) == (2, "")
    assert json.loads(spoken.err)["error"]["kind"] == "UsageError"


FAILURES = [
    (("recommend", "--config", "nope.toml"), "ConfigurationError", "equipoise init"),
    (("recommend", "--slots", "0"), "InputError", "slots is 0"),
    (("recommend", "--slots", "21"), "InputError", "20 items"),
    (("recommend", "--items", "i1,i99"), "UnknownItemError", "did you mean"),
    (("recommend", "--history", "i99"), "UnknownItemError", "i99"),
    (("recommend", "--filter", "kind"), "InputError", "NAME=VALUE"),
    (("recommend", "--filter", "knd=shoe"), "InputError", "did you mean 'kind'"),
    (("recommend", "--filter", "kind=hat"), "NoCandidatesError", "loosen"),
    (("recommend", "--filter", "price=cheap"), "InputError", "price"),
    (("recommend", "--attribute", "=3"), "InputError", "NAME=VALUE"),
    (("recommend", "--attribute", "hour=nan"), "InputError", "finite"),
    (("recommend", "--pin", "first=i1"), "InputError", "SLOT=ITEM_ID"),
    (("recommend", "--pin", "12=i1"), "InputError", "slot 12"),
    (("recommend", "--user", ""), "InputError", "user_id"),
    (("recommend", "--request", "{"), "InputError", "JSON object"),
    (("recommend", "--request", "[]"), "InputError", "JSON object"),
    (("recommend", "--request", "null"), "InputError", "JSON object"),
    (("recommend", "--request", '{"txt": "x"}'), "InputError", "did you mean 'text'"),
    (("recommend", "--request", '{"text": 5}'), "InputError", "text"),
    (("recommend", "--request", '{"user_id": 7}'), "InputError", "user_id"),
    (("recommend", "--request", '{"items": "i1"}'), "InputError", "items"),
    (("recommend", "--request", '{"items": ["i99"]}'), "UnknownItemError", "i99"),
    (("recommend", "--request", '{"pinned": {"first": "i1"}}'), "InputError", "pinned"),
    (("recommend", "--request", '{"attributes": {"a": {"b": 1}}}'), "InputError", "attributes"),
    (("recommend", "--request", '{"filters": {"kind": [["shoe"]]}}'), "InputError", "kind"),
    (("recommend", "--request", '{"attributes": {"a": 1e999}}'), "InputError", "request is not one"),
    (("feedback", "d1"), "InputError", "--kind"),
    (("feedback", "d1", "--kind", "clik"), "InputError", "did you mean 'click'"),
    (("feedback", "d1", "--settle"), "UnknownDecisionError", "d1"),
    (("feedback", "d1", "--kind", "click", "--slot", "-1"), "InputError", "slot"),
    (("feedback", "d1", "--kind", "click", "--value", "nan"), "InputError", "finite"),
    (("why", "d1"), "UnknownDecisionError", "d1"),
    (("import", "nope.csv"), "CatalogError", "nope.csv"),
    (("import", "."), "CatalogError", "folder"),
    (("init", "items.csv"), "ConfigurationError", "--force"),
    (("init", "nope.csv", "--config", "o.toml"), "CatalogError", "nope.csv"),
    (("init", "items.csv", "--config", "nowhere/o.toml"), "ConfigurationError", "nowhere"),
    (("simulate", "films", "--data", "nowhere"), "CatalogError", "nowhere"),
]


@pytest.mark.parametrize(("words", "kind", "told"), FAILURES, ids=lambda value: str(value)[:60])
def test_what_fails_is_1(shop: Say, words: tuple[str, ...], kind: str, told: str) -> None:
    plain = shop(*words)
    assert (plain.code, plain.out) == (1, "")
    assert plain.err.startswith("equipoise: ") and told in plain.err
    spoken = shop(*words, "--json")
    assert (spoken.code, spoken.out) == (1, "")
    error = json.loads(spoken.err)["error"]
    assert (error["kind"], told in error["message"]) == (kind, True)


def test_bytes_that_are_no_text_on_standard_input(shop: Say) -> None:
    for words in (("recommend", "--request", "-"), ("recommend", "--text", "-")):
        told = shop(*words, "--json", stdin=b"caf\xe9")
        assert told.code == 1
        assert "UTF-8" in json.loads(told.err)["error"]["message"]
    assert shop("import", "-", stdin=b"\xff\xfe\x00\x01").code == 1


def test_unknown_feedback_is_kept_and_said(shop: Say) -> None:
    told = shop("feedback", "not-yet", "--kind", "click", "--json")
    assert (told.code, told.json["status"]) == (0, "unknown")


def test_a_broken_configuration_names_the_place(shop: Say, folder: Path) -> None:
    (folder / "equipoise.toml").write_text('[catalog]\npath = "items.csv"\n[polcy]\nname = "ucb"\n')
    assert "did you mean 'policy'" in shop("status").err
    (folder / "equipoise.toml").write_text('[catalog]\npath = "ite')
    told = shop("status")
    assert (told.code, "not whole TOML" in told.err) == (1, True)


def test_debug_shows_where_an_error_came_from(shop: Say) -> None:
    with pytest.raises(EquipoiseError):
        main(["why", "d1", "--debug"])


def test_a_world_without_visits_is_said(say: Say, folder: Path) -> None:
    (folder / "movies.csv").write_text("movieId,title,genres\n1,A (1999),Drama\n")
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n")
    told = say("simulate", "films", "--data", ".", "--policy", "uniform")
    assert told.code == 1
    assert "visit" in told.err
