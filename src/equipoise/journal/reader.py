"""Reading while others write: short statements on a connection of their own, each seeing whole commits."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from equipoise.journal.faults import speaking_of


class Reader:
    """A connection to read from. lock: what guards it; a journal in memory shares the writer's."""

    def __init__(self, connection: sqlite3.Connection, path: str, lock: threading.Lock | None = None) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.Lock() if lock is None else lock

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement. Raises: JournalError."""
        with self._lock, speaking_of(self._path):
            return self._connection.execute(statement, parameters).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Several statements that see one state. Raises: JournalError."""
        with self._lock, speaking_of(self._path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
