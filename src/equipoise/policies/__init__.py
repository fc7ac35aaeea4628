"""k candidate features to a distribution: posteriors, explorers, slates, and `draw`, which throws the dice."""

from equipoise.policies.base import Belief, Directed, Explorer, Posterior, Prior
from equipoise.policies.draw import draw
from equipoise.policies.policy import BanditPolicy, floored
from equipoise.policies.registry import build, settings_of

__all__ = [
    "BanditPolicy",
    "Belief",
    "Directed",
    "Explorer",
    "Posterior",
    "Prior",
    "build",
    "draw",
    "floored",
    "settings_of",
]
