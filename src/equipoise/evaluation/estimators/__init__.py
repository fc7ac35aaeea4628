"""Estimators of one action: logged rewards to what another policy would have earned."""

from equipoise.evaluation.estimators.adaptive import AdaptiveDr, spread_so_far
from equipoise.evaluation.estimators.base import Parts, RowEstimator, normal_estimate
from equipoise.evaluation.estimators.leaning import (
    Dm,
    Dr,
    MoreRobustDr,
    OptimisticDr,
    Sndr,
    SubGaussianDr,
    SwitchDr,
)
from equipoise.evaluation.estimators.loggers import BalancedIps, Loggers, WeightedIps
from equipoise.evaluation.estimators.marginal import FoundMips, Mips, clustered, marginalised
from equipoise.evaluation.estimators.paired import WithTerms, difference
from equipoise.evaluation.estimators.registry import ESTIMATORS, NEEDS_BASELINE, estimator
from equipoise.evaluation.estimators.replay import Replay
from equipoise.evaluation.estimators.rows import Rows, of_shown
from equipoise.evaluation.estimators.tuning import Tuned
from equipoise.evaluation.estimators.weighting import ClippedIps, Ips, Snips, SubGaussianIps

__all__ = [
    "ESTIMATORS",
    "NEEDS_BASELINE",
    "AdaptiveDr",
    "BalancedIps",
    "ClippedIps",
    "Dm",
    "Dr",
    "FoundMips",
    "Ips",
    "Loggers",
    "Mips",
    "MoreRobustDr",
    "OptimisticDr",
    "Parts",
    "Replay",
    "RowEstimator",
    "Rows",
    "Snips",
    "Sndr",
    "SubGaussianDr",
    "SubGaussianIps",
    "SwitchDr",
    "Tuned",
    "WeightedIps",
    "WithTerms",
    "clustered",
    "difference",
    "estimator",
    "marginalised",
    "normal_estimate",
    "of_shown",
    "spread_so_far",
]
