"""One linear regression for each arm: the same context may mean another thing for each item.

An arm is an item_id and its candidate's features are the context. Arms share nothing, so each needs rows of its
own: for a small fixed set. A draw for one arm is mean + sigma sqrt(x'S x) t with t standard normal and sigma^2
inverse-gamma, the marginal of the arm's normal-inverse-gamma posterior, so no arm's S is ever factorised.
Reference: Li et al. 2010, Alg. 1 (disjoint LinUCB); Riquelme et al. 2018, sec. 3.1 (unknown noise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import (
    Batch,
    Candidates,
    ConfigurationError,
    FeatureSpace,
    Floats,
    InputError,
    State,
    Vectors,
)
from equipoise.policies.base import Belief, Prior, dice
from equipoise.policies.gaussian.fourier import FourierMap
from equipoise.policies.gaussian.noise import Noise, deviations
from equipoise.policies.gaussian.normals import normals
from equipoise.policies.ordered import by_item, ranks
from equipoise.policies.posteriors.linear import LinearPosterior, LinearSettings, mirrored
from equipoise.policies.ranges import require
from equipoise.policies.stored import names, stored, under, within
from equipoise.policies.weights import heavy, rows_state, rows_stored, surplus, weights_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsSettings(LinearSettings):
    """Those of `LinearSettings`, for each arm; `discount` counts an arm's own rows.

    most_arms: more than so many are refused, since each holds d x d numbers.
    fourier: how many random Fourier features each regression has besides, an even number; 0 keeps it linear (see
    `FourierMap`). fourier_length: the distance, in units of the features, at which contexts stop being alike.
    fourier_weight: the norm of those features, to be held against the norm of the others.
    """

    most_arms: int = 256
    fourier: int = 0
    fourier_length: float = 1.0
    fourier_weight: float = 3.0

    def __post_init__(self) -> None:
        require("discount", self.discount, 0.0, 1.0, above=True)
        require("most_arms", self.most_arms, 1)
        require("fourier", self.fourier, 0)
        require("fourier_length", self.fourier_length, 0.0, above=True)
        require("fourier_weight", self.fourier_weight, 0.0, above=True)
        if self.fourier % 2:
            raise ConfigurationError(
                f"setting 'fourier' is {self.fourier} but must be even, a cosine and a sine each: change it there"
            )


class PerArmPosterior:
    """A `LinearPosterior` for each item_id that has had a row; the prior for every other."""

    def __init__(
        self, space: FeatureSpace, *, settings: ArmsSettings | None = None, prior: Prior | None = None
    ) -> None:
        self._space = space
        self._settings = settings or ArmsSettings()
        chosen = self._settings
        self._map = FourierMap(
            space.dim, count=chosen.fourier, length=chosen.fourier_length, weight=chosen.fourier_weight
        )
        start = (prior or Prior.flat(space.dim, precision=chosen.precision)).fit(space.dim)
        self._prior = self._map.widened(start, precision=chosen.precision)
        self._wide = FeatureSpace(f"{space.name}+fourier", space.version, len(self._prior.mean))
        self._unseen = self._fresh()
        self._arms: dict[str, LinearPosterior] = {}
        self._rows = 0
        self._surplus = 0.0

    @property
    def space(self) -> FeatureSpace:
        return self._space

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        features = self._map(candidates.features.astype(np.float64))
        arms = [self._arms.get(item_id, self._unseen) for item_id in candidates.item_ids]
        forecasts = np.array([arm.forecast(x) for arm, x in zip(arms, features, strict=True)])
        mean, width = forecasts[:, 0], np.sqrt(np.maximum(forecasts[:, 1], 0.0))
        noises = [arm.noise for arm in arms]
        return Belief(
            item_ids=candidates.item_ids,
            mean=mean,
            spread=width * np.sqrt([noise.variance for noise in noises]) if spread else None,
            samples=_samples(candidates.item_ids, mean, width, noises, dice(rng), draws) if draws else None,
            rows=round(self._rows + self._surplus),
        )

    def forecast(self, item_id: str, features: Vectors) -> tuple[float, float]:
        """Mean and variance of one reward of an arm, its noise included. features: (1, d)."""
        (x,) = self._map(features.astype(np.float64))
        arm = self._arms.get(item_id, self._unseen)
        mean, variance = arm.forecast(x)
        return mean, arm.noise.variance * (1.0 + max(variance, 0.0))

    def check(self, batch: Batch) -> None:
        """Raises: InputError: more arms than `most_arms`."""
        arms = len(self._arms.keys() | set(batch.item_ids))
        if arms > self._settings.most_arms:
            raise InputError(
                f"{arms} arms, but 'most_arms' is {self._settings.most_arms}: take posterior 'mixed', which"
                " shares what arms have in common, or raise the setting"
            )

    def update(self, batch: Batch) -> None:
        batch = heavy(batch)
        for row, (item_id, weight) in enumerate(zip(batch.item_ids, weights_of(batch), strict=True)):
            if item_id not in self._arms:
                self._arms[item_id] = self._fresh()
            # One row at a time, since a product of many rounds otherwise than of one.
            (x,) = self._map(batch.features[row : row + 1].astype(np.float64))
            self._arms[item_id].learn(x, float(batch.rewards[row]), weight)
        self._rows += len(batch)
        self._surplus = surplus(batch, self._surplus)

    def _fresh(self) -> LinearPosterior:
        return LinearPosterior(self._wide, settings=self._settings, prior=self._prior)

    def state(self) -> State:
        arms = enumerate(self._arms.values())
        parts = [under(f"arm{number}", arm.state()) for number, arm in arms]
        ids = {"rows": rows_state(self._rows, self._surplus), "ids": names(self._arms)}
        return {key: array for part in (ids, *parts) for key, array in part.items()}

    def restore(self, state: State) -> None:
        arms: dict[str, LinearPosterior] = {}
        for number, item_id in enumerate(stored(state, "ids")):
            arms[str(item_id)] = arm = self._fresh()
            arm.restore(within(f"arm{number}", state))
        self._rows, self._surplus = rows_stored(state)
        self._arms = arms


def _samples(
    item_ids: tuple[str, ...],
    mean: Floats,
    width: Floats,
    noises: list[Noise],
    rng: np.random.Generator,
    draws: int,
) -> Vectors:
    """(draws, k). width: (k,) sqrt(x'S x). Arms are independent, so a draw of x'theta_i needs one normal."""
    pairs, order = (draws + 1) // 2, np.argsort(ranks(item_ids))
    sigmas = deviations([noises[at] for at in order.tolist()], rng, pairs)
    strayed = sigmas * normals(rng, pairs, len(mean))
    return mirrored(mean, by_item(strayed, item_ids) * width.astype(np.float32), draws)
