"""Files, disks and processes in the way: a clear error, nothing acknowledged lost, and the engine goes on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from equipoise.catalog import Item
from equipoise.core import CatalogError, ConfigurationError, JournalBusyError, JournalError, Request
from equipoise.engine import Engine, settings_from
from equipoise.learning import Checkpoints

from .shop import START, opened, visit

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("utf16.csv", "item_id,title\na,b\n".encode("utf-16"), "UTF-8"),
        ("binary.csv", bytes(range(256)) * 10, "row|UTF-8"),
        ("latin.csv", b"item_id,title\na,caf\xe9\nb,th\xe9\n", "UTF-8"),
        ("empty.csv", b"", "empty"),
        ("header.csv", b"item_id,title\n", "row|empty"),
        ("twice.csv", b"item_id,title,title\na,x,y\n", "twice"),
        ("other.xyz", b"a", "xyz"),
        ("half.parquet", b"PAR1nope", "Parquet"),
        ("array.jsonl", b"[1]\n", "row|object|empty"),
    ],
)
def test_a_catalogue_that_cannot_be_read_at_all(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((CatalogError, ConfigurationError), match=told):
        Engine.create(catalog=tmp_path / name, encoder="hashing")


@pytest.mark.parametrize(
    ("name", "content", "kept", "reason"),
    [
        ("latin.csv", b"item_id,title\na,caf\xe9\nb,tea\n", {"b"}, "UTF-8"),
        ("same.csv", b"item_id,title\na,tea\nb,milk\na,beer\n", {"a", "b"}, "item_id"),
        (
            "nan.csv",
            b"item_id,title,price\na,tea,1\nb,milk,2\nc,beer,nan\nd,wine,cheap\ne,ale,3\n",
            {"a", "b", "e"},
            "price",
        ),
        ("broken.jsonl", b'{"item_id": "a", "title": "tea"}\n{oops\n', {"a"}, "JSON"),
        ("fields.csv", b"item_id,title\na,tea\nb,milk,beer\n", {"a"}, "fields"),
    ],
)
def test_bad_rows_are_set_aside_and_counted(
    tmp_path: Path, name: str, content: bytes, kept: set[str], reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with Engine.create(catalog=tmp_path / name, journal=tmp_path / "j.db", encoder="hashing") as engine:
        assert set(engine.item_ids) == kept
        rejects = (tmp_path / "j.rejects.jsonl").read_text().splitlines()
        assert engine.status()["bad_rows"] == len(rejects) > 0
        assert all('"line"' in line and reason in line for line in rejects)
        engine.recommend(Request(text="tea"), slots=1)


def test_a_text_of_a_megabyte_is_set_aside_and_an_empty_one_is_an_item(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(f"item_id,title\na,\nb,{'word ' * 200_000}\nc,tea\n")
    with Engine.create(catalog=tmp_path / "c.csv", encoder="hashing") as engine:
        assert (engine.item_ids, engine.status()["bad_rows"]) == (("a", "c"), 1)
        decision = engine.recommend(Request(text="tea"), slots=2)
        assert engine.why(decision.decision_id).reproduced


@pytest.mark.parametrize("spoilt", [b"item_id,title\n", b"item_id,title\na,caf\xe9\n", b""])
def test_a_source_that_was_spoilt_takes_no_item_away(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "c.csv").write_bytes(b"item_id,title\na,tea\nb,milk\n")
    table = {
        "catalog": {"path": str(tmp_path / "c.csv"), "item_id": "item_id", "text": ["title"]},
        "journal": {"path": str(tmp_path / "j.db")},
        "encoder": {"name": "hashing"},
    }
    with Engine.of(settings_from(table)) as engine:
        engine.put([Item("c", text="beer")])
    (tmp_path / "c.csv").write_bytes(spoilt)
    with pytest.raises(CatalogError, match=r"row|empty"):
        Engine.of(settings_from(table))
    (tmp_path / "c.csv").write_bytes(b"item_id,title\na,tea\nb,milk\n")
    with Engine.of(settings_from(table)) as engine:
        assert engine.item_ids == ("a", "b", "c")
        assert engine.status()["catalog_version"] == 2
        with pytest.raises(CatalogError, match=r"row|empty"):
            engine.import_file(_spoilt(tmp_path, spoilt), replace=True)
        assert engine.item_ids == ("a", "b", "c")


def _spoilt(folder: Path, content: bytes) -> Path:
    path = folder / "new.csv"
    path.write_bytes(content)
    return path


def test_a_second_process_is_told_who_writes(tmp_path: Path) -> None:
    code = (
        "from equipoise.core import JournalBusyError\nfrom equipoise.engine import Engine\n"
        "try:\n    Engine.create(catalog=['a'], journal='j.db', encoder='hashing')\n"
        "except JournalBusyError as error:\n    print(error)\n"
    )
    with opened(tmp_path / "j.db") as engine:
        visit(engine, 0)
        other = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            check=True,
        )
        assert f"process {os.getpid()}" in other.stdout
        assert engine.item_ids[:2] == ("i0", "i1")  # the other one changed no catalogue before it was refused
        with pytest.raises(JournalBusyError):
            opened(tmp_path / "j.db")
        visit(engine, 1)
        assert engine.replay().identical


def test_a_full_disk_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        visit(engine, 0)
        connection = engine.parts.journal._commits.connection  # type: ignore[union-attr]
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        made = []
        with pytest.raises(JournalError, match="disk is full"):
            for number in range(1, 100):
                request = Request(text="wet " * 500)
                made.append(engine.recommend(request, slots=3, decision_id=f"d{number}", at=START + number))
        connection.execute("PRAGMA max_page_count = 1000000")
        assert [engine.parts.journal.decision(one.decision_id).slots for one in made] == [
            one.slots for one in made
        ]
        assert engine.status()["decisions"] == 1 + len(made)
        visit(engine, 200)
        assert engine.replay().identical
        assert engine.parts.journal.integrity() == []


def test_a_checkpoint_that_cannot_be_written_fails_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Checkpoints, state: object, *, position: int) -> None:
        raise OSError(28, "No space left on device")

    journal = {"path": str(tmp_path / "j.db"), "checkpoint_every": 1}
    with opened(tmp_path / "j.db", journal=journal) as engine:
        monkeypatch.setattr(Checkpoints, "save", full)
        visit(engine, 0)
        (trouble,) = engine.status()["trouble"]
        assert "No space left on device" in trouble and "make room" in trouble
        monkeypatch.undo()
        visit(engine, 1)
        assert engine.status()["trouble"] == []
        monkeypatch.setattr(Checkpoints, "save", full)
        visit(engine, 2)
    with opened(tmp_path / "j.db", journal=journal) as engine:
        assert engine.status()["learned"] == 3
        assert engine.replay().identical


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("j.state", CatalogError),
        ("j.state/catalog.db", CatalogError),
        ("j.state/pairings", ConfigurationError),
    ],
)
def test_a_state_folder_that_cannot_be_written(tmp_path: Path, place: str, error: type[Exception]) -> None:
    """A file stands where a folder should be, or a folder where a file; and the journal is free again afterwards."""
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if place.endswith(".db") else path.write_text("in the way")
    with pytest.raises(error, match=Path(place).name):
        opened(tmp_path / "j.db")
    path.rmdir() if path.is_dir() else path.unlink()
    with opened(tmp_path / "j.db") as engine:
        visit(engine, 0)


def test_vectors_that_cannot_be_kept_are_encoded_again_and_named(tmp_path: Path) -> None:
    (tmp_path / "j.state").mkdir()
    (tmp_path / "j.state" / "vectors").write_text("in the way")
    with opened(tmp_path / "j.db") as engine:
        assert engine.why(visit(engine, 0).decision_id).reproduced
        assert any("vectors" in told for told in engine.status()["trouble"])


def test_a_failed_change_of_the_catalogue_leaves_the_old_one(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        other = sqlite3.connect(tmp_path / "j.state" / "catalog.db")
        other.execute("BEGIN IMMEDIATE")
        engine.parts.store._db.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(CatalogError, match="version 1 is still served"):
            engine.put([Item("fresh", text="wet shoes")])
        other.rollback()
        other.close()
        assert "fresh" not in engine.item_ids
        assert engine.why(visit(engine, 0).decision_id).reproduced
        engine.put([Item("fresh", text="wet shoes")])
        assert "fresh" in engine.item_ids


@pytest.mark.parametrize(
    "call",
    [
        lambda engine: engine.recommend(Request(), slots=1),
        lambda engine: engine.feedback("d0", slot=0, kind="click"),
        lambda engine: engine.settle("d0"),
        lambda engine: engine.why("d0"),
        lambda engine: engine.replay(),
        lambda engine: engine.learn(),
        lambda engine: engine.status(),
        lambda engine: engine.forget("u1"),
        lambda engine: engine.put([Item("fresh")]),
        lambda engine: engine.remove(["i1"]),
    ],
)
def test_a_closed_engine_says_so(tmp_path: Path, call: Any) -> None:
    engine = opened(tmp_path / "j.db")
    visit(engine, 0)
    engine.close()
    engine.close()
    with pytest.raises((JournalError, CatalogError), match="closed"):
        call(engine)


@pytest.mark.parametrize("kind", ["pairings", "checkpoints", "vectors", "source.json", "catalog.db"])
def test_a_state_that_was_deleted_comes_back_from_the_source_and_the_journal(
    tmp_path: Path, kind: str
) -> None:
    with opened(tmp_path / "j.db") as engine:
        for number in range(4):
            visit(engine, number)
    path = tmp_path / "j.state" / kind
    for file in path.iterdir() if path.is_dir() else [path]:
        file.unlink()
    with opened(tmp_path / "j.db") as engine:
        assert engine.status()["learned"] == 4
        assert engine.replay().identical
        assert engine.why("d3").reproduced
