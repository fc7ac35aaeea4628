"""What SQLite and the disk can refuse, as errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from equipoise.core import JournalError

REMEDIES = {
    "SQLITE_FULL": "the disk is full, and this write was not stored: free some space and try again",
    "SQLITE_READONLY": "it or its folder cannot be written: change its permissions, or open it with read_only=True",
    "SQLITE_NOTADB": "it is not a SQLite database: name another path, or move the file away",
    "SQLITE_CORRUPT": "it is damaged: copy it away, then try 'sqlite3 FILE .recover' or go back to a backup",
    "SQLITE_BUSY": "another process keeps it locked: end that process's transaction and try again",
    "SQLITE_LOCKED": "another process keeps it locked: end that process's transaction and try again",
    "SQLITE_CANTOPEN": "it cannot be opened: check that the folder exists and that this user may read and write it",
    "SQLITE_IOERR": "the disk failed to read or write it, and this write was not stored: check the disk, try again",
    "SQLITE_PERM": "this user may not read and write it: change its permissions",
}


def translated(error: sqlite3.Error, path: str) -> JournalError:
    """The same fault as a JournalError: the journal's path, what SQLite said, what to do."""
    name = str(getattr(error, "sqlite_errorname", ""))
    remedy = next(
        (remedy for known, remedy in REMEDIES.items() if name.startswith(known)),
        "run 'equipoise doctor' to check it",
    )
    return JournalError(f"journal {path}: {error}: {remedy}")


@contextmanager
def speaking_of(path: str) -> Iterator[None]:
    """Turn whatever SQLite raises inside into a JournalError about the journal at `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path) from error
