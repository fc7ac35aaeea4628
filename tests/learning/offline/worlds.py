"""Choices in a world whose truth is known: linear-ish rewards, a logging policy that prefers the wrong things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from equipoise.core import Floats
from equipoise.learning.offline import ChoiceLog

K, D = 8, 6


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """worth, taste: (d,) of a candidate's features to its reward, and to whoever chose for the log."""

    worth: Floats
    taste: Floats

    @classmethod
    def of(cls, seed: int) -> World:
        rng = np.random.default_rng([seed, 0])
        return cls(rng.normal(size=D), rng.normal(size=D))

    def moments(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Features (n, k, d), chances of a reward (n, k), logging probabilities (n, k)."""
        features = rng.normal(size=(n, K, D))
        bent = np.tanh(features[..., 0] * features[..., 1])  # no linear model has this
        chances = expit(1.5 * features @ self.worth - 1.0 + bent)
        return features, chances, softmax(0.6 * features @ self.taste, axis=1)

    def log(self, n: int, seed: int = 0) -> ChoiceLog:
        rng = np.random.default_rng([seed, 1])
        features, chances, odds = self.moments(n, rng)
        rows = np.arange(n)
        shown = (odds.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
        rewards = (rng.random(n) < chances[rows, shown]).astype(np.float64)
        return ChoiceLog(features.reshape(-1, D), rows * K, rows * K + shown, rewards, odds[rows, shown])

    def earned(self, weights: Floats | None, n: int = 4000) -> float:
        """Mean reward of a softmax policy on fresh moments; None is the logging policy."""
        features, chances, odds = self.moments(n, np.random.default_rng(99))
        if weights is not None:
            odds = softmax(features @ weights, axis=1)
        return float((odds * chances).sum(axis=1).mean())


def ragged(seed: int, n: int = 30) -> ChoiceLog:
    """Choices among 1 to 6 candidates with 3 features and rewards of any sign."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 7, size=n)
    starts = np.cumsum(sizes) - sizes
    return ChoiceLog(
        rng.normal(size=(int(sizes.sum()), 3)),
        starts,
        starts + rng.integers(0, sizes),
        rng.normal(size=n),
        rng.uniform(0.1, 1.0, size=n),
    )
