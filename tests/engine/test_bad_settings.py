"""Configurations and arguments that cannot be meant: which key, what it was, what it could be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.core import CatalogError, ConfigurationError, EquipoiseError, InputError
from equipoise.engine import Engine, load_settings

CATALOG = "item_id,title,category,price\na,wet shoe,shoes,3\nb,dry boot,boots,4\nc,soft sock,socks,5\n"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    (tmp_path / "items.csv").write_text(CATALOG)

    def written(text: str | bytes) -> Path:
        path = tmp_path / "equipoise.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


GOOD = '[catalog]\npath = "items.csv"\n[encoder]\nname = "hashing"\n'


def test_the_file_that_the_others_spoil_is_good(write: Any) -> None:
    with Engine.open(write(GOOD)) as engine:
        assert engine.item_ids == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[polcy]\nname = "ucb"', "unknown key 'polcy': did you mean 'policy'"),
        ('[policy]\nnam = "ucb"', "unknown key 'policy.nam': did you mean 'name'"),
        ('[policy]\nname = "thomson"', "no policy 'thomson': did you mean 'thompson'"),
        ('[policy]\nposterior = "mixd"', "no posterior 'mixd': did you mean 'mixed'"),
        ("[policy]\nname = 5", "policy.name"),
        ("[policy]\nfloor = 2.0", "policy.floor"),
        ("[policy]\nsettings = { drws = 5 }", "no setting 'drws': did you mean 'draws'"),
        ('[policy]\nsettings = { draws = "many" }', "whole number"),
        ("[policy]\nsettings = { draws = 0 }", "draws"),
        ("[policy]\nsettings = { floor = 0.1 }", "move it up to [policy]"),
        ('[policy]\nsettings = { posterior = "beta" }', "move it up to [policy]"),
        ('[policy]\nsettings = { diversity = "mm" }', "did you mean 'mmr'"),
        ("[journal]\nwindow_seconds = 0", "journal.window_seconds"),
        ("[journal]\nwindow_seconds = nan", "journal.window_seconds"),
        ("[journal]\nwindow_seconds = inf", "journal.window_seconds"),
        ('[journal]\ndurability = "maybe"', "journal.durability"),
        ("[journal]\ncheckpoint_every = 0", "journal.checkpoint_every"),
        ('[journal]\npath = "nowhere/j.db"', "the folder"),
        ('[journal]\npath = "."', "is a folder"),
        ('[journal]\npath = "items.csv"', "not a SQLite database"),
        ("[retrieval]\ncandidates = 0", "retrieval.candidates"),
        ('[retrieval]\nindex = "fais"', "retrieval.index"),
        ("[retrieval]\nnear = 1.5", "retrieval.near"),
        ("[statistics]\nmemry = 5", "did you mean 'memory'"),
        ("[statistics]\nmemory = -1", "memory is -1"),
        ("[statistics]\nitem_shows = 0", "item_shows is 0"),
        ("[statistics]\nexpected_reward = nan", "expected_reward is nan"),
        ("[pairing]\nitem = -1", "-1 columns"),
        ("[pairing]\nitem = 500", "at most 128"),
        ('[reward]\nclick = "much"', "[reward] click"),
        ("[reward]\nclick = { weight = 1.0 }", "weight and full"),
        ('[reward]\nlow = -1.0\nclick = 1.0\n[policy]\nposterior = "beta"', "goes from -1 to 1, but a beta"),
        (
            '[reward]\nhigh = 5.0\nclick = 5.0\n[policy]\nposterior = "logistic"',
            "goes from 0 to 5, but a logistic",
        ),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be(write: Any, text: str, told: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        Engine.open(write(f"{GOOD}\n{text}\n"))
    assert told in str(caught.value)
    Engine.open(write(GOOD)).close()  # and nothing is in the way afterwards


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('seed = "x"', "seed"),
        ("seed = -1", "seed"),
        ("seed = 99999999999999999999", "seed"),
        ('folder = "x"', "unknown key 'folder'"),
        ("[journal", "not whole TOML"),
        ('[journal]\npath = "unclo', "not whole TOML"),
        ("half = [", "not whole TOML"),
        (GOOD + GOOD, "twice"),
        ("[[catalog]]\npath = 'x'", "catalog"),
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), "UTF-8"),
        (b'name = "caf\xe9"', "UTF-8"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_file_that_is_not_whole(write: Any, text: str | bytes, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Engine.open(write(text))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("catalog", "error", "told"),
    [
        ('path = "nope.csv"', CatalogError, "nope.csv"),
        ('path = "."', CatalogError, "folder"),
        ('path = "items.csv"\nitem_id = "itm_id"', CatalogError, "did you mean 'item_id'"),
        ('path = "items.csv"\nitem_id = "item_id"\ntext = ["titel"]', CatalogError, "did you mean 'title'"),
        ('path = "items.csv"\nitem_id = "item_id"\ntext = "title"', ConfigurationError, "catalog.text"),
        ('path = "items.csv"\nitem_id = "item_id"\nattributes = ["colour"]', CatalogError, "'colour'"),
        ('path = "items.csv"\nitem_id = "item_id"\npublished_at = "when"', CatalogError, "'when'"),
        ("", ConfigurationError, "the catalogue is empty"),
    ],
    ids=lambda value: str(value)[-30:],
)
def test_a_catalogue_that_is_not_there(write: Any, catalog: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error) as caught:
        Engine.open(write(f'[catalog]\n{catalog}\n[encoder]\nname = "hashing"\n'))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        ('name = "hashng"', "did you mean 'hashing'"),
        ('name = ""', "no encoder ''"),
        ('name = "numeric"', "without columns"),
        ('name = "numeric"\ncolumns = ["prise"]', "did you mean 'price'"),
        ('name = "numeric"\ncolumns = ["category"]', "'category' holds 'shoes'"),
        ('name = "hashing"\ncolumns = ["price"]', "has no columns"),
        ('name = "minilm"\nlayers = [9]', "layer 9"),
        ('name = "hashing"\nthreads = 0', "encoder.threads"),
    ],
)
def test_an_encoder_that_is_none(write: Any, encoder: str, told: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        Engine.open(write(f'[catalog]\npath = "items.csv"\n[encoder]\n{encoder}\n'))
    assert told in str(caught.value)


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="equipoise init CATALOG"):
        Engine.open(tmp_path / "equipoise.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Engine.open(tmp_path)


@pytest.mark.parametrize(
    "told",
    [
        {"catalog": None},
        {"catalog": 5},
        {"catalog": [5]},
        {"catalog": {"a": "shoe"}},
        {"catalog": [""]},
        {"catalog": []},
        {"encoder": 5},
        {"policy": 5},
        {"policy": {"nam": "ucb"}},
        {"journal": {"path": "j.db"}},
        {"journal": 5},
        {"reward": [1]},
        {"reward": {"click": "much"}},
        {"window_seconds": "long"},
        {"window_seconds": -1.0},
        {"seed": -3},
        {"retreival": {"candidates": 3}},
        {"retrieval": 3},
    ],
    ids=str,
)
def test_arguments_that_cannot_be_meant(told: dict[str, Any]) -> None:
    with pytest.raises((InputError, ConfigurationError)):
        Engine.create(**{"catalog": ["a", "b"], "encoder": "hashing", **told})


def test_the_environment_wins_over_the_file_and_is_checked_alike(write: Any) -> None:
    path = write(GOOD)
    told = {
        "EQUIPOISE_RETRIEVAL__CANDIDATES": "50",
        "EQUIPOISE_ENCODER__NAME": "minilm",
        "EQUIPOISE_ENCODER__LAYERS": "[2, 4]",
        "EQUIPOISE_SEED": "7",
        "EQUIPOISE_CACHE": "/anywhere",
    }
    settings = load_settings(path, environment=told)
    assert (settings.retrieval.candidates, settings.encoder.layers, settings.seed) == (50, (2, 4), 7)
    assert settings.encoder.name == "minilm"
    for variable, value, said in (
        ("EQUIPOISE_JOURNL__PATH", "x", "did you mean 'journal'"),
        ("EQUIPOISE_JOURNAL__PTH", "x", "did you mean 'path'"),
        ("EQUIPOISE_RETRIEVAL__CANDIDATES", "many", "retrieval.candidates"),
        ("EQUIPOISE_SEED__X", "1", "seed"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            load_settings(write(f"seed = 3\n{GOOD}"), environment={variable: value})
        assert said in str(caught.value)
