"""What callers asked for: how many requests named an item among those to rank, in all and lately, and beside what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Alignment, Floats, Places, State
from equipoise.learning.tally import columns

NAMES = ("ids", "counts", "lately", "at", "company")


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Of k items, each (k,): counts of requests, in all and lately, and `company`, how well what they named beside the
    item had been taken; 0 for what was never named."""

    counts: Floats
    lately: Floats
    company: Floats


class Asked:
    """Counts by item_id, and counts that fade: each request that names items lets every count of before shrink by
    1 - 1 / `memory`, so that about the last `memory` requests count.

    A faded count is kept as it was at the item's last request, and shrunk when it is looked at.

    An item's company is the mean, over the requests that named it and one more of 0, of the mean standing of the others
    in that request, as they stood then. Who asks for well-taken items beside it says something of an item that was
    never shown, like the neighbours' ratings of collaborative filtering, at the cost of one sum an item.
    """

    def __init__(self, memory: float) -> None:
        self._kept = 1.0 - 1.0 / memory
        self._rows: dict[str, int] = {}
        self._aligned = Alignment(self._rows)
        self._counts: Floats = np.zeros(16)
        self._lately: Floats = np.zeros(16)
        self._at: Floats = np.zeros(16)
        self._company: Floats = np.zeros(16)
        self._now = 0.0

    def add(self, item_ids: Sequence[str], standing: Floats) -> None:
        """Count a request that named these k >= 1 distinct items. standing: (k,) how well each has been taken."""
        rows = np.array([self._row(item_id) for item_id in item_ids], dtype=np.int64)
        self._now += 1.0
        self._lately[rows] = self._faded(rows) + 1.0
        self._counts[rows] += 1.0
        self._at[rows] = self._now
        if len(rows) > 1:
            self._company[rows] += (standing.sum() - standing) / (len(rows) - 1)

    def look(self, item_ids: Sequence[str], places: Places | None = None) -> Demand:
        """What is known of k items."""
        if not self._rows:  # as everywhere that requests never name items
            return Demand(*np.zeros((3, len(item_ids))))
        rows = self._aligned.rows(item_ids, places)
        known = rows >= 0
        counts = np.where(known, self._counts[rows], 0.0)
        company = np.where(known, self._company[rows], 0.0)
        return Demand(counts, np.where(known, self._faded(rows), 0.0), company / (counts + 1.0))

    def _faded(self, rows: NDArray[np.int64]) -> Floats:
        return np.asarray(self._lately[rows] * self._kept ** (self._now - self._at[rows]))

    def _row(self, item_id: str) -> int:
        row = self._rows.setdefault(item_id, len(self._rows))
        if row == len(self._counts):
            more = np.zeros(row)
            self._counts = np.concatenate([self._counts, more])
            self._lately = np.concatenate([self._lately, more])
            self._at = np.concatenate([self._at, more])
            self._company = np.concatenate([self._company, more])
        return row

    def state(self) -> State:
        n = len(self._rows)
        return {
            "asked.ids": np.array(list(self._rows), dtype=np.str_),
            "asked.counts": self._counts[:n].copy(),
            "asked.lately": self._lately[:n].copy(),
            "asked.at": self._at[:n].copy(),
            "asked.company": self._company[:n].copy(),
            "asked.now": np.array([self._now]),
        }

    @classmethod
    def restored(cls, state: State, memory: float) -> Asked:
        """Raises: InputError: an array is missing or of another length."""
        ids, *arrays = columns(state, [f"asked.{name}" for name in NAMES])
        (now,) = columns(state, ["asked.now"])
        asked = cls(memory)
        asked._rows.update((str(item_id), row) for row, item_id in enumerate(ids))
        spare = np.zeros(max(16 - len(ids), 0))
        asked._counts, asked._lately, asked._at, asked._company = (
            np.concatenate([array, spare]) for array in arrays
        )
        asked._now = float(now[0])
        return asked
