"""Means and scatter of a few columns, gathered block by block without loss of digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from equipoise.core import Floats


@dataclass(slots=True)
class Moments:
    """Of m columns. Each is kept around its mean in the first block if that is far from 0, so that large offsets cost
    no digits."""

    n: int = 0
    shift: Floats = field(default_factory=lambda: np.zeros(0))
    sums: Floats = field(default_factory=lambda: np.zeros(0))
    scatter: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, columns: Sequence[Floats]) -> None:
        """columns: m of (b,), the same m each time."""
        if self.n == 0:
            m = len(columns)
            self.shift = np.array([_offset(column) for column in columns])
            self.sums, self.scatter = np.zeros(m), np.zeros((m, m))
        self.n += len(columns[0])
        centred = [
            column - offset if offset else column for column, offset in zip(columns, self.shift, strict=True)
        ]
        for row, one in enumerate(centred):
            self.sums[row] += np.add.reduce(one)
            for column in range(row + 1):
                self.scatter[row, column] += np.dot(one, centred[column])

    def add_squared(self, column: Floats, squares: float) -> bool:
        """The same for a single column whose sum of squares is known; False where it is far from 0: then `add` it."""
        if self.n == 0 and _offset(column):
            return False
        if self.n == 0:
            self.shift, self.sums, self.scatter = np.zeros(1), np.zeros(1), np.zeros((1, 1))
        elif self.shift[0]:
            return False
        self.n += len(column)
        self.sums[0] += np.add.reduce(column)
        self.scatter[0, 0] += squares
        return True

    @property
    def means(self) -> Floats:
        """(m,)."""
        return self.shift + self.sums / self.n

    def covariance(self) -> Floats:
        """(m, m), dividing by n - 1; n is at least 2."""
        full = np.tril(self.scatter) + np.tril(self.scatter, -1).T
        return np.asarray((full - np.outer(self.sums, self.sums) / self.n) / (self.n - 1))


def _offset(column: Floats) -> float:
    """The mean, or 0 where it is within 10 standard deviations of 0: that costs two digits of 16, and saves a pass."""
    mean = float(column.mean())
    return mean if mean**2 > 100.0 * float(column.var()) else 0.0
