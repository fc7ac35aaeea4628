"""The sums of a gate on disk: a start goes on from them, and the journal alone gives the same, bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from equipoise.engine import Engine
from equipoise.journal import SqliteJournal

from .arms import QUICK, challenge, kinds, play, serving, visit

SLOW = {**QUICK, "level": 1.0 - 1e-12}
"""A gate that looks often, and stays in the shadow all the same."""


def standing(engine: Engine) -> dict[str, np.ndarray]:
    running = engine._keeper.running
    assert running is not None
    return running.stage.state()


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def lived(path: Path, visits: int = 45) -> dict[str, np.ndarray]:
    with serving(path, promotion=SLOW) as engine:
        challenge(engine)
        for number in range(visits):
            visit(engine, number)
        return standing(engine)


def folder_of(path: Path) -> Path:
    (found,) = path.parent.rglob("promotion")
    return found


def test_a_start_reads_only_what_has_come_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stood = lived(tmp_path / "j.db")
    asked: list[int] = []
    outcomes = SqliteJournal.outcomes

    def counted(journal: SqliteJournal, stage: int, after: int = 0) -> object:
        asked.append(after)
        return outcomes(journal, stage, after)

    monkeypatch.setattr(SqliteJournal, "outcomes", counted)
    with serving(tmp_path / "j.db", promotion=SLOW) as again:
        assert same(standing(again), stood)
        visit(again, 45)
        assert asked and set(asked) == {45}
        assert again.status()["promotion"]["now"]["n"] == 46


def test_without_them_the_journal_gives_the_same_sums(tmp_path: Path) -> None:
    stood = lived(tmp_path / "j.db")
    shutil.rmtree(folder_of(tmp_path / "j.db"))
    with serving(tmp_path / "j.db", promotion=SLOW) as again:
        assert same(standing(again), stood)
        visit(again, 45)
        anew = standing(again)
        assert again.replay().identical
    (tmp_path / "b").mkdir()
    assert same(lived(tmp_path / "b" / "j.db", 46), anew)


@pytest.mark.parametrize("damage", ["cut", "emptied"])
def test_a_damaged_file_costs_time_only(tmp_path: Path, damage: str) -> None:
    lived(tmp_path / "j.db")
    for file in folder_of(tmp_path / "j.db").glob("*.npz"):
        file.write_bytes(file.read_bytes()[:-20] if damage == "cut" else b"")
    with serving(tmp_path / "j.db", promotion=SLOW) as again:
        visit(again, 45)
        assert again.status()["promotion"]["now"]["n"] == 46
        assert again.replay().identical


def test_sums_of_another_past_are_not_believed(tmp_path: Path) -> None:
    """A backup of the journal has fewer decisions than the sums: those are dropped, not waited for."""
    path = tmp_path / "j.db"
    lived(path, 20)
    backup = {file: file.read_bytes() for file in tmp_path.glob("j.db*") if file.is_file()}
    with serving(path, promotion=SLOW) as engine:
        for number in range(20, 45):
            visit(engine, number)
    for file in tmp_path.glob("j.db*"):
        if file.is_file():
            file.unlink()
    for file, body in backup.items():
        file.write_bytes(body)
    with serving(path, promotion=SLOW) as again:
        for number in range(20, 50):
            visit(again, number, pays="i0")
        assert again.status()["promotion"]["now"]["n"] == 50
        assert again.replay().identical


def test_replay_sees_sums_that_are_not_the_journals(tmp_path: Path) -> None:
    with serving(tmp_path / "j.db", promotion=SLOW) as engine:
        challenge(engine)
        for number in range(30):
            visit(engine, number)
        assert engine.replay().identical
        running = engine._keeper.running
        assert running is not None
        running.stage.n += 1
        assert not engine.replay().identical


def test_a_stage_that_ends_leaves_no_sums_behind(tmp_path: Path) -> None:
    with serving(tmp_path / "j.db") as engine:
        challenge(engine)
        for number in range(10):
            visit(engine, number)
    shadow = {file.name for file in folder_of(tmp_path / "j.db").glob("*.npz")}
    assert len(shadow) == 1
    with serving(tmp_path / "j.db") as engine:
        done = play(engine, 10)
        assert kinds(engine)[-1] == "advanced"
        visit(engine, done)
    left = {file.name for file in folder_of(tmp_path / "j.db").glob("*.npz")}
    assert len(left) == 1 and not left & shadow
