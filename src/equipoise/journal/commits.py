"""Group commit: callers that come while a commit runs share the next one; a lone caller commits at once.

Every caller queues its job and waits for its turn; whoever gets the turn does all the jobs queued by then in
one transaction, so that the others find theirs done. No thread of its own, no hand-off for a lone caller.
Reference: DeWitt et al. 1984, section 4 (group commit); the leader is here whoever comes first.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from equipoise.core import InputError, JournalError
from equipoise.journal.faults import speaking_of, translated

T = TypeVar("T")

UNSTORABLE = (UnicodeError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""What the driver raises for a value that a column cannot hold."""


class Entry(Generic[T]):
    """A job in the queue, later its result or its error."""

    __slots__ = ("error", "job", "result")

    def __init__(self, job: Callable[[sqlite3.Connection], T]) -> None:
        self.job = job
        self.result: T
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.error is not None or hasattr(self, "result")


class Commits:
    """The transactions of the one writing connection. Safe to share between threads."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.connection = connection
        self.turn = threading.Lock()
        self._path = path
        self._queue: deque[Entry[object]] = deque()

    def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Do a job in a transaction and return its result once that is committed.

        A job that raises leaves nothing behind, and never spoils another's. It may run twice (what the first
        run wrote is rolled back), so it must change nothing but the database.
        Raises: whatever the job raises; JournalError: what SQLite raises; InputError: an unstorable value.
        """
        entry = Entry(job)
        self._queue.append(entry)  # type: ignore[arg-type]
        with self.turn:
            if not entry.done:
                self._commit([self._queue.popleft() for _ in range(len(self._queue))])
        if entry.error is not None:
            raise entry.error
        return entry.result

    def checkpoint(self) -> None:
        """Bring everything from the write-ahead log into the file, and empty the log. Raises: JournalError."""
        with self.turn, speaking_of(self._path):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self.turn:
            self.connection.close()

    def _commit(self, entries: Sequence[Entry[object]]) -> None:
        """Do all in one transaction; if any fails, each in its own."""
        try:
            results = self._transaction(entries)
        except Exception as error:
            if len(entries) == 1:
                entries[0].error = self._explained(error)
            else:
                for entry in entries:
                    self._commit([entry])
        except BaseException:
            for entry in entries:
                entry.error = JournalError(f"journal {self._path}: interrupted before the commit: try again")
            raise
        else:
            for entry, result in zip(entries, results, strict=True):
                entry.result = result

    def _transaction(self, entries: Sequence[Entry[object]]) -> list[object]:
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [entry.job(connection) for entry in entries]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, UNSTORABLE) and not isinstance(error, InputError) and "closed" not in str(error):
            return InputError(
                f"journal {self._path} cannot store a value: {error}: use valid text and 64-bit integers"
            )
        return translated(error, self._path) if isinstance(error, sqlite3.Error) else error
