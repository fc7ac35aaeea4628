"""Running statistics of items and users: what was asked for and shown, how often, and how it was taken.

They are state like a posterior's: a pure function of the settled decisions in their order, so that replay
gives them back bit for bit. With n shows of mean reward r, a shrunk mean is (n r + kappa g) / (n + kappa),
g being the level it is shrunk to (James & Stein 1961 in spirit; kappa counts pseudo-shows).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from equipoise.core import (
    Batch,
    ConfigurationError,
    Experience,
    Floats,
    Places,
    State,
)
from equipoise.learning.asked import Asked
from equipoise.learning.tally import Tally, columns


@dataclass(frozen=True, slots=True)
class StatisticsSettings:
    """How strongly means are shrunk, and how much of a user is remembered.

    expected_reward: what a slot is worth before anything is known; expected_shows: its weight in shows.
    item_shows: kappa of an item's mean. user_shows: kappa of a user's mean. memory: answers kept per user.
    asked_memory: about how many requests that name items count as lately; 1 or more.
    """

    expected_reward: float = 0.1
    expected_shows: float = 10.0
    item_shows: float = 5.0
    user_shows: float = 5.0
    memory: int = 100
    asked_memory: float = 200.0

    def __post_init__(self) -> None:
        for name in ("expected_shows", "item_shows", "user_shows"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ConfigurationError(
                    f"[statistics] {name} is {getattr(self, name)} but must be above 0: 5 is usual"
                )
        if not math.isfinite(self.expected_reward):
            raise ConfigurationError(
                f"[statistics] expected_reward is {self.expected_reward} but must be a finite number"
            )
        if not 1.0 <= self.asked_memory < math.inf:
            raise ConfigurationError(
                f"[statistics] asked_memory is {self.asked_memory} but must be 1 or more: 200 is usual"
            )
        if self.memory < 0:
            raise ConfigurationError(
                f"[statistics] memory is {self.memory} but must be 0 or more: 100 is usual"
            )


class Statistics:
    """What every item and every user has shown so far, in the order in which decisions settled."""

    def __init__(self, settings: StatisticsSettings | None = None) -> None:
        self.settings = settings or StatisticsSettings()
        self._items = Tally()
        self._users = Tally()
        self._asked = Asked(self.settings.asked_memory)
        self._memories: dict[str, list[tuple[str, float]]] = {}
        self._count = 0.0
        self._sum = 0.0

    @property
    def overall(self) -> float:
        """Mean reward of a slot, shrunk to what was expected."""
        s = self.settings
        return (self._sum + s.expected_shows * s.expected_reward) / (self._count + s.expected_shows)

    @property
    def shown_ids(self) -> Iterable[str]:
        """Every item shown so far, in the order of its first settled show."""
        return self._items.rows.keys()

    @property
    def shown_means(self) -> Floats:
        """Their shrunk mean rewards minus `overall`, in the same order."""
        counts, sums = (column[: len(self._items.rows)] for column in (self._items.counts, self._items.sums))
        return self._shrunk(counts, sums, self.overall)

    def means_along(self, row_of: Mapping[str, int]) -> Floats:
        """(n,) `shown_means` along a list of items; 0 for what was never shown."""
        counts, sums = self._items.at(self._items.aligned.along(row_of))
        return self._shrunk(counts, sums, self.overall)

    def _shrunk(self, counts: Floats, sums: Floats, overall: float) -> Floats:
        return np.asarray((sums - counts * overall) / (counts + self.settings.item_shows))

    def experience(
        self, item_ids: Sequence[str], user_id: str | None, places: Places | None = None
    ) -> Experience:
        """What is known of these k items and this user (None is a stranger). places: of the items, where known."""
        overall = self.overall
        counts, sums = self._items.look(item_ids, places)
        user_count, user_mean = 0.0, 0.0
        if user_id is not None:
            user_count = self._users.count(user_id)
            user_mean = self._users.mean(user_id, overall, self.settings.user_shows)
        memory = self._memories.get(user_id, []) if user_id is not None else []
        recent = tuple(item_id for item_id, _ in memory)
        asked = self._asked.look(item_ids, places)
        return Experience(
            overall=overall,
            item_means=self._shrunk(counts, sums, overall),
            item_counts=counts,
            item_asked=asked.counts,
            item_asked_lately=asked.lately,
            item_company=asked.company,
            user_mean=user_mean,
            user_count=user_count,
            recent=recent,
            recent_asked=self._asked.look(recent).counts,
            residuals=np.array([residual for _, residual in memory]),
        )

    def liked(self, user_id: str | None) -> tuple[str, ...]:
        """The remembered items that went better than expected, oldest first."""
        memory = self._memories.get(user_id, []) if user_id is not None else []
        return tuple(item_id for item_id, residual in memory if residual > 0)

    def update(self, batch: Batch) -> None:
        """Learn from settled rows, one by one in their order.

        A row of weight w counts for w shows, and is remembered as one answer; of weight 0 it never was.
        """
        weights = repeat(1.0, len(batch)) if batch.weights is None else batch.weights.tolist()
        rows = zip(batch.item_ids, batch.user_ids, batch.rewards.tolist(), weights, strict=True)
        for item_id, user_id, reward, weight in rows:
            if not weight:
                continue
            if user_id is not None:
                self._remember(user_id, item_id, reward)
                self._users.add(user_id, reward, weight)
            self._items.add(item_id, reward, weight)
            self._count += weight
            self._sum += weight * reward

    def asked_for(self, item_ids: Iterable[str]) -> None:
        """Count a request that named the items to rank: what callers ask for says something of an item before it is
        ever shown, and so does what they ask for beside it. Items that a search of ours found are not counted."""
        named = tuple(dict.fromkeys(item_ids))
        if named:
            self._asked.add(named, self._shrunk(*self._items.look(named), self.overall))

    def _remember(self, user_id: str, item_id: str, reward: float) -> None:
        """Keep what this answer said beyond what item and user had led to expect."""
        overall = self.overall
        item_mean = self._items.mean(item_id, overall, self.settings.item_shows)
        user_mean = self._users.mean(user_id, overall, self.settings.user_shows)
        memory = self._memories.setdefault(user_id, [])
        memory.append((item_id, reward - overall - item_mean - user_mean))
        del memory[: max(0, len(memory) - self.settings.memory)]

    def state(self) -> State:
        users = [user for user, memory in self._memories.items() for _ in memory]
        answers = [answer for memory in self._memories.values() for answer in memory]
        return {
            **self._items.state("items"),
            **self._users.state("users"),
            **self._asked.state(),
            "memory.user_ids": np.array(users, dtype=np.str_),
            "memory.item_ids": np.array([item_id for item_id, _ in answers], dtype=np.str_),
            "memory.residuals": np.array([residual for _, residual in answers], dtype=np.float64),
            "overall": np.array([self._count, self._sum]),
        }

    def restore(self, state: State) -> None:
        """Raises: InputError: an array is missing or of another length; what was known before is kept."""
        items, users = Tally.restored(state, "items"), Tally.restored(state, "users")
        asked = Asked.restored(state, self.settings.asked_memory)
        (overall,) = columns(state, ["overall"])
        memories: dict[str, list[tuple[str, float]]] = {}
        answers = columns(state, ["memory.user_ids", "memory.item_ids", "memory.residuals"])
        for user_id, item_id, residual in zip(*(column.tolist() for column in answers), strict=True):
            memories.setdefault(user_id, []).append((item_id, residual))
        self._items, self._users, self._asked, self._memories = items, users, asked, memories
        self._count, self._sum = (float(value) for value in overall)
