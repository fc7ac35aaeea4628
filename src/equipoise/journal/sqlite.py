"""The journal on SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Decision, Feedback, InputError, JournalError, Logged, Receipt, UnknownDecisionError
from equipoise.journal import connection as connections
from equipoise.journal import events, writes
from equipoise.journal import statements as sql
from equipoise.journal.arguments import check_place, checked, moment
from equipoise.journal.columns import Columns, columns_of
from equipoise.journal.commits import Commits
from equipoise.journal.connection import MEMORY
from equipoise.journal.events import Event, Outcome, Trial
from equipoise.journal.health import problems
from equipoise.journal.join import Standing, Told
from equipoise.journal.lock import WriterLock
from equipoise.journal.reader import Reader
from equipoise.journal.rewards import RewardSpec
from equipoise.journal.rows import Row, decoded, decoded_logged, encoded

T = TypeVar("T")

PAGE = 256
"""Decisions read at a time."""

FEW = 4
"""Trials read at first."""

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
        check_place(Path(name))
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

    def decided(self, decision: Decision, *, trial: Trial | None = None) -> Decision:
        """Store a decision; returns the stored one, which is the earlier one if the id is known.

        trial: its part in a promotion, stored with it if it is new.
        Raises: InputError, PropensityError: it cannot be stored; JournalError. Then nothing was stored.
        """
        row = encoded(decision)
        return self._write(lambda db: writes.add_decisions(db, (decision,), (row,), self.rewards, trial))[0]

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
        sound = checked(feedback, self.rewards)
        received_at = time.time()
        return self._write(lambda db: writes.add_feedback(db, sound, received_at, self.rewards))

    def closed(self, decision_id: str, *, now: float) -> int:
        """Settle now, with what has come so far; returns the position, the old one if it had settled.

        Raises: UnknownDecisionError, JournalError.
        """
        at = moment("now", now)
        return self._write(lambda db: writes.close(db, decision_id, at, self.rewards))

    def settle_due(self, now: float) -> int:
        """Settle every open decision whose window closed by `now`, in the order of closing; returns how many."""
        at, total = moment("now", now), 0
        while True:
            count = self._write(lambda db: writes.close_due(db, at, DUE_AT_ONCE, self.rewards))
            total += count
            if count < DUE_AT_ONCE:
                return total

    def settled(self, after: int = 0, now: float | None = None) -> Iterator[tuple[int, Logged]]:
        """Settled decisions at positions above `after`, in order; `now` first closes the windows due, at once.

        Decisions are read a page at a time, so others may write meanwhile; what settles while the last page
        is being read may or may not be part of it.
        """
        self._require_open()
        if now is not None and self._anything_due(moment("now", now)):
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
        return tuple(row[2] for row in self._rows(sql.DUE, moment("now", now), limit))

    def note(self, kind: str, *, at: float, detail: Mapping[str, Any]) -> Event:
        """Write an event; returns it with its number. Raises: InputError, JournalError."""
        when = moment("at", at)
        return self._write(lambda db: events.add_event(db, kind, when, detail))

    def events(self, after: int = 0) -> list[Event]:
        """Every event with a number above `after`, in order."""
        return events.events(self._rows(sql.EVENTS, after))

    def trial_of(self, decision_id: str) -> Trial | None:
        """A decision's part in a promotion; None where none ran."""
        rows = self._rows(sql.TRIAL_OF, decision_id)
        return events.trial(rows[0]) if rows else None

    def outcomes(self, stage: int, after: int = 0) -> Iterator[list[Outcome]]:
        """Trials of a stage whose decisions came after number `after`, in order of arrival, a page at a time.

        They end before the first that is still open, so that what is known never depends on how fast it settled.
        """
        size = FEW  # mostly one more has settled since, and the next are open
        while rows := self._rows(sql.TRIALS_PAGE, stage, after, size):
            found = events.outcomes(rows)
            if found:
                yield found
            if len(found) < size:
                return
            after, size = found[-1].seq, min(PAGE, 4 * size)

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
