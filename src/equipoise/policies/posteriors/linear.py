"""Bayesian linear regression that all items share: the mean reward is x'theta.

theta ~ N(m0, sigma^2 P0^-1), sigma^2 inverse-gamma or fixed; reward ~ N(x'theta, sigma^2). Text is all that this
posterior knows of an item; see `mixed` for one that also learns what this very item has shown.
Reference: Chu et al. 2011 (LinUCB) and Agrawal and Goyal 2013, with one posterior over all items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Batch, Candidates, FeatureSpace, Floats, State, Vectors
from equipoise.policies.base import Belief, Prior, dice
from equipoise.policies.gaussian.joint import gaussian
from equipoise.policies.gaussian.noise import Noise, NoiseSettings
from equipoise.policies.gaussian.products import products
from equipoise.policies.ranges import require
from equipoise.policies.weights import heavy, rows_state, rows_stored, weights_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSettings:
    """precision: of each weight where no prior is given, in rows (see `Prior`).
    noise: a guess at the variance of a reward around its mean, in squared units of reward. noise_rows: how many
    rows that guess is worth. learn_noise: False keeps the guess for ever; see `Noise`.
    discount: in (0, 1], what a row is worth one row later; below 1 a row costs O(d^3) instead of O(d^2).
    arithmetic: what a row is learned with, and how `BanditPolicy.shortlist` computes: "blas", or "compiled" by numba
    (extra `fast`), which learns a row in half the time. They agree to rounding and not in every bit, so change it as
    you would any other setting, with a rebuild.
    """

    precision: float = 1.0
    noise: float = 0.25
    noise_rows: float = 10.0
    learn_noise: bool = True
    discount: float = 1.0
    arithmetic: str = "blas"

    def __post_init__(self) -> None:
        require("discount", self.discount, 0.0, 1.0, above=True)


def mirrored(mean: Floats | Vectors, deviations: Vectors, draws: int) -> Vectors:
    """Returns: (draws, k) draws as antithetic pairs, mean + e and mean - e.

    Each draw alone has the posterior's distribution; a pair halves the cost and lowers the variance of
    frequencies. Reference: Hammersley and Morton 1956.
    """
    centre = mean.astype(np.float32, copy=False)
    pairs = len(deviations)
    samples = np.empty((2 * pairs, len(mean)), dtype=np.float32)
    np.add(centre, deviations, out=samples[:pairs])
    np.subtract(centre, deviations, out=samples[pairs:])
    return samples[:draws]


class SharedWeights:
    """A normal-inverse-gamma belief about d weights that all items share: what linear and mixed have in common."""

    def __init__(self, space: FeatureSpace, settings: LinearSettings, prior: Prior | None) -> None:
        self._space = space
        self.arithmetic = settings.arithmetic
        self._rows = 0
        self._surplus = 0.0
        start = prior or Prior.flat(space.dim, precision=settings.precision)
        self._weights = gaussian(
            start.fit(space.dim), discount=settings.discount, arithmetic=settings.arithmetic
        )
        noise = NoiseSettings(variance=settings.noise, rows=settings.noise_rows, learned=settings.learn_noise)
        self._noise = Noise(noise, discount=settings.discount)

    @property
    def space(self) -> FeatureSpace:
        return self._space

    @property
    def rows(self) -> int:
        """How many rows were learned, each as often as it counts."""
        return self._rows if not self._surplus else round(self._rows + self._surplus)

    @property
    def weights(self) -> Floats:
        """Returns: (d,) mean weights; a feature times its weight is its part of the mean reward."""
        return self._weights.mean.copy()

    def draw_weights(self, standard: Vectors) -> Floats:
        """Returns: (d,) one posterior draw of the weights, for a search that looks where a draw would look.

        standard: (d,) standard normals.
        """
        strayed = self._weights.root32() @ standard
        return np.asarray(self._weights.mean + np.sqrt(self._noise.variance) * strayed)


class LinearPosterior(SharedWeights):
    """One normal-inverse-gamma posterior over d weights."""

    def __init__(
        self, space: FeatureSpace, *, settings: LinearSettings | None = None, prior: Prior | None = None
    ) -> None:
        super().__init__(space, settings or LinearSettings(), prior)

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        mean = self.predict(candidates.features)
        return Belief(
            item_ids=candidates.item_ids,
            mean=mean,
            spread=self._spread(candidates.features) if spread else None,
            samples=self._samples(candidates.features, mean, dice(rng), draws) if draws else None,
            rows=self.rows,
        )

    def predict(self, features: Vectors) -> Floats:
        """features: (k, d). Returns: (k,) mean rewards."""
        return products(features, self._weights.mean)

    @property
    def mean(self) -> Floats:
        """(d,) mean weights, not to be written into; they change as rows are learned."""
        return self._weights.mean

    def strays(self, rng: np.random.Generator, rows: int) -> Vectors:
        """Returns: (rows, d) float32, posterior draws of the weights less their mean; not to be written into."""
        return self._weights.strayed(rng, rows, self._noise.deviations)

    def check(self, batch: Batch) -> None:
        """Any finite reward will do."""

    def update(self, batch: Batch) -> None:
        if batch.weights is not None:
            self._update_weighted(heavy(batch))
            return
        features = batch.features
        if len(features) == 1:  # what a call of its own costs is a third less so
            error, variance = self._weights.absorb(features[0], batch.rewards.item())
            self._noise.absorb(error, variance)
            self._rows += 1
            return
        errors, variances = self._weights.absorb_rows(features, batch.rewards)
        self._noise.absorb_rows(errors, variances)
        self._rows += len(errors)

    def _update_weighted(self, batch: Batch) -> None:
        features = batch.features.astype(np.float64)
        for x, reward, weight in zip(features, batch.rewards.tolist(), weights_of(batch), strict=True):
            self.learn(x, reward, weight)

    def forecast(self, x: Floats) -> tuple[float, float]:
        """x: (d,). Returns: x'm and x'S x, in units of reward and of `noise`, at O(d^2) without a root of S."""
        return self._weights.forecast(x)

    @property
    def noise(self) -> Noise:
        """What is believed of the variance of a reward around its mean."""
        return self._noise

    def learn(self, x: Floats | Vectors, reward: float, weight: float = 1.0) -> None:
        """One row. x: (d,). weight: above 0, how many rows it counts for."""
        error, variance = self._weights.absorb(x, reward, noise=1.0 / weight)
        self._noise.absorb(error, variance, weight)
        self._rows += 1
        self._surplus += weight - 1.0

    def state(self) -> State:
        return {"rows": rows_state(self._rows, self._surplus), **self._noise.state(), **self._weights.state()}

    def restore(self, state: State) -> None:
        self._weights.restore(state)
        self._noise.restore(state)
        self._rows, self._surplus = rows_stored(state)

    def _spread(self, features: Vectors) -> Floats:
        # x'S x = |R'x|^2, in units of the noise.
        across = features.astype(np.float64) @ self._weights.root()
        return np.asarray(np.sqrt(self._noise.variance * np.einsum("kd,kd->k", across, across)))

    def _samples(self, features: Vectors, mean: Floats, rng: np.random.Generator, draws: int) -> Vectors:
        pairs = (draws + 1) // 2
        return mirrored(mean, self.strays(rng, pairs) @ features.T, draws)
