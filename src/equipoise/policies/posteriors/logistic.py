"""Bayesian logistic regression that all items share, for rewards that are rare events.

    P(reward = 1) = sigmoid(logit(prior_mean) + x'theta),    theta ~ N(m0, P0^-1)

A row is learned by Laplace's approximation, with the full covariance: along S x the one-row posterior's mode t
solves t = mu + v (r - sigmoid(t)), mu and v being mean and variance of the logit, by Newton's method; then
the precision grows by sigmoid(t) (1 - sigmoid(t)) x x'. This is the one-row Newton step of Spiegelhalter
and Lauritzen 1990 (and Chapelle and Li 2011, Alg. 3, who keep the diagonal only), taken to its end.

A belief's mean is the chance itself, sigmoid(mu / sqrt(1 + pi v / 8)) (MacKay 1992, eq. 10); its spread is the
delta method's. Rewards lie in [0, 1]; a fraction counts as so much of a success.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from equipoise.core import Batch, Candidates, FeatureSpace, Floats, State, Vectors
from equipoise.policies.base import Belief, Prior, dice
from equipoise.policies.checks import refuse_outside_unit
from equipoise.policies.gaussian.joint import gaussian
from equipoise.policies.posteriors.linear import mirrored
from equipoise.policies.ranges import require
from equipoise.policies.weights import (
    copies,
    heavy,
    refuse_heavy,
    rows_state,
    rows_stored,
    surplus,
    weights_of,
)

CONVERGED = 1e-12
MOST_STEPS = 100
FLATTEST = 1e-9
"""Below this slope of the sigmoid a row says nothing that float64 could keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticSettings:
    """prior_mean: the chance before any row, in (0, 1), left out where a `Prior` is given.
    precision: of each weight, in inverse squared units of the logit. discount: in (0, 1], what a row is
    worth one row later.
    """

    prior_mean: float = 0.5
    precision: float = 1.0
    discount: float = 1.0

    def __post_init__(self) -> None:
        require("prior_mean", self.prior_mean, 1e-6, 1.0 - 1e-6)
        require("discount", self.discount, 0.0, 1.0, above=True)


class LogisticPosterior:
    """One normal belief over d weights on the scale of the logit."""

    def __init__(
        self, space: FeatureSpace, *, settings: LogisticSettings | None = None, prior: Prior | None = None
    ) -> None:
        chosen = settings or LogisticSettings()
        self._space = space
        self._rows = 0
        self._surplus = 0.0
        self._base = math.log(chosen.prior_mean / (1.0 - chosen.prior_mean)) if prior is None else 0.0
        start = prior or Prior.flat(space.dim, precision=chosen.precision)
        self._weights = gaussian(start.fit(space.dim), discount=chosen.discount)

    @property
    def space(self) -> FeatureSpace:
        return self._space

    @property
    def weights(self) -> Floats:
        """Returns: (d,) mean weights on the scale of the logit."""
        return self._weights.mean.copy()

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        features = candidates.features.astype(np.float64)
        logit = self._base + features @ self._weights.mean
        across = features @ self._weights.root()
        variance = np.einsum("kd,kd->k", across, across)
        mean = expit(logit / np.sqrt(1.0 + math.pi / 8.0 * variance))
        return Belief(
            item_ids=candidates.item_ids,
            mean=mean,
            spread=mean * (1.0 - mean) * np.sqrt(variance) if spread else None,
            samples=self._samples(logit, across, dice(rng), draws) if draws else None,
            rows=round(self._rows + self._surplus),
        )

    def check(self, batch: Batch) -> None:
        """Raises: InputError: a reward outside [0, 1], or a row that weighs too much."""
        refuse_outside_unit(batch.rewards, who="a logistic posterior")
        refuse_heavy(batch, who="a logistic posterior")

    def update(self, batch: Batch) -> None:
        if batch.weights is not None:
            self._update_weighted(heavy(batch))
            return
        features = batch.features.astype(np.float64)
        for x, reward in zip(features, batch.rewards.tolist(), strict=True):
            self._learn(x, reward)
        self._rows += len(batch)

    def _update_weighted(self, batch: Batch) -> None:
        features = batch.features.astype(np.float64)
        for x, reward, weight in zip(features, batch.rewards.tolist(), weights_of(batch), strict=True):
            if weight == 1.0:
                self._learn(x, reward)
            else:
                self._learn_copies(x, reward, weight)
        self._rows += len(batch)
        self._surplus = surplus(batch, self._surplus)

    def _learn(self, x: Floats, reward: float) -> None:
        mean, variance = self._weights.forecast(x)
        mode = mode_of_row(self._base + mean, variance, reward)
        chance = sigmoid(mode)
        slope = max(chance * (1.0 - chance), FLATTEST)
        # The normal row with this noise and this target moves mean and covariance to the mode and its curvature.
        step = (variance + 1.0 / slope) * (reward - chance)
        self._weights.absorb(x, mean + step, noise=1.0 / slope)

    def _learn_copies(self, x: Floats, reward: float, weight: float) -> None:
        """One Newton step a copy. All lie along S x, so that mean and variance of the logit are all that changes from
        one to the next; what they add to the precision and to precision times mean is learned at once.
        """
        mean, variance = self._weights.forecast(x)
        logit, left, precision, information = self._base + mean, variance, 0.0, 0.0
        for share in copies(weight):
            mode = mode_of_row(logit, left, reward, share)
            chance = sigmoid(mode)
            curvature = share * max(chance * (1.0 - chance), FLATTEST)
            precision += curvature
            information += curvature * mode + share * (reward - chance)
            logit, left = mode, left / (1.0 + left * curvature)
        self._weights.absorb(x, information / precision - self._base, noise=1.0 / precision)

    def _samples(self, logit: Floats, across: Floats, rng: np.random.Generator, draws: int) -> Vectors:
        normals = rng.standard_normal(((draws + 1) // 2, self._space.dim), dtype=np.float32)
        samples: Vectors = expit(mirrored(logit, normals @ across.astype(np.float32).T, draws))
        return samples

    def state(self) -> State:
        return {"rows": rows_state(self._rows, self._surplus), **self._weights.state()}

    def restore(self, state: State) -> None:
        self._weights.restore(state)
        self._rows, self._surplus = rows_stored(state)


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow."""
    if logit >= 0.0:
        return 1.0 / (1.0 + math.exp(-logit))
    rising = math.exp(logit)
    return rising / (1.0 + rising)


def mode_of_row(mean: float, variance: float, reward: float, weight: float = 1.0) -> float:
    """The t at which t = mean + variance (reward - sigmoid(t)): where one row leaves the logit N(mean, variance).

    weight: of the row, by which the variance is multiplied.

    The left side less the right rises in t; it is convex below 0 and concave above, so that Newton's method from
    anywhere between 0 and the root comes to the root from that side, without ever passing it.
    """
    if weight != 1.0:
        variance = weight * variance
    mode = min(max(0.0, mean + variance * (reward - 1.0)), mean + variance * reward)
    for _ in range(MOST_STEPS):
        chance = sigmoid(mode)
        excess = mode - mean - variance * (reward - chance)
        step = excess / (1.0 + variance * chance * (1.0 - chance))
        mode -= step
        if abs(step) <= CONVERGED * (1.0 + abs(mode)):
            break
    return mode
