"""One test of a few arms with a known number of visitors, such as which of five headlines to show.

Before the first visitor the arms are believed to be what the arms of past tests with texts like theirs were
(`related`); clicks correct that, arm by arm and for the test as a whole (`logits`); and how much is explored follows
from the visitors left (`explorers.horizon`). A belief depends on counts alone: one batch equals its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from equipoise.core import Batch, Candidates, FeatureSpace, Floats, State, Vectors
from equipoise.policies.base import dice
from equipoise.policies.campaigns.logits import LogitBelief, LogitNormal, learned
from equipoise.policies.campaigns.related import RelatedArms
from equipoise.policies.checks import refuse_outside_unit
from equipoise.policies.explorers.horizon import Horizon
from equipoise.policies.policy import BanditPolicy
from equipoise.policies.stored import names, stored
from equipoise.policies.weights import heavy, rows_state, rows_stored, surplus, weights_of

CAMPAIGN_FLOOR = 0.005


def campaign(
    related: RelatedArms, *, visitors: int, batch: int = 20, floor: float = CAMPAIGN_FLOOR
) -> BanditPolicy:
    """A policy for one test: make a new one for the next.

    related: what past tests have taught. visitors: how many the test will have. batch: how many choose before their
    clicks are learned. floor: the least probability of each arm.
    """
    posterior = CampaignPosterior(related)
    return BanditPolicy(
        "campaign", posterior=posterior, explorer=Horizon(visitors=visitors, batch=batch), floor=floor
    )


@dataclass(slots=True, eq=False)
class Arm:
    """features: (d,) float32, as last shown. shown, clicks: counts."""

    features: Vectors
    shown: float = 0.0
    clicks: float = 0.0


class CampaignPosterior:
    """A joint normal belief about the logits of the arms shown so far and of the candidates.

    Rewards lie in [0, 1]; a fraction counts as so much of a click. Believing costs O((n + k)^3) for n arms seen, and
    O(m^2 (n + k)) for m past arms when the candidates are new.
    """

    def __init__(self, related: RelatedArms) -> None:
        self._related = related
        self._arms: dict[str, Arm] = {}
        self._rows = 0
        self._surplus = 0.0
        self._prior: tuple[bytes, LogitNormal] | None = None

    @property
    def space(self) -> FeatureSpace:
        return self._related.space

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> LogitBelief:
        ids = sorted({*self._arms, *candidates.item_ids})
        logits = self._posterior(ids, candidates)
        places = {item_id: place for place, item_id in enumerate(ids)}
        order = np.array([places[item_id] for item_id in candidates.item_ids])
        chosen = LogitNormal(logits.mean[order], logits.covariance[np.ix_(order, order)])
        mean = chosen.chances()
        return LogitBelief(
            item_ids=candidates.item_ids,
            mean=mean,
            spread=mean * (1.0 - mean) * np.sqrt(chosen.variance) if spread else None,
            samples=_samples(logits, dice(rng), draws)[:, order] if draws else None,
            rows=round(self._rows + self._surplus),
            logits=chosen,
        )

    def check(self, batch: Batch) -> None:
        """Raises: InputError: a reward outside [0, 1]."""
        refuse_outside_unit(batch.rewards, who="a campaign")

    def update(self, batch: Batch) -> None:
        batch = heavy(batch)
        for item_id, features, reward, weight in zip(
            batch.item_ids, batch.features, batch.rewards.tolist(), weights_of(batch), strict=True
        ):
            arm = self._arms.setdefault(item_id, Arm(features))
            arm.features = np.array(features, dtype=np.float32)
            arm.shown += weight
            arm.clicks += weight * reward
        self._rows += len(batch)
        self._surplus = surplus(batch, self._surplus)

    def _posterior(self, ids: list[str], candidates: Candidates) -> LogitNormal:
        """The belief about all of `ids`, in their order."""
        rows = dict(zip(candidates.item_ids, candidates.features, strict=True))
        features = np.stack(
            [rows[item_id] if item_id in rows else self._arms[item_id].features for item_id in ids]
        )
        counts = np.array(
            [(arm.shown, arm.clicks) if (arm := self._arms.get(item_id)) else (0.0, 0.0) for item_id in ids]
        )
        return learned(self._told(features), counts[:, 0], counts[:, 1])

    def _told(self, features: Vectors) -> LogitNormal:
        """The prior of these arms; that of the arms asked about last is kept, since a test asks about the same ones."""
        key = features.tobytes()
        if self._prior is None or self._prior[0] != key:
            self._prior = (key, self._related.prior(features))
        return self._prior[1]

    def state(self) -> State:
        arms = list(self._arms.values())
        return {
            "rows": rows_state(self._rows, self._surplus),
            "ids": names(self._arms),
            "counts": np.array([(arm.shown, arm.clicks) for arm in arms]).reshape(len(arms), 2),
            "features": np.array([arm.features for arm in arms], dtype=np.float32).reshape(
                len(arms), self.space.dim
            ),
        }

    def restore(self, state: State) -> None:
        ids = [str(item_id) for item_id in stored(state, "ids")]
        counts = stored(state, "counts", (len(ids), 2))
        features = stored(state, "features", (len(ids), self.space.dim))
        self._rows, self._surplus = rows_stored(state)
        self._arms = {
            item_id: Arm(row, float(shown), float(clicks))
            for item_id, row, (shown, clicks) in zip(ids, features, counts, strict=True)
        }


def _samples(logits: LogitNormal, rng: np.random.Generator, draws: int) -> Vectors:
    """(draws, n) float32 joint draws of the chances."""
    root = np.linalg.cholesky(logits.covariance)
    normals: Floats = rng.standard_normal((draws, len(logits.mean)))
    return np.asarray(expit(logits.mean + normals @ root.T), dtype=np.float32)
