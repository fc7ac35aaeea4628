"""Headlines to vectors, encoded once and kept in the user's cache folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from equipoise.core import Vectors
from equipoise.encoders import CachedEncoder, cache_folder, open_minilm
from equipoise.lab.headlines.data import HeadlineTest

LAYERS = (0, 1, 2, 3, 4, 5, 6)
"""All layers of the embedded encoder: the middle ones hold what the last has lost."""


def encoded(
    tests: Sequence[HeadlineTest],
    *,
    layers: tuple[int, ...] = LAYERS,
    progress: Callable[[int, int], None] | None = None,
) -> list[Vectors]:
    """One (k, d) float32 a test."""
    encoder = CachedEncoder(open_minilm(layers=layers), cache_folder() / "headlines")
    rows = encoder.encode([text for test in tests for text in test.headlines], progress=progress)
    encoder.close()
    return np.split(rows, np.cumsum([len(test) for test in tests])[:-1])


def last_layer(vectors: Sequence[Vectors]) -> list[Vectors]:
    """The encoder's ordinary rows out of those of all layers: the last part, at length 1."""
    width = vectors[0].shape[1] // len(LAYERS)
    lasts = [rows[:, -width:] for rows in vectors]
    return [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in lasts]
