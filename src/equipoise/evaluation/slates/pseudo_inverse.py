"""The pseudo-inverse estimator, in the closed form that slot propensities alone can give.

In full it weights a slate's whole reward by q' G^+ 1_s, where 1_s marks which item stands in which slot, G is its
second moment under the logging policy and q its mean under the target (Swaminathan et al. 2017). G needs
the probabilities of every candidate in every pair of slots. Where the logging policy fills each slot by dice of
its own, whatever stands above, G splits, and the weight becomes

    1 - m + sum over the slots of target_j / propensity_j

(their case of product distributions), which is what is computed here. So it needs:
slots drawn independently of each other by BOTH policies (each slot with candidates of its own, or an item
allowed twice), and a slate reward that is a sum of what each item brings to its slot. The reward need not be
attributed to slots: only its sum enters. Drawing without replacement breaks the first condition a little when the
candidates are many and the probabilities even, and badly when they are few.
"""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.slates.log import SlateLog
from equipoise.evaluation.slates.weights import slot_ratios, slot_rewards


def additive_weights(log: SlateLog) -> Floats:
    """(n, m) 1 + the sum of (rho_j - 1) in every column; can be negative. Slots that a row lacks add nothing."""
    weights = 1.0 + (slot_ratios(log) - 1.0).sum(axis=1, keepdims=True)
    return np.broadcast_to(weights, log.rewards.shape)


def pseudo_inverse_terms(log: SlateLog) -> Floats:
    """(n,) weight times the sum of the slate's rewards."""
    return np.asarray(additive_weights(log)[:, 0] * slot_rewards(log).sum(axis=1))
