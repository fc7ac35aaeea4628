"""The journal on SQLite."""

from __future__ import annotations

import math
import operator
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Decision, Feedback, InputError, JournalError, Logged, Receipt, UnknownDecisionError
from equipoise.journal import connection as connections
from equipoise.journal import statements as sql
from equipoise.journal import writes
from equipoise.journal.columns import Columns, columns_of
from equipoise.journal.commits import Commits
from equipoise.journal.connection import MEMORY
from equipoise.journal.health import problems
from equipoise.journal.join import Standing, Told
from equipoise.journal.lock import WriterLock
from equipoise.journal.reader import Reader
from equipoise.journal.rewards import RewardSpec
from equipoise.journal.rows import Row, decoded, decoded_logged, encoded

T = TypeVar("T")

PAGE = 256
"""Decisions read at a time."""

MANY = 10_000
"""Rows of two numbers read at a time."""

DUE_AT_ONCE = 500
"""Windows closed in one transaction, so that other writers need not wait long."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is. feedback: by status."""

    decisions: int
    open: int
    settled: int
    feedback: dict[str, int]


class SqliteJournal:
    """The append-only record, in one SQLite file (WAL). Safe to share between threads; one process writes.

    Every call returns once its commit is done: what was acknowledged survives a killed process, and with
    durability `full` a power cut. Callers at the same time share a commit.
    """

    def __init__(
        self, path: str, rewards: RewardSpec, reader: Reader, commits: Commits | None, lock: WriterLock | None
    ) -> None:
        """Use `open`."""
        self.path = path
        self.rewards = rewards
        self._reader = reader
        self._commits = commits
        self._lock = lock
        self._closed = False

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        rewards: RewardSpec | None = None,
        durability: str = "normal",
        read_only: bool = False,
    ) -> SqliteJournal:
        """Open a journal, or make one.

        path: a file, or `:memory:` for one that ends with the process. rewards: what feedback is worth; the
        default specification if None. durability: `normal` or `full`. read_only: only look, beside a writer
        or without one.
        Raises: JournalBusyError: another process writes to it. JournalError: it cannot be opened.
        """
        name, spec = str(path), RewardSpec.of({}) if rewards is None else rewards
        if name == MEMORY:
            commits = Commits(connections.writing(name, durability=durability), name)
            return cls(name, spec, Reader(commits.connection, name, commits.turn), commits, None)
        _check_place(Path(name))
        if read_only:
            return cls(name, spec, Reader(connections.reading(name), name), None, None)
        lock = WriterLock.acquire(Path(name))
        try:
            commits = Commits(connections.writing(name, durability=durability), name)
            return cls(name, spec, Reader(connections.reading(name), name), commits, lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._reader.close()
        if self._commits is not None:
            self._commits.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> SqliteJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decided(self, decision: Decision) -> Decision:
        """Store a decision; returns the stored one, which is the earlier one if the id is known.

        Raises: InputError, PropensityError: it cannot be stored; JournalError. Then nothing was stored.
        """
        return self.decided_many((decision,))[0]

    def decided_many(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Store decisions in one transaction, all or none, in their order; returns the stored ones."""
        ordered = tuple(decisions)
        rows = [encoded(decision) for decision in ordered]
        return self._write(lambda db: writes.add_decisions(db, ordered, rows, self.rewards))

    def fed_back(self, feedback: Feedback) -> Receipt:
        """Keep a feedback, and say whether it counts.

        Raises: InputError: an unknown kind, a slot that was not shown, a value or time that is no number;
            JournalError. Then nothing was stored.
        """
        checked = _checked(feedback, self.rewards)
        received_at = time.time()
        return self._write(lambda db: writes.add_feedback(db, checked, received_at, self.rewards))

    def closed(self, decision_id: str, *, now: float) -> int:
        """Settle now, with what has come so far; returns the position, the old one if it had settled.

        Raises: UnknownDecisionError, JournalError.
        """
        moment = _moment("now", now)
        return self._write(lambda db: writes.close(db, decision_id, moment, self.rewards))

    def settle_due(self, now: float) -> int:
        """Settle every open decision whose window closed by `now`, in the order of closing; returns how many."""
        moment, total = _moment("now", now), 0
        while True:
            count = self._write(lambda db: writes.close_due(db, moment, DUE_AT_ONCE, self.rewards))
            total += count
            if count < DUE_AT_ONCE:
                return total

    def settled(self, after: int = 0, now: float | None = None) -> Iterator[tuple[int, Logged]]:
        """Settled decisions at positions above `after`, in order; `now` first closes the windows due, at once.

        Decisions are read a page at a time, so others may write meanwhile; what settles while the last page
        is being read may or may not be part of it.
        """
        self._require_open()
        if now is not None and self._anything_due(_moment("now", now)):
            self.settle_due(now)
        return self._pages(after)

    def batches(self, after: int = 0, size: int = 1024) -> Iterator[Columns]:
        """The same as columns, about `size` decisions at a time: for a replay. A space change ends a batch early."""
        if size < 1:
            raise InputError(f"size is {size} but must be 1 or more: ask for about 1000 decisions at a time")
        self._require_open()
        return self._column_pages(after, size)

    def at_position(self, position: int) -> Logged:
        """The decision that settled at a position. Raises: InputError: none did."""
        found = decoded_logged(self._rows(sql.SETTLED_PAGE, position - 1, 1))
        if not found or found[0][0] != position:
            raise InputError(
                f"position {position} is not in journal {self.path}: its positions are 1 to {self.last_position}"
            )
        return found[0][1]

    def learned(self) -> NDArray[np.int64]:
        """(n,) by position: up to which position the policy had learned when the decision was made."""
        pages: list[Row] = []
        while rows := self._rows(sql.LEARNED_PAGE, len(pages), MANY):
            pages += rows
        return np.array([learned for _, learned in pages], dtype=np.int64)

    def decision(self, decision_id: str) -> Decision:
        """Raises: UnknownDecisionError."""
        found = decoded(self._rows(sql.ONE_DECISION, decision_id))
        if not found:
            raise UnknownDecisionError(
                f"decision {decision_id!r} is not in journal {self.path}: check the id, or which journal this is"
            )
        return found[0]

    def logged(self, decision_id: str) -> Logged | None:
        """A settled decision with its rewards; None while it is open. Raises: UnknownDecisionError."""
        found = decoded_logged(self._rows(sql.ONE_LOGGED, decision_id))
        if not found:
            self.decision(decision_id)
            return None
        return found[0][1]

    def position_of(self, decision_id: str) -> int | None:
        """The position at which a decision settled; None while it is open. Raises: UnknownDecisionError."""
        rows = self._rows(sql.STANDING, decision_id)
        if not rows:
            self.decision(decision_id)
            return None
        return Standing(*rows[0]).position

    def feedback_of(self, decision_id: str) -> tuple[Told, ...]:
        """Every feedback told of a decision, in order of arrival, with its status."""
        return tuple(writes.told(self._rows(sql.TOLD, decision_id)))

    def decisions_of(self, user_id: str, limit: int = 100) -> tuple[Decision, ...]:
        """A user's latest decisions, the newest first."""
        return tuple(decoded(self._rows(sql.DECISIONS_OF, user_id, limit)))

    def recent(self, limit: int = 20) -> tuple[Decision, ...]:
        """The latest decisions, the newest first."""
        return tuple(decoded(self._rows(sql.RECENT, limit)))

    def due(self, now: float, limit: int = 1000) -> tuple[str, ...]:
        """Ids of open decisions whose windows have closed by `now`, in the order in which they will settle."""
        return tuple(row[2] for row in self._rows(sql.DUE, _moment("now", now), limit))

    @property
    def last_position(self) -> int:
        """The position of the latest settlement; 0 before the first."""
        return int(self._rows(sql.LAST_POSITION)[0][0])

    def counts(self) -> Counts:
        """How much there is, at a cost that does not grow with it."""
        self._require_open()
        with self._reader.snapshot() as db:
            (decisions,) = db.execute(sql.LAST_SEQ).fetchone()
            (settled,) = db.execute(sql.LAST_POSITION).fetchone()
            tallies = db.execute(sql.TALLIES).fetchall()
        return Counts(
            decisions, decisions - settled, settled, {status: count for status, count in tallies if count}
        )

    def integrity(self) -> list[str]:
        """Everything that is wrong with the file, in sentences; empty if nothing is. Reads the whole journal."""
        self._require_open()
        with self._reader.snapshot() as db:
            return problems(db)

    def forget(self, user_id: str) -> int:
        """Erase who the user was and what they asked; returns how many decisions were made anonymous.

        What was shown and earned stays, so that replay still works; but a policy with offsets of its own for
        each user learns from them as from a stranger's, so what replay gives can differ from before.
        The erased text is overwritten in the file; in backups and in open readers' views it remains.
        """
        count = self._write(lambda db: writes.forget(db, user_id))
        if count and self._commits is not None:
            self._commits.checkpoint()
        return count

    def _pages(self, after: int) -> Iterator[tuple[int, Logged]]:
        while rows := self._rows(sql.SETTLED_PAGE, after, PAGE):
            yield from decoded_logged(rows)
            after = rows[-1][0]
            if len(rows) < PAGE:
                return

    def _column_pages(self, after: int, size: int) -> Iterator[Columns]:
        while rows := self._rows(sql.COLUMNS_PAGE, after, size):
            yield from columns_of(rows)
            after = rows[-1][0]
            if len(rows) < size:
                return

    def _anything_due(self, now: float) -> bool:
        """So that asking costs no write, and a read-only journal can be asked too."""
        return bool(self._rows(sql.DUE, now, 1))

    def _rows(self, statement: str, *parameters: str | int | float) -> list[Row]:
        self._require_open()
        return self._reader.rows(statement, parameters)

    def _write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        self._require_open()
        if self._commits is None:
            raise JournalError(
                f"journal {self.path} is open read-only: open it without read_only=True to write"
            )
        if self._lock is not None:
            self._lock.check()
        return self._commits.run(job)

    def _require_open(self) -> None:
        if self._closed:
            raise JournalError(f"journal {self.path} is closed: open it again")


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise JournalError(
            f"journal {path}: the folder {path.parent} is not there: make it, or name another path"
        )
    if path.is_dir():
        raise JournalError(f"journal {path} is a folder but must be a file: name a file in it")


def _checked(feedback: Feedback, spec: RewardSpec) -> Feedback:
    """The same feedback with its numbers as plain numbers. Raises: InputError."""
    try:
        slot = operator.index(feedback.slot)
    except TypeError:
        slot = -1
    if slot < 0:
        raise InputError(
            f"slot is {feedback.slot!r} but must be a whole number from 0, the top: name the slot"
        )
    for name in ("decision_id", "feedback_id"):
        value = getattr(feedback, name)
        if not (isinstance(value, str) and value) and not (name == "feedback_id" and value is None):
            raise InputError(f"{name} is {value!r} but must be a text that is not empty: give one")
    value = spec.value(feedback.kind, feedback.value)
    return replace(feedback, slot=slot, value=value, at=_moment("at", feedback.at))


def _moment(name: str, at: float) -> float:
    if not isinstance(at, (int, float)) or not math.isfinite(at):
        raise InputError(f"{name} is {at!r} but must be a finite number of seconds since 1970: give one")
    return float(at)
