"""Every version of every item, append-only, so that an old decision can be explained with the items as they were."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from equipoise.catalog.items import Item, from_json, same, to_json
from equipoise.catalog.snapshot import Snapshot
from equipoise.core import CatalogError, Floats

SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (version INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS items (
    item_id TEXT NOT NULL, version INTEGER NOT NULL, record TEXT, PRIMARY KEY (item_id, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (place INTEGER PRIMARY KEY, item_id TEXT NOT NULL UNIQUE, first_seen REAL NOT NULL);
"""
"""items.record is NULL where the item was removed; places keeps the order of rows, and when each item first came."""

OURS = {"versions", "items", "places"}

PLACE = """
INSERT INTO places (item_id, first_seen) VALUES (?, ?)
ON CONFLICT (item_id) DO UPDATE SET place = (SELECT MAX(place) + 1 FROM places)
"""
"""A new item comes last; one that comes back does too, but keeps the time when it first came."""

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What an upsert, removal or replacement did, as item_ids. A version is only used up when something changed."""

    version: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class CatalogStore:
    """The catalogue's history in one SQLite file, and its newest snapshot in memory.

    Readers take `snapshot` and keep it; writers take turns. A killed process leaves the old version or the new one.
    One process writes: the engine opens a store only while it holds the journal's lock. A version that another
    process wrote meanwhile is noticed, and nothing is overwritten.
    """

    def __init__(self, connection: sqlite3.Connection, where: str) -> None:
        """Use `open`."""
        self._db = connection
        self._where = where
        self._lock = threading.RLock()
        self._reader = _reader(connection, where)
        self._reading = self._lock if self._reader is connection else threading.RLock()
        self._first_seen: dict[str, float] = dict(
            connection.execute("SELECT item_id, first_seen FROM places").fetchall()
        )
        self.snapshot = self._load()

    @classmethod
    def open(cls, path: Path | None) -> CatalogStore:
        """The store at `path`, made if it is not there; None keeps it in memory.

        Raises: CatalogError: the file cannot be opened, or is no catalogue store.
        """
        where = ":memory:" if path is None else str(path)
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            return cls(_connected(where), where)
        except (sqlite3.Error, OSError) as error:
            raise CatalogError(
                f"the catalogue store '{where}' cannot be opened ({error}): check the folder's permissions and space; "
                f"if the file is damaged, move it away and import the catalogue again"
            ) from error

    def upsert(self, items: Iterable[Item], *, now: float | None = None) -> Change:
        """Add items, or replace those of the same item_id (of several with one id, the last)."""
        return self._write(tuple(items), remove=(), now=now)

    def remove(self, item_ids: Iterable[str], *, now: float | None = None) -> Change:
        """Take items out; unknown ids are ignored."""
        return self._write((), remove=tuple(item_ids), now=now)

    def replace(self, items: Iterable[Item], *, now: float | None = None) -> Change:
        """Make the catalogue these items and no others."""
        given = tuple(items)
        with self._lock:
            keep = {item.item_id for item in given}
            gone = tuple(item_id for item_id in self.snapshot.item_ids if item_id not in keep)
            return self._write(given, remove=gone, now=now)

    def items_at(self, version: int, item_ids: Sequence[str]) -> dict[str, Item]:
        """What the items were at a version; those that were not there then are left out."""
        snapshot = self.snapshot
        if version == snapshot.version:
            return {item_id: snapshot.item(item_id) for item_id in item_ids if item_id in snapshot}
        found: dict[str, Item] = {}
        with self._reading:
            for start in range(0, len(item_ids), AT_ONCE):
                part = tuple(dict.fromkeys(item_ids[start : start + AT_ONCE]))
                for item_id, record in self._reader.execute(_at_version(len(part)), (*part, version)):
                    if record is not None:
                        found[item_id] = from_json(record)
        return found

    def first_seen(self, item_ids: Sequence[str]) -> Floats:
        """(k,) when each item first entered the catalogue, in seconds; NaN for one that never did."""
        return np.array([self._first_seen.get(item_id, np.nan) for item_id in item_ids], dtype=np.float64)

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        with self._lock, self._reading:
            self._reader.close()
            self._db.close()

    def _write(self, items: tuple[Item, ...], *, remove: tuple[str, ...], now: float | None) -> Change:
        with self._lock:
            by_id = {item.item_id: item for item in items}
            change = self._compared(by_id, remove)
            if change.version == self.snapshot.version:
                return change
            at = time.time() if now is None else now
            try:
                self._store(change, by_id, at)
            except sqlite3.Error as error:
                raise CatalogError(
                    f"the catalogue store '{self._where}' cannot be written ({error}): check space and permissions; "
                    f"version {self.snapshot.version} is still served"
                ) from error
            self._first_seen.update(
                (item_id, at) for item_id in change.added if item_id not in self._first_seen
            )
            self.snapshot = self._next(change, by_id)
            return change

    def _compared(self, by_id: dict[str, Item], remove: tuple[str, ...]) -> Change:
        old = self.snapshot
        added = tuple(item_id for item_id in by_id if item_id not in old)
        known = [item_id for item_id in by_id if item_id in old]
        changed = tuple(item_id for item_id in known if not same(by_id[item_id], old.item(item_id)))
        different = set(changed)
        unchanged = tuple(item_id for item_id in known if item_id not in different)
        removed = tuple(item_id for item_id in dict.fromkeys(remove) if item_id in old)
        version = old.version + 1 if added or changed or removed else old.version
        return Change(version, added, changed, unchanged, removed)

    def _store(self, change: Change, by_id: dict[str, Item], at: float) -> None:
        fresh = [*change.added, *change.changed]
        rows = [(item_id, change.version, to_json(by_id[item_id])) for item_id in fresh]
        gone = [(item_id, change.version) for item_id in change.removed]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._require_latest()
            self._db.execute("INSERT INTO versions VALUES (?, ?)", (change.version, at))
            self._db.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
            self._db.executemany("INSERT INTO items VALUES (?, ?, NULL)", gone)
            self._db.executemany(PLACE, [(item_id, at) for item_id in change.added])
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _require_latest(self) -> None:
        written = _version(self._db)
        if written != self.snapshot.version:
            raise CatalogError(
                f"the catalogue store '{self._where}' is at version {written}, written by another process, but "
                f"version {self.snapshot.version} is served here: let one process write, and open the store again"
            )

    def _next(self, change: Change, by_id: dict[str, Item]) -> Snapshot:
        gone = set(change.removed)
        kept = tuple(by_id.get(item.item_id, item) for item in self.snapshot if item.item_id not in gone)
        return Snapshot(change.version, kept + tuple(by_id[item_id] for item_id in change.added))

    def _load(self) -> Snapshot:
        version = _version(self._db)
        newest = self._db.execute(
            "SELECT items.record, MAX(items.version) FROM items JOIN places USING (item_id) "
            "GROUP BY items.item_id ORDER BY places.place"
        )
        return Snapshot(version, tuple(from_json(record) for record, _ in newest if record is not None))


def _at_version(count: int) -> str:
    """The newest record of each of `count` items at or before a version (SQLite: MAX picks the row of the others)."""
    marks = ",".join("?" * count)
    return (
        f"SELECT item_id, record FROM (SELECT item_id, record, MAX(version) FROM items "
        f"WHERE item_id IN ({marks}) AND version <= ? GROUP BY item_id)"
    )


def _connected(where: str) -> sqlite3.Connection:
    """A connection for writing, with the tables in place. Raises: sqlite3.Error; CatalogError: not a store of ours."""
    db = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if names and names != OURS:
            raise CatalogError(
                f"'{where}' is an SQLite file with the tables {', '.join(sorted(names))}, not a catalogue store: "
                f"choose another path"
            )
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _reader(connection: sqlite3.Connection, where: str) -> sqlite3.Connection:
    """A second, read-only connection, so that a long write holds up no reader; the same one in memory."""
    if where == ":memory:":
        return connection
    uri = f"{Path(where).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT COALESCE(MAX(version), 0) FROM versions").fetchone()[0])
