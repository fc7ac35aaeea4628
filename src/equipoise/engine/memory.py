"""Small memories that only save time: each can be dropped and comes back from the journal or the learned state."""

from __future__ import annotations

import threading

import numpy as np

from equipoise.core import Decision, Vectors
from equipoise.engine.shelf import Shelf
from equipoise.journal import SqliteJournal
from equipoise.learning import Learner
from equipoise.policies import BanditPolicy

SEEN = 10_000
"""How many of a user's latest decisions count as seen."""


class Seen:
    """Which items each user has been shown, read from the journal when a user first comes."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self._users: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def of(self, user_id: str | None) -> tuple[str, ...]:
        """Item_ids shown to the user so far; a stranger has seen nothing."""
        if user_id is None:
            return ()
        with self._lock:
            if user_id not in self._users:
                past = self._journal.decisions_of(user_id, limit=SEEN)
                self._users[user_id] = {slot.item_id for decision in past for slot in decision.slots}
            return tuple(self._users[user_id])

    def shown(self, decision: Decision) -> None:
        """Remember a decision just made."""
        user_id = decision.request.user_id
        with self._lock:
            if user_id is not None and user_id in self._users:
                self._users[user_id].update(slot.item_id for slot in decision.slots)


class Standing:
    """The shrunk mean reward of every item of a shelf, kept as one array so that a search can add it to all scores."""

    def __init__(self) -> None:
        self._shelf: Shelf | None = None
        self._position = -1
        self._means: Vectors = np.zeros(0, dtype=np.float32)

    def means(self, shelf: Shelf, learner: Learner[BanditPolicy]) -> Vectors:
        """(n,) by row of the shelf; 0 for what was never shown."""
        if shelf is not self._shelf or learner.position != self._position:
            means = learner.statistics.means_along(shelf.view.items.row_of)
            self._means = means.astype(np.float32)
            self._shelf, self._position = shelf, learner.position
        return self._means


class Clock:
    """Says when it is time to look for windows that have run out: at most once a second."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._last = -np.inf

    def due(self, now: float) -> bool:
        if abs(now - self._last) < self._seconds:
            return False
        self._last = now
        return True
