"""Policies from logs: of our own journal or of another system, with propensities or without."""

from equipoise.learning.offline.choices import ChoiceLog, chances, choices_of
from equipoise.learning.offline.doubly_robust import DoublyRobust, LogEvidence
from equipoise.learning.offline.frequency import frequency_propensities
from equipoise.learning.offline.policy import SoftmaxPolicy
from equipoise.learning.offline.propensity import EstimatedPropensities, estimate_propensities
from equipoise.learning.offline.reward_model import RewardWeights, forecasts, reward_weights
from equipoise.learning.offline.training import Trained, TrainingSettings, Tried, choose, judged, train

__all__ = [
    "ChoiceLog",
    "DoublyRobust",
    "EstimatedPropensities",
    "LogEvidence",
    "RewardWeights",
    "SoftmaxPolicy",
    "Trained",
    "TrainingSettings",
    "Tried",
    "chances",
    "choices_of",
    "choose",
    "estimate_propensities",
    "forecasts",
    "frequency_propensities",
    "judged",
    "reward_weights",
    "train",
]
