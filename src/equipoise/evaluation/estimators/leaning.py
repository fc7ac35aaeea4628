"""Estimators that lean on a reward model, in whole or in part.

With e the forecast reward of the target policy, q the forecast of the logged action and w the weight, all but the
direct method are mean(e + w' (r - q)): they trust the model where w' is 0 and the log where it is w.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.estimators.base import Parts, RowEstimator
from equipoise.evaluation.estimators.rows import Rows
from equipoise.evaluation.estimators.weighting import harmonic, not_negative, share


@dataclass(frozen=True, slots=True, eq=False)
class Dm(RowEstimator):
    """The direct method: mean(e), all trust in the model.

    Source: Beygelzimer and Langford 2009. As biased as the model, with hardly any variance; its standard error
    says nothing of that bias.
    """

    def parts(self, rows: Rows) -> Parts:
        return Parts(gain=rows.leaning("Dm").expected)


@dataclass(frozen=True, slots=True, eq=False)
class Dr(RowEstimator):
    """Doubly robust: mean(e + w (r - q)).

    Source: Dudik, Langford and Li 2011. Unbiased if the propensities are right, whatever the model (fitted on
    other rows: cross-fitting); consistent if only the model is right.
    """

    def parts(self, rows: Rows) -> Parts:
        return _corrected(rows, rows.weights, "Dr")


@dataclass(frozen=True, slots=True, eq=False)
class MoreRobustDr(Dr):
    """Doubly robust with a model fitted to make the estimate's variance small, not its own error.

    Source: Farajtabar, Chow and Ghavamzadeh 2018. The formula is DR's; fit the model with the row weights of
    `evaluation.models.robust_weights` and give its baseline.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Sndr(RowEstimator):
    """Self-normalised doubly robust: mean(e) + sum(w (r - q)) / sum(w).

    Source: Thomas and Brunskill 2016 (weighted doubly robust, one step). Consistent; keeps DR in range where
    weights are wild.
    """

    def parts(self, rows: Rows) -> Parts:
        gain = rows.weights * rows.residuals("Sndr")
        return Parts(gain, rows.weights, rows.leaning("Sndr").expected, rows.weights)


@dataclass(frozen=True, slots=True, eq=False)
class SwitchDr(RowEstimator):
    """SWITCH-DR: w' = w where w is at most the ceiling, else 0: the model alone answers for large weights.

    Source: Wang, Agarwal and Dudik 2017. ceiling: at least 0; infinity is DR, 0 the direct method.
    """

    ceiling: float = math.inf

    def __post_init__(self) -> None:
        not_negative("ceiling", self.ceiling)

    def parts(self, rows: Rows) -> Parts:
        return _corrected(rows, rows.weights * (rows.weights <= self.ceiling), "SwitchDr")


@dataclass(frozen=True, slots=True, eq=False)
class OptimisticDr(RowEstimator):
    """DR with optimistic shrinkage (DRos): w' = s w / (w^2 + s).

    Source: Su, Dimakopoulou, Krishnamurthy and Dudik 2020. shrinkage: s at least 0; infinity is DR, 0 the
    direct method.
    """

    shrinkage: float = math.inf

    def __post_init__(self) -> None:
        not_negative("shrinkage", self.shrinkage)

    def parts(self, rows: Rows) -> Parts:
        return _corrected(rows, optimistic(rows.weights, self.shrinkage), "OptimisticDr")


@dataclass(frozen=True, slots=True, eq=False)
class SubGaussianDr(RowEstimator):
    """DR with harmonically shrunk weights: w' = w / (1 - s + s w).

    Source: Metelli, Russo and Restelli 2021. shrinkage: s in [0, 1]; 0 is DR.
    """

    shrinkage: float = 0.0

    def __post_init__(self) -> None:
        share("shrinkage", self.shrinkage)

    def parts(self, rows: Rows) -> Parts:
        return _corrected(rows, harmonic(rows.weights, self.shrinkage), "SubGaussianDr")


def optimistic(weights: Floats, shrinkage: float) -> Floats:
    """s w / (w^2 + s). weights: (n,). Returns: (n,), at most sqrt(s) / 2."""
    if math.isinf(shrinkage):
        return weights
    return np.asarray(shrinkage * weights / np.maximum(weights * weights + shrinkage, np.finfo(float).tiny))


def _corrected(rows: Rows, weights: Floats, who: str) -> Parts:
    """e + w' (r - q). weights: (b,), w'."""
    gain = rows.residuals(who)
    gain *= weights
    gain += rows.leaning(who).expected
    return Parts(gain=gain, worth=weights)
