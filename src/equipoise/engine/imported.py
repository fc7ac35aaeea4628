"""Decisions of another system in our journal: how they are marked, and how often each of their rows is learned.

The other system showed some items more often than others, and to whom it saw fit. A row that it would hardly ever
have shown speaks for many that it did not show; so a row counts w = 1 / (k p), p being its propensity and k how
many candidates there were: inverse-propensity weighting towards an even choice. As posteriors and statistics learn
whole rows, a row of weight w is learned floor(w) or floor(w) + 1 times, by dice that make it w on average
(sampling importance resampling, Rubin 1987). The dice are those of the decision, so a replay throws the same.

The record holds the weight: of an imported slot, probability is propensity times weight.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, Logged, generator

IMPORTED = "imported"
"""The policy name of such decisions, and the source of their slots where the log had propensities."""

ESTIMATED = "imported, estimated"
"""The source of slots whose propensities were not logged but estimated."""

MOST = 10.0
"""The largest weight, against the mean."""


def even_weights(propensities: Floats, strata: NDArray[np.integer], choices: Floats | None) -> Floats:
    """(n,) how often each row is to be learned, so that together they say what an even choice would have shown.

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


def counted(logged: Logged) -> Logged:
    """An imported decision with each slot as often as it is learned; any other as it is."""
    decision = logged.decision
    if decision.policy != IMPORTED:
        return logged
    weights = np.array([slot.probability / slot.propensity for slot in decision.slots])
    if (weights == 1.0).all():
        return logged
    dice = generator(decision.versions.seed, f"{decision.decision_id}/rows")
    times = np.floor(weights + dice.random(len(weights))).astype(np.int64)
    rows = np.repeat(np.arange(len(weights)), times)
    slots = tuple(decision.slots[row] for row in rows.tolist())
    repeated = replace(decision, slots=slots, features=decision.features[rows])
    return Logged(repeated, logged.rewards[rows])
