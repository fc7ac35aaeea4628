"""k candidate features to a distribution: posteriors, explorers, slates, and `draw`, which throws the dice."""

from equipoise.policies.base import Belief, Directed, Explorer, Posterior, Prior
from equipoise.policies.campaign import CampaignPosterior, campaign
from equipoise.policies.draw import draw
from equipoise.policies.logits import LogitBelief, LogitNormal, learned
from equipoise.policies.policy import BanditPolicy, floored
from equipoise.policies.registry import build, settings_of
from equipoise.policies.related import PastTest, RelatedArms, RelatedSettings

__all__ = [
    "BanditPolicy",
    "Belief",
    "CampaignPosterior",
    "Directed",
    "Explorer",
    "LogitBelief",
    "LogitNormal",
    "PastTest",
    "Posterior",
    "Prior",
    "RelatedArms",
    "RelatedSettings",
    "build",
    "campaign",
    "draw",
    "floored",
    "learned",
    "settings_of",
]
