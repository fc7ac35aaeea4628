"""Law 2: another encoder or pairing is another space; the policy is rebuilt in it by intent, and goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from equipoise.core import FeatureSpaceError
from equipoise.engine import Engine, settings_from

from .shop import START, items, opened, visit

OLD: dict[str, Any] = {"pairing": {"item": 10, "product": 14}}
NEW: list[dict[str, Any]] = [
    {"pairing": {"item": 12, "product": 14}},
    {"pairing": {"item": 14, "product": 10}},  # the same d as before, and the same width of the projection
    {"encoder": {"name": "numeric", "columns": ["price"]}, **OLD},
]


def anew(path: Path, *, rebuild: bool, **tables: Any) -> Engine:
    table = {
        "journal": {"path": str(path), "window_seconds": 100.0},
        "encoder": {"name": "hashing"},
        **tables,
    }
    return Engine.of(settings_from(table), items=items(), rebuild=rebuild)


@pytest.mark.parametrize("new", NEW, ids=str)
def test_refused_first_then_rebuilt_then_it_goes_on(new: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with anew(path, rebuild=False, **OLD) as engine:
        for number in range(9):
            visit(engine, number)
        old = engine.parts.current_versions
    with pytest.raises(FeatureSpaceError, match="equipoise replay --rebuild"):
        anew(path, rebuild=False, **new)
    with anew(path, rebuild=True, **new) as engine:
        assert engine.parts.current_versions.pairing != old.pairing
        replayed = engine.replay(keep=True)
        assert (replayed.identical, replayed.decisions) == (True, 9)
        why = engine.why("d3")
        assert not why.reproduced
        assert "it was made with the" in why.differences[0]
    with anew(path, rebuild=False, **new) as engine:
        assert engine.status()["learned"] == 9
        later = visit(engine, 20)
        assert engine.status()["learned"] == 10
        assert engine.why(later.decision_id).reproduced
        assert engine.replay().identical
    shutil.rmtree(tmp_path / "j.state" / "checkpoints")
    with anew(path, rebuild=False, **new) as engine:
        assert engine.replay().identical
        assert engine.why(later.decision_id).reproduced


def test_back_in_the_old_space_old_decisions_are_explained_again(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with anew(path, rebuild=False, **OLD) as engine:
        visit(engine, 0)
    anew(path, rebuild=True, **NEW[0]).close()
    with anew(path, rebuild=False, **OLD) as engine:
        assert engine.why("d0").reproduced
        assert engine.replay().identical


def test_an_unsettled_journal_has_nothing_to_rebuild(tmp_path: Path) -> None:
    anew(tmp_path / "j.db", rebuild=False, **OLD).close()
    with anew(tmp_path / "j.db", rebuild=False, **NEW[0]) as engine:
        visit(engine, 0)
        assert engine.why("d0").reproduced


def test_other_settings_of_the_policy_need_no_rebuild(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        for number in range(6):
            visit(engine, number)
    with opened(tmp_path / "j.db", policy={"name": "squarecb", "posterior": "linear"}) as engine:
        assert engine.status()["learned"] == 6
        assert engine.replay().identical


def test_a_lost_state_folder_costs_explanations_but_no_learning(tmp_path: Path) -> None:
    """Half of the items have left too, so that their texts at the time are nowhere any more."""
    with opened(tmp_path / "j.db") as engine:
        for number in range(9):
            visit(engine, number)
    shutil.rmtree(tmp_path / "j.state")
    with opened(tmp_path / "j.db", n=20) as engine:
        assert engine.status()["learned"] == 9
        assert engine.replay().identical
        assert engine.why("d0").decision_id == "d0"
        assert engine.why(visit(engine, 20).decision_id).reproduced


def test_a_pairing_that_cannot_be_read_is_named_with_its_remedy(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        visit(engine, 0)
    (file,) = (tmp_path / "j.state" / "pairings").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    with pytest.raises(FeatureSpaceError, match="cannot be read"):
        opened(tmp_path / "j.db")
    file.write_bytes(whole)
    with opened(tmp_path / "j.db") as engine:
        assert engine.why("d0").reproduced
        engine.recommend(engine.parts.journal.decision("d0").request, slots=1, at=START + 50.0)
