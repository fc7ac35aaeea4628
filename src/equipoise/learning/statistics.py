"""Running statistics of items and users: what was asked for and shown, how often, and how it was taken.

They are state like a posterior's: a pure function of the settled decisions in their order, so that replay
gives them back bit for bit. With n shows of mean reward r, a shrunk mean is (n r + kappa g) / (n + kappa),
g being the level it is shrunk to (James & Stein 1961 in spirit; kappa counts pseudo-shows).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import (
    Alignment,
    Batch,
    ConfigurationError,
    Experience,
    Floats,
    InputError,
    Places,
    State,
)


@dataclass(frozen=True, slots=True)
class StatisticsSettings:
    """How strongly means are shrunk, and how much of a user is remembered.

    expected_reward: what a slot is worth before anything is known; expected_shows: its weight in shows.
    item_shows: kappa of an item's mean. user_shows: kappa of a user's mean. memory: answers kept per user.
    """

    expected_reward: float = 0.1
    expected_shows: float = 10.0
    item_shows: float = 5.0
    user_shows: float = 5.0
    memory: int = 50

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
        if self.memory < 0:
            raise ConfigurationError(
                f"[statistics] memory is {self.memory} but must be 0 or more: 100 is usual"
            )


class Tally:
    """Counts and reward sums by id, in arrays that grow by doubling."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.aligned = Alignment(self.rows)
        self.counts: Floats = np.zeros(16)
        self.sums: Floats = np.zeros(16)

    def add(self, key: str, reward: float) -> None:
        row = self.rows.setdefault(key, len(self.rows))
        if row == len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(row)])
            self.sums = np.concatenate([self.sums, np.zeros(row)])
        self.counts[row] += 1.0
        self.sums[row] += reward

    def look(self, keys: Sequence[str], places: Places | None = None) -> tuple[Floats, Floats]:
        """Returns: counts (k,), reward sums (k,); 0 for what was never shown."""
        return self.at(self.aligned.rows(keys, places))

    def at(self, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """The same by row; below 0 for what was never shown."""
        known = rows >= 0
        return np.where(known, self.counts[rows], 0.0), np.where(known, self.sums[rows], 0.0)

    def count(self, key: str) -> float:
        row = self.rows.get(key)
        return 0.0 if row is None else float(self.counts[row])

    def mean(self, key: str, level: float, weight: float) -> float:
        """One key's mean minus `level`, shrunk to 0 by `weight` pseudo-shows."""
        row = self.rows.get(key)
        if row is None:
            return 0.0
        count = float(self.counts[row])
        return (float(self.sums[row]) - count * level) / (count + weight)

    def state(self, prefix: str) -> State:
        n = len(self.rows)
        return {
            f"{prefix}.ids": np.array(list(self.rows), dtype=np.str_),
            f"{prefix}.counts": self.counts[:n].copy(),
            f"{prefix}.sums": self.sums[:n].copy(),
        }

    @classmethod
    def restored(cls, state: State, prefix: str) -> Tally:
        ids, counts, sums = _columns(state, [f"{prefix}.{name}" for name in ("ids", "counts", "sums")])
        tally = cls()
        tally.rows.update((str(key), row) for row, key in enumerate(ids))
        spare = np.zeros(max(16 - len(ids), 0))
        tally.counts = np.concatenate([counts, spare])
        tally.sums = np.concatenate([sums, spare])
        return tally


class Statistics:
    """What every item and every user has shown so far, in the order in which decisions settled."""

    def __init__(self, settings: StatisticsSettings | None = None) -> None:
        self.settings = settings or StatisticsSettings()
        self._items = Tally()
        self._users = Tally()
        self._asked = Tally()
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
        return Experience(
            overall=overall,
            item_means=self._shrunk(counts, sums, overall),
            item_counts=counts,
            item_asked=self._asked.look(item_ids, places)[0],
            user_mean=user_mean,
            user_count=user_count,
            recent=tuple(item_id for item_id, _ in memory),
            residuals=np.array([residual for _, residual in memory]),
        )

    def liked(self, user_id: str | None) -> tuple[str, ...]:
        """The remembered items that went better than expected, oldest first."""
        memory = self._memories.get(user_id, []) if user_id is not None else []
        return tuple(item_id for item_id, residual in memory if residual > 0)

    def update(self, batch: Batch) -> None:
        """Learn from settled rows, one by one in their order."""
        for item_id, user_id, reward in zip(
            batch.item_ids, batch.user_ids, batch.rewards.tolist(), strict=True
        ):
            if user_id is not None:
                self._remember(user_id, item_id, reward)
                self._users.add(user_id, reward)
            self._items.add(item_id, reward)
            self._count += 1.0
            self._sum += reward

    def asked_for(self, item_ids: Iterable[str]) -> None:
        """Count a request that named the items to rank: what callers ask for says something of an item before it is
        ever shown. Items that a search of ours found are not counted."""
        for item_id in dict.fromkeys(item_ids):
            self._asked.add(item_id, 0.0)

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
            **self._asked.state("asked"),
            "memory.user_ids": np.array(users, dtype=np.str_),
            "memory.item_ids": np.array([item_id for item_id, _ in answers], dtype=np.str_),
            "memory.residuals": np.array([residual for _, residual in answers], dtype=np.float64),
            "overall": np.array([self._count, self._sum]),
        }

    def restore(self, state: State) -> None:
        """Raises: InputError: an array is missing or of another length; what was known before is kept."""
        items, users, asked = (Tally.restored(state, name) for name in ("items", "users", "asked"))
        (overall,) = _columns(state, ["overall"])
        memories: dict[str, list[tuple[str, float]]] = {}
        columns = _columns(state, ["memory.user_ids", "memory.item_ids", "memory.residuals"])
        for user_id, item_id, residual in zip(*(column.tolist() for column in columns), strict=True):
            memories.setdefault(user_id, []).append((item_id, residual))
        self._items, self._users, self._asked, self._memories = items, users, asked, memories
        self._count, self._sum = (float(value) for value in overall)


def _columns(state: State, names: Sequence[str]) -> list[NDArray[Any]]:
    """The arrays of these names, side by side. Raises: InputError: one is missing or of another length."""
    for name in names:
        if name not in state:
            raise InputError(f"the statistics' state has no '{name}': rebuild it from the journal")
    columns = [state[name] for name in names]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise InputError(
            f"the statistics' state has {lengths} rows of {', '.join(names)}, which must be as many of each: "
            f"rebuild it from the journal"
        )
    return columns
