"""Estimators that weigh rewards by target probability over propensity, and need no reward model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from equipoise.core import Baseline, Floats, InputError
from equipoise.evaluation.estimators.base import Kish, Parts, RowEstimator, Total, total_of
from equipoise.evaluation.estimators.moments import Moments
from equipoise.evaluation.estimators.rows import Rows, gathered


@dataclass(frozen=True, slots=True, eq=False)
class Ips(RowEstimator):
    """Inverse propensity scoring: mean(w r), w = target / propensity.

    Source: Horvitz and Thompson 1952; for bandits Langford, Strehl and Wortman 2008. Unbiased wherever the
    logging policy could show all that the target policy might. Its variance grows with the largest weights.
    """

    def parts(self, rows: Rows) -> Parts:
        return Parts(gain=rows.weights * rows.rewards, worth=rows.weights)

    def _total(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None
    ) -> Total:
        """The same sums as those of all estimators, in fewer passes over the rows."""
        moments, kish = Moments(), Kish()
        for weights, gains, squares in gathered(rewards, propensities, target):
            if not moments.add_squared(gains, squares):
                moments.add([gains])
            kish.add(weights)
        return total_of(moments, ratio=False, n_effective=kish.size(moments.n), who="Ips")


@dataclass(frozen=True, slots=True, eq=False)
class ClippedIps(RowEstimator):
    """IPS with weights cut off: mean(min(w, ceiling) r).

    Source: Ionides 2008; Bottou et al. 2013. Biased towards 0 by the reward of what is cut off; less variance.
    ceiling: at least 0; infinity is IPS.
    """

    ceiling: float = math.inf

    def __post_init__(self) -> None:
        not_negative("ceiling", self.ceiling)

    def parts(self, rows: Rows) -> Parts:
        clipped = np.minimum(rows.weights, self.ceiling)
        return Parts(gain=clipped * rows.rewards, worth=clipped)


@dataclass(frozen=True, slots=True, eq=False)
class SubGaussianIps(RowEstimator):
    """IPS with weights harmonically shrunk towards 1: mean(w' r), w' = w / (1 - s + s w).

    Source: Metelli, Russo and Restelli 2021, with power -1. Biased; errors have sub-Gaussian tails.
    shrinkage: s in [0, 1]; 0 is IPS, 1 makes every weight 1.
    """

    shrinkage: float = 0.0

    def __post_init__(self) -> None:
        share("shrinkage", self.shrinkage)

    def parts(self, rows: Rows) -> Parts:
        shrunk = harmonic(rows.weights, self.shrinkage)
        return Parts(gain=shrunk * rows.rewards, worth=shrunk)


@dataclass(frozen=True, slots=True, eq=False)
class Snips(RowEstimator):
    """Self-normalised IPS: sum(w r) / sum(w).

    Source: Swaminathan and Joachims 2015 ("The self-normalized estimator"). Consistent, with a bias of order 1/n;
    stays within the rewards' range and moves along when a constant is added to every reward.
    """

    def parts(self, rows: Rows) -> Parts:
        return Parts(gain=rows.weights * rows.rewards, weight=rows.weights, worth=rows.weights)


def harmonic(weights: Floats, shrinkage: float) -> Floats:
    """w / (1 - s + s w), and 0 where w is 0. weights: (n,). Returns: (n,)."""
    if shrinkage == 1.0:
        return np.asarray((weights > 0.0).astype(np.float64))
    return np.asarray(weights / (1.0 - shrinkage + shrinkage * weights))


def not_negative(name: str, value: float) -> None:
    """Raises: InputError."""
    if not value >= 0.0:
        raise InputError(f"{name} is {value!r} but must be at least 0; infinity changes no weight")


def share(name: str, value: float) -> None:
    """Raises: InputError."""
    if not 0.0 <= value <= 1.0:
        raise InputError(f"{name} is {value!r} but must lie in [0, 1]; 0 changes no weight")
