"""Decisions of another system in our journal: how they are marked, and how much each of their rows counts.

The other system showed some items more often than others, and to whom it saw fit. A row that it would hardly ever
have shown speaks for many that it did not show; so a row counts w = 1 / (k p), p being its propensity and k how
many candidates there were: inverse-propensity weighting towards an even choice. Statistics and posterior learn it
with that weight, see `core.Batch`.

The record holds the weight: of an imported slot, probability is propensity times weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, Logged

IMPORTED = "imported"
"""The policy name of such decisions, and the source of their slots where the log had propensities."""

ESTIMATED = "imported, estimated"
"""The source of slots whose propensities were not logged but estimated."""

ROBUST = ", doubly robust"
"""What the source ends with where the policy has learned the log as a whole, see `log_prior`."""

MOST = 10.0
"""The largest weight, against the mean."""


def even_weights(propensities: Floats, strata: NDArray[np.integer], choices: Floats | None) -> Floats:
    """(n,) how many rows each is to count for, so that together they say what an even choice would have shown.

    strata: (n,) codes of slots, each weighted by itself. choices: (n,) k where the log knows it; else the mean of 1 / p
    over a stratum stands in, which is k on average. Clipped at `MOST` times the mean, and scaled so that rows of
    different weights count for no more than they are worth together: (sum w)^2 / sum w^2 rows (Kish 1965).
    """
    weights = np.empty(len(propensities))
    for stratum in np.unique(strata):
        here = strata == stratum
        inverse = 1.0 / propensities[here]
        raw = inverse / (inverse.mean() if choices is None else choices[here])
        clipped = np.minimum(raw, MOST * raw.mean())
        weights[here] = clipped * clipped.sum() / (clipped @ clipped)
    return weights


def weights_of(logged: Logged) -> Floats | None:
    """(m,) how many rows each slot of an imported decision counts for; None where all count for one, as our own do."""
    if logged.decision.policy != IMPORTED:
        return None
    weights = np.array([slot.probability / slot.propensity for slot in logged.decision.slots])
    # propensity x 1 / propensity is 1 to the last bit
    return None if (weights == 1.0).all() else weights
