"""Opening SQLite: one connection that writes, one that only reads, and the schema between them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from equipoise.core import ConfigurationError, JournalError
from equipoise.journal.faults import REMEDIES, speaking_of, translated
from equipoise.journal.tables import SCHEMA_VERSION, creation, events, made, trials

MEMORY = ":memory:"
DURABILITY = {"normal": "NORMAL", "full": "FULL"}
BUSY_MS = 5_000
CHECKPOINT_PAGES = 4_000
"""16 MiB of log before it goes into the file: SQLite's own 4 MiB would fsync four times as often."""

MIGRATIONS: tuple[Sequence[str], ...] = (made(events, trials),)
"""MIGRATIONS[v - 1] are the statements that bring a journal from schema version v to v + 1."""


def writing(path: str, *, durability: str) -> sqlite3.Connection:
    """The connection that writes, to a journal that is made if it is not there.

    durability: `normal` keeps every acknowledged write when the process is killed; `full` also when the
        power fails, for an fsync a commit.
    Raises: JournalError, ConfigurationError.
    """
    if durability not in DURABILITY:
        raise ConfigurationError(
            f"durability is {durability!r} but must be one of {', '.join(DURABILITY)}: write one"
        )
    with speaking_of(path):
        target = path if path == MEMORY else _uri(path, "rwc")
        connection = sqlite3.connect(
            target, uri=path != MEMORY, isolation_level=None, check_same_thread=False
        )
    try:
        with speaking_of(path):
            _prepare(connection, path, durability)
            migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def reading(path: str) -> sqlite3.Connection:
    """A connection that cannot write, to a journal that is there. Raises: JournalError."""
    if not Path(path).is_file():
        raise JournalError(
            f"journal {path} is not there, and reading makes none: check the path, or open it to write"
        )
    try:
        return _readable(path, _uri(path, "ro"))
    except sqlite3.OperationalError as error:
        if Path(path + "-wal").exists():
            raise translated(error, path) from error
    # In a folder that cannot be written, SQLite needs to be told that nobody else writes there either.
    with speaking_of(path):
        return _readable(path, _uri(path, "ro") + "&immutable=1")


def version(connection: sqlite3.Connection, path: str) -> int:
    """The schema version of a database; 0 if it is empty. Raises: JournalError: it is no journal, or a newer one."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not names:
        return 0
    if not {"meta", "decisions", "settlements"} <= names:
        raise JournalError(
            f"journal {path} is a SQLite database of something else (tables {', '.join(sorted(names)[:5])}): "
            "name another path"
        )
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    found = int(row[0]) if row is not None and str(row[0]).isdigit() else 0
    if not 1 <= found <= SCHEMA_VERSION:
        raise JournalError(
            f"journal {path} has schema version {row and row[0]} but this Equipoise knows 1 to {SCHEMA_VERSION}: "
            "upgrade Equipoise, or name another path"
        )
    return found


def migrate(
    connection: sqlite3.Connection, path: str, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring a journal to the current schema, in one transaction, or leave it as it was."""
    found = version(connection, path)
    steps = [creation()] if found == 0 else list(migrations[found - 1 :])
    if not steps:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in (statement for step in steps for statement in step):
            connection.execute(statement)
        if found:
            newest = str(found + len(steps))
            connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (newest,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, path: str, durability: str) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA secure_delete = ON")  # what `forget` erases is overwritten
    if path == MEMORY:
        return
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError(
            f"journal {path} is in journal mode {mode!r} and cannot change to 'wal': put it on a local disk"
        )
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").fetchall()
    connection.execute(f"PRAGMA synchronous = {DURABILITY[durability]}")
    if not os.access(path, os.W_OK):  # SQLite itself would say so only at the first write
        raise JournalError(f"journal {path}: {REMEDIES['SQLITE_READONLY']}")


def _readable(path: str, uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if version(connection, path) < SCHEMA_VERSION:
            raise JournalError(
                f"journal {path} has an older schema, or none: open it once without read_only=True"
            )
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise translated(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _uri(path: str, mode: str) -> str:
    return f"{Path(path).absolute().as_uri()}?mode={mode}"
