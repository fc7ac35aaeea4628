"""The product's own policy, `equipoise.policies.campaign`, played for all seeds side by side.

The same functions on arrays: that the odds are those of the policy itself, fed the same rows, is a test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from equipoise.core import FeatureSpace, Floats, Vectors
from equipoise.lab.headlines.data import HeadlineTest
from equipoise.lab.headlines.texts import LAYERS
from equipoise.lab.headlines.world import BATCH, Stream
from equipoise.policies import (
    LogitNormal,
    PastTest,
    Programme,
    RelatedArms,
    RelatedSettings,
    Upcoming,
    learned,
)
from equipoise.policies.campaigns.campaign import CAMPAIGN_FLOOR
from equipoise.policies.explorers.horizon import logit_odds

DRAWS = 64
SETTINGS = RelatedSettings(parts=len(LAYERS))
"""Chosen on the training tests alone; see the page of this world."""

Explore = Callable[[LogitNormal, int, np.random.Generator], Floats]
"""From the belief (b, k) and the visitors left to (b, k) odds before the floor."""


def horizon(logits: LogitNormal, left: int, _rng: np.random.Generator) -> Floats:
    """As the policy explores: for the visitors left."""
    return logit_odds(logits, left=left, batch=BATCH)


def greedy(logits: LogitNormal, _left: int, _rng: np.random.Generator) -> Floats:
    """The same belief, without exploring: as if these were the last visitors."""
    return logit_odds(logits, left=BATCH, batch=BATCH)


def thompson(logits: LogitNormal, _left: int, rng: np.random.Generator) -> Floats:
    """The same belief, explored by Thompson sampling."""
    root = np.linalg.cholesky(logits.covariance)
    normals = rng.standard_normal((DRAWS, *logits.mean.shape, 1))
    drawn = expit(logits.mean + (root @ normals)[..., 0])
    return np.asarray((drawn == drawn.max(axis=-1, keepdims=True)).mean(axis=0))


def related_arms(
    past: Sequence[HeadlineTest], vectors: Sequence[Vectors], *, settings: RelatedSettings = SETTINGS
) -> RelatedArms:
    """What the past tests say. vectors: one (k, d) a test, of all layers."""
    space = FeatureSpace("headlines", ".".join(map(str, LAYERS)), vectors[0].shape[1])
    rows = [PastTest(row, test.impressions, test.clicks) for test, row in zip(past, vectors, strict=True)]
    return RelatedArms.of(space, rows, settings=settings)


class CampaignStream:
    """One test, b times over. prior: mean (b, k), covariance (b, k, k). floor: the least probability of each arm."""

    def __init__(
        self, prior: LogitNormal, *, visitors: int, explore: Explore, floor: float, number: int
    ) -> None:
        self._prior = prior
        self._explore = explore
        self._floor = min(floor, 1.0 / prior.mean.shape[1])
        self._left = visitors
        self._shown = np.zeros_like(prior.mean)
        self._clicks = np.zeros_like(prior.mean)
        self._mode = prior.mean
        self._rng = np.random.default_rng([number, visitors])

    def odds(self) -> Floats:
        logits = learned(self._prior, self._shown, self._clicks, start=self._mode)
        self._mode = logits.mean
        odds = self._explore(logits, self._left, self._rng)
        return np.asarray(self._floor + (1.0 - self._shown.shape[1] * self._floor) * odds)

    def learn(self, shown: Floats, clicks: Floats) -> None:
        self._shown += shown
        self._clicks += clicks
        self._left -= BATCH


@dataclass(frozen=True, slots=True)
class Style:
    """How a newsroom uses the policy.

    explore: see `Explore`. keeps: a finished test joins the past of the next. shared: the floor is what all arms have
    together, and not each.
    """

    explore: Explore = horizon
    keeps: bool = True
    shared: bool = False

    def floor(self, arms: int) -> float:
        """The least probability of each arm."""
        return CAMPAIGN_FLOOR / arms if self.shared else CAMPAIGN_FLOOR


class CampaignPlayer:
    """Each of b seeds keeps a programme of its own, since each meets visitors of its own."""

    def __init__(self, upcoming: Upcoming, style: Style, *, seeds: int) -> None:
        self._programmes = [Programme(upcoming) for _ in range(seeds)]
        self._style = style

    def open(self, test: int, *, visitors: int) -> Stream:
        priors = [programme.prior(test) for programme in self._programmes]
        prior = LogitNormal(
            np.stack([each.mean for each in priors]), np.stack([each.covariance for each in priors])
        )
        floor = self._style.floor(prior.mean.shape[1])
        return CampaignStream(prior, visitors=visitors, explore=self._style.explore, floor=floor, number=test)

    def close(self, test: int, shown: Floats, clicks: Floats) -> None:
        if self._style.keeps:
            for programme, *counts in zip(self._programmes, shown, clicks, strict=True):
                programme.learn(test, *counts)


OURS: dict[str, Style] = {
    "campaign": Style(),
    "campaign_shared_floor": Style(shared=True),
    "campaign_alone": Style(keeps=False),
    "campaign_greedy": Style(greedy),
    "campaign_thompson": Style(thompson),
}
"""The policy, and what becomes of it when it has a lower floor, forgets each played test, or
explores otherwise."""
