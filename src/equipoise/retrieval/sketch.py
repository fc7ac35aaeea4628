"""A third of every vector, in the directions that matter: enough to say which few hundred rows to look at exactly.

A pass over 10,000 x 384 float32 reads 15 MB and pushes everything else out of the processor's caches; over the first
128 principal coordinates it reads 5 MB and does not. Of the 80 nearest of 9,066 films, a sketch of 128 with 200 rows
looked at exactly finds 99.6 %, and all of the 20 nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Vectors

COORDINATES = 128
WORTHWHILE = 4_000
"""Rows below which an exact pass stays in the caches anyway."""

FIT_ROWS = 20_000
NARROW = 1.5
"""How many times as wide as the sketch the vectors must be."""


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Principal axes of item vectors (Pearson 1901). mean: (e,). axes: (e, p), orthonormal."""

    mean: Vectors
    axes: Vectors

    @classmethod
    def fit(cls, vectors: Vectors) -> Axes | None:
        """The axes of vectors (n, e); above 20,000 of an even sample. None where a sketch would not save anything."""
        if len(vectors) < WORTHWHILE or vectors.shape[1] < NARROW * COORDINATES:
            return None
        sample = vectors[np.unique(np.linspace(0, len(vectors) - 1, FIT_ROWS).astype(np.int64))]
        mean = sample.mean(axis=0, dtype=np.float64)
        scatter = sample.T.astype(np.float64) @ sample - len(sample) * np.outer(mean, mean)
        _, axes = np.linalg.eigh(scatter)  # by ascending variance
        return cls(mean.astype(np.float32), np.ascontiguousarray(axes[:, -COORDINATES:], dtype=np.float32))

    def sketch(self, vectors: Vectors) -> Vectors:
        """(n, e) to their coordinates (n, p)."""
        return np.asarray((vectors - self.mean) @ self.axes, dtype=np.float32)

    def scores(self, sketch: Vectors, query: Vectors) -> Vectors:
        """(n,) about the inner product of each sketched row (n, p) with a query (e,)."""
        scores = sketch @ (query @ self.axes)
        scores += np.float32(query @ self.mean)
        return np.asarray(scores)


def refined(rows: NDArray[np.int64], vectors: Vectors, query: Vectors) -> NDArray[np.int64]:
    """rows (r,) in the order of their exact inner products. vectors: (r, e) theirs."""
    return np.asarray(rows[np.argsort(-(vectors @ query), kind="stable")])
