"""Reward models that doubly robust estimators lean on, cross-fitted."""

from equipoise.evaluation.models.crossing import (
    Pairs,
    action_pairs,
    cross_fitted,
    fold_of,
    robust_weights,
    with_actions,
)
from equipoise.evaluation.models.own import Forecast, Logistic, RewardModel, Ridge
from equipoise.evaluation.models.scikit import ScikitModel

__all__ = [
    "Forecast",
    "Logistic",
    "Pairs",
    "RewardModel",
    "Ridge",
    "ScikitModel",
    "action_pairs",
    "cross_fitted",
    "fold_of",
    "robust_weights",
    "with_actions",
]
