"""Settled decisions to knowledge: online learning, running statistics, checkpoints, replay."""

from equipoise.learning.checkpoints import Checkpoints
from equipoise.learning.learner import Learner, Weigh, alike, batch_of, same_state
from equipoise.learning.statistics import Statistics, StatisticsSettings

__all__ = [
    "Checkpoints",
    "Learner",
    "Statistics",
    "StatisticsSettings",
    "Weigh",
    "alike",
    "batch_of",
    "same_state",
]
