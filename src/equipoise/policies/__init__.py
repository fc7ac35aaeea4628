"""k candidate features to a distribution: posteriors, explorers, slates, and `draw`, which throws the dice."""

from equipoise.policies.base import Belief, Directed, Explorer, Posterior, Prior
from equipoise.policies.campaigns.campaign import CampaignPosterior, campaign
from equipoise.policies.campaigns.logits import LogitBelief, LogitNormal, learned
from equipoise.policies.campaigns.programme import Programme, Upcoming
from equipoise.policies.campaigns.related import PastTest, RelatedArms, RelatedSettings
from equipoise.policies.draw import draw
from equipoise.policies.floors import floored
from equipoise.policies.policy import BanditPolicy
from equipoise.policies.registry import build, settings_of
from equipoise.policies.shortlist import Shortlist

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
    "Programme",
    "RelatedArms",
    "RelatedSettings",
    "Shortlist",
    "Upcoming",
    "build",
    "campaign",
    "draw",
    "floored",
    "learned",
    "settings_of",
]
