"""Importance-weighted slate estimators: plain and self-normalised, by the weight that each slot's reward gets.

With r_j a slot's reward (times its slot weight) and rho_j its ratio given the slots above:

- slate (standard) IPS: every r_j is weighted by rho_1 ... rho_m;
- reward-interaction IPS: by rho_1 ... rho_j, the slot and those above it (McInerney et al. 2020);
- independent IPS: by rho_j alone (Li et al. 2018).

Self-normalised forms divide each slot's weighted sum by its sum of weights (Swaminathan & Joachims 2015b, applied
slot by slot as McInerney et al. 2020 do).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.slates.log import SlateLog
from equipoise.evaluation.slates.weights import slot_rewards

Weights = Callable[[SlateLog], Floats]
"""A log to its (n, m) weights."""


def weighted(log: SlateLog, weights: Floats) -> Floats:
    """(n,) sum over the slots of weight times reward. weights: (n, m)."""
    return np.asarray((weights * slot_rewards(log)).sum(axis=1))


def self_normalised(log: SlateLog, weights: Floats) -> Floats:
    """(n,) terms of the ratio estimator, slot by slot.

    Slot j is worth v_j = sum(w r) / sum(w) over the rows that have it, and the slate c_j v_j, c_j being the
    share of such rows. The terms carry each row's influence: v_j + (c_j / mean w) w (r - v_j); the second part
    has mean 0. A slot whose weights are all 0 says nothing and counts as 0.
    """
    filled = log.filled.astype(np.float64)
    weights = weights * filled
    mean_weight = weights.mean(axis=0)
    rewards = slot_rewards(log)
    inverse = np.divide(1.0, mean_weight, out=np.zeros_like(mean_weight), where=mean_weight > 0.0)
    values = (weights * rewards).mean(axis=0) * inverse
    influence = filled.mean(axis=0) * inverse * weights * (rewards - values)
    return np.asarray((filled * values + influence).sum(axis=1))
