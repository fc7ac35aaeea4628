"""A table as a stream of contexts, each scaled by what has come before it and by itself: nothing looks ahead.

Which columns hold numbers and how many weights there are is read from the whole table beforehand, as a catalogue's
profile would say it; no statistic of a value, and no class, is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, Vectors
from equipoise.lab.bakeoff.table import Categories, ClassTable, Numbers

MOST_CATEGORIES = 64
"""The first so many different words of a column have a feature each; later ones share one."""
FARTHEST = 5.0
"""Scaled numbers are kept within so many standard deviations."""
ROUNDING = 1e-7
"""A standard deviation below this share of the largest distance so far from the first value counts as 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """contexts: (n, d) float32, the first feature 1. targets: (n,) the class of each."""

    contexts: Vectors
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)


def stream(table: ClassTable, rng: np.random.Generator, *, size: int | None = None) -> Stream:
    """The table's rows in a random order, at most `size` of them."""
    order = rng.permutation(len(table))[:size]
    parts = [
        scaled(part, order) if isinstance(part, Numbers) else one_hot(part, order) for part in table.columns
    ]
    parts.insert(0, np.ones((len(order), 1)))
    return Stream(np.concatenate(parts, axis=1).astype(np.float32), table.targets[order])


def scaled(column: Numbers, order: NDArray[np.int64]) -> Floats:
    """Less the mean and by the standard deviation of what has come so far, this row included; 0 where missing.

    Returns: (n, 1), or (n, 2) with a flag for missing where the column has any.
    """
    values = column.values[order]
    known = np.isfinite(values)
    if not np.isfinite(column.values).any():
        return np.zeros((len(order), 0))
    # Around a known value, so that squares of large numbers keep their digits.
    centre = values[known][0] if known.any() else 0.0
    apart = np.where(known, values - centre, 0.0)
    count = np.maximum(known.cumsum(), 1)
    mean = apart.cumsum() / count
    variance = np.maximum((apart * apart).cumsum() / count - mean * mean, 0.0)
    deviation = np.sqrt(variance)
    # What rounding leaves of a constant column's variance is no deviation.
    varies = known & (deviation > ROUNDING * np.maximum.accumulate(np.abs(apart)))
    level = np.divide(apart - mean, deviation, out=np.zeros_like(apart), where=varies)
    kept = np.clip(level, -FARTHEST, FARTHEST)
    return kept[:, np.newaxis] if np.isfinite(column.values).all() else np.column_stack([kept, ~known])


def one_hot(column: Categories, order: NDArray[np.int64]) -> Floats:
    """Returns: (n, c), a feature for each word in the order of its first coming."""
    words = [column.values[at] for at in order.tolist()]
    places: dict[str, int] = {}
    for word in words:
        places.setdefault(word, min(len(places), MOST_CATEGORIES))
    coded = np.zeros((len(words), min(len(places), MOST_CATEGORIES + 1)))
    coded[np.arange(len(words)), [places[word] for word in words]] = 1.0
    return coded
