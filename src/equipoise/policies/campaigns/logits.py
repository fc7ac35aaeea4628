"""What a few arms that are related are worth: a joint normal belief about their logits, and clicks counted against it.

    c_i ~ Binomial(n_i, sigmoid(t_i)),    t ~ N(m, C),    t (k,) the logits of k arms

C says which arms rise and fall together: a part that all share is the level of the whole test, learned from
every click, and what is left tells the arms apart. The posterior is Laplace's approximation, at the mode that
Newton's method finds (the log posterior is concave, so there is one):

    t <- t + H^-1 (c - n p - P (t - m)),    H = P + diag(n p (1 - p)),    p = sigmoid(t),    P = C^-1

It depends on the counts alone, so that neither order nor batches matter. Reference: Rasmussen and Williams
2006, sec. 3.4 (Laplace for Gaussian-process classification), with binomial counts.

Every function works on arrays with any axes before the last: (..., k).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, logit

from equipoise.core import Floats
from equipoise.policies.base import Belief

CONVERGED = 1e-9
MOST_STEPS = 60
LONGEST = 2.0
"""A Newton step is cut to this many logits: far below the mode the curve is so flat that a whole one would overshoot."""
NODES = 12
"""Of the Gauss-Hermite rule for the mean chance; for spreads up to 1.5 logits it is right to 1e-4, relative."""


@dataclass(frozen=True, slots=True, eq=False)
class LogitNormal:
    """mean: (..., k) logits. covariance: (..., k, k)."""

    mean: Floats
    covariance: Floats

    @property
    def variance(self) -> Floats:
        """(..., k)."""
        return np.diagonal(self.covariance, axis1=-2, axis2=-1)

    def chances(self) -> Floats:
        """(..., k) expected chance of each arm, by quadrature."""
        points, weights = hermite(NODES)
        spread = np.sqrt(self.variance)
        return np.asarray(expit(self.mean[..., np.newaxis] + spread[..., np.newaxis] * points) @ weights)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogitBelief(Belief):
    """A belief that also says how the arms' logits hang together.

    logits: of the same k candidates: mean (k,), covariance (k, k).
    """

    logits: LogitNormal


def learned(prior: LogitNormal, shown: Floats, clicks: Floats, *, start: Floats | None = None) -> LogitNormal:
    """The belief after `clicks` (..., k) of `shown` (..., k) visitors.

    prior: mean (..., k) or (k,). start: (..., k) where to look for the mode, such as the mean before the last
    batch: it saves steps and changes nothing else.
    """
    precision = np.asarray(np.linalg.inv(prior.covariance), dtype=np.float64)
    mode: Floats = _start(prior, shown, clicks) if start is None else start
    for _ in range(MOST_STEPS):
        chance = expit(mode)
        slope = clicks - shown * chance - ((mode - prior.mean)[..., np.newaxis, :] @ precision)[..., 0, :]
        curvature = _curvature(precision, shown, chance)
        step: Floats = np.linalg.solve(curvature, slope[..., np.newaxis])[..., 0]
        mode = mode + np.clip(step, -LONGEST, LONGEST)
        if np.abs(step).max(initial=0.0) < CONVERGED:
            break
    curvature = _curvature(precision, shown, expit(mode))
    return LogitNormal(mode, np.asarray(np.linalg.inv(curvature), dtype=np.float64))


def _curvature(precision: Floats, shown: Floats, chance: Floats) -> Floats:
    """(..., k, k) of the negative log posterior."""
    weight = (shown * chance * (1.0 - chance))[..., np.newaxis] * np.eye(shown.shape[-1])
    return np.asarray(precision + weight)


def _start(prior: LogitNormal, shown: Floats, clicks: Floats) -> Floats:
    """(..., k) between the prior mean and what the arm's own clicks say, by their precisions."""
    good, bad = clicks + 0.5, shown - clicks + 0.5
    own = good * bad / (good + bad)
    weight = own / (own + 1.0 / prior.variance)
    return np.asarray(
        prior.mean + np.where(shown > 0.0, weight, 0.0) * (logit(good / (good + bad)) - prior.mean)
    )


@lru_cache(maxsize=4)
def hermite(nodes: int) -> tuple[Floats, Floats]:
    """Points (nodes,) and weights (nodes,), sum 1, that average over a standard normal."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    points.flags.writeable = weights.flags.writeable = False
    return points, weights
