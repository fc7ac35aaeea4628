"""Counts and sums by id, and how a state's arrays are read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Alignment, Floats, InputError, Places, State


class Tally:
    """Counts and reward sums by id, in arrays that grow by doubling."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.aligned = Alignment(self.rows)
        self.counts: Floats = np.zeros(16)
        self.sums: Floats = np.zeros(16)

    def add(self, key: str, reward: float, weight: float = 1.0) -> None:
        """weight: how many shows it counts for."""
        row = self.rows.setdefault(key, len(self.rows))
        if row == len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(row)])
            self.sums = np.concatenate([self.sums, np.zeros(row)])
        self.counts[row] += weight
        self.sums[row] += weight * reward

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
        ids, counts, sums = columns(state, [f"{prefix}.{name}" for name in ("ids", "counts", "sums")])
        tally = cls()
        tally.rows.update((str(key), row) for row, key in enumerate(ids))
        spare = np.zeros(max(16 - len(ids), 0))
        tally.counts = np.concatenate([counts, spare])
        tally.sums = np.concatenate([sums, spare])
        return tally


def columns(state: State, names: Sequence[str]) -> list[NDArray[Any]]:
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
