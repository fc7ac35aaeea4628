"""What a bettor against a claimed mean would have won: the engine of the confidence sequence.

Against the claim that values in [0, 1] have mean c, a bettor who stakes the share g of the wealth on each value x
ends a round with the factor (1 - g) + g x / c. If the claim is true, or the mean is smaller, the expected
factor is at most 1, so the wealth is a supermartingale and by Ville's inequality exceeds 1 / a ever with
probability a at most (Waudby-Smith and Ramdas 2023, "Estimating means of bounded random variables by betting",
section 4; for importance-weighted values Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro 2022). We average
over bettors with fixed shares, which needs no tuning and depends on nothing but how often each value came.
"""

from __future__ import annotations

import math

import numpy as np

from equipoise.core import Floats

_BETTORS = 44
_RATIO = 1.5
"""Shares are 0.95 / 1.5^j, down to about 2e-8: neighbours lose at most 5 % of the best bettor's log wealth."""

SHARES: Floats = 0.95 * _RATIO ** -np.arange(_BETTORS, dtype=np.float64)
"""(b,), what each bettor stakes in each round."""

_TRUST = (np.arange(_BETTORS) + 6.0) ** -1.5
LOG_TRUST: Floats = np.log(_TRUST / _TRUST.sum())
"""(b,), log of the wealth that each bettor starts with; sums to 1. Slow decay: every sample size has its bettor."""

_CLOSE = 1e-9
"""How near a bound is found, as a share of the range."""


def log_wealth(claim: float, points: Floats, counts: Floats) -> Floats:
    """Log of the average bettor's wealth against "the mean is at most `claim`".

    claim: in (0, 1]. points: (p,) in [0, 1], the values. counts: (..., p), how often each came.
    Returns: (...), falling in `claim`.
    """
    factors = np.log1p(SHARES[:, None] * (points / claim - 1.0))
    each = counts @ factors.T + LOG_TRUST
    top = each.max(axis=-1, keepdims=True)
    return np.asarray(top[..., 0] + np.log(np.exp(each - top).sum(axis=-1)))


def least_tenable(points: Floats, counts: Floats, *, risk: float) -> float:
    """The smallest claimed mean that the bettors have not ruined: a lower bound, within 1e-9, from below.

    points, counts: (p,), some count above 0. risk: in (0, 1), the chance that the bound ever exceeds the mean.
    Returns: in [0, 1].
    """
    from scipy.optimize import (
        brentq,
    )  # half of what `import equipoise` would take, for a bound that few ask for

    ruin = math.log(1.0 / risk)

    def excess(claim: float) -> float:
        return float(log_wealth(claim, points, counts)) - ruin

    # Against the mean itself no bettor gains: the average of logs is at most the log of the average.
    tenable = min(1.0, float(counts @ points) / float(counts.sum()))
    ruined = 0.5 * tenable
    while ruined > _CLOSE and excess(ruined) < 0.0:
        tenable, ruined = ruined, 0.5 * ruined
    if ruined <= _CLOSE:
        return 0.0
    return max(0.0, float(brentq(excess, ruined, tenable, xtol=0.1 * _CLOSE)) - 0.2 * _CLOSE)
