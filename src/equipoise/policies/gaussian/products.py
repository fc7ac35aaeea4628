"""Features times weights, for a few candidates and for a whole catalogue."""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats, Vectors

FEW = 512
"""Up to so many rows the features are made float64 first; for more, that would take longer than all else a
decision does."""

NEAR = 1e-4
"""Products so near the greatest, relative to the greatest in size, are computed again in float64: several times as
far as float32 sums are wrong at some hundred features, so that rows that tie do tie."""


def products(features: Vectors, weights: Floats) -> Floats:
    """features: (k, d). weights: (d,). Returns: (k,) features @ weights, to about 1e-15 of the terms' size.

    For more than `FEW` rows to about 1e-6, but for those near the greatest, which any explorer looks at closest.
    """
    if len(features) <= FEW:
        return np.asarray(features.astype(np.float64) @ weights)
    found = (features @ weights.astype(np.float32)).astype(np.float64)
    best, least = float(found.max()), float(found.min())
    near = (found >= best - NEAR * max(abs(best), abs(least))).nonzero()[0]
    if near.size <= FEW:
        found[near] = features[near].astype(np.float64) @ weights
    return found
