"""k candidate features to a distribution: posteriors, explorers, slates, and `draw`, which throws the dice."""

from equipoise.policies.base import Belief, Explorer, Posterior, Prior
from equipoise.policies.draw import draw
from equipoise.policies.policy import BanditPolicy
from equipoise.policies.registry import build, settings_of

__all__ = ["BanditPolicy", "Belief", "Explorer", "Posterior", "Prior", "build", "draw", "settings_of"]
