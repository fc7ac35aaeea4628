"""Cascade doubly robust: reward-interaction IPS that leans on a reward model from slot to slot."""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.slates.log import SlateLog
from equipoise.evaluation.slates.weights import running_ratios, slot_rewards


def cascade_terms(log: SlateLog) -> Floats:
    """(n,) sum over the slots of w_j (r_j - q_shown_j) + w_(j-1) q_expected_j, with w_j = rho_1 ... rho_j, w_0 = 1.

    q is the forecast of the rewards from slot j downwards; any q leaves the estimate unbiased, a good one takes
    away most of its spread. Without a baseline it is q = 0, which is reward-interaction IPS.
    Reference: Kiyohara et al. 2022, which is Jiang & Li 2016 with the slots as steps.
    """
    upto = running_ratios(log)
    rewards = slot_rewards(log)
    if log.q_shown is None or log.q_expected is None:
        return np.asarray((upto * rewards).sum(axis=1))
    above = np.ones_like(upto)
    above[:, 1:] = upto[:, :-1]
    terms = upto * (rewards - log.q_shown) + above * log.q_expected
    return np.asarray(np.where(log.filled, terms, 0.0).sum(axis=1))
