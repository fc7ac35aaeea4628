"""Rewards that are linear in known features, or in features that nobody sees.

Items have unit vectors v_i in e dimensions, a request is a vector q of signs, and x = (1, q * v_i) are the features of
the pair. With text that helps, P(reward = 1) = (1 + (q * v_i)'theta) / 2 for a hidden unit theta. With text that does
not, the chance is (1 + u_i'theta) / 2 for hidden unit vectors u_i of the same law: features say nothing, and an item is
known only by what it has earned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import FeatureSpace, Floats, Vectors

DIM = 16
"""e, numbers in an item's vector."""

SPACE = FeatureSpace("linear-pair", "1", DIM + 1)


@dataclass(frozen=True, slots=True, eq=False)
class LinearWorld:
    """vectors: (n, e) float32, what is seen of the items. theta: (e,). chances: (n,) of each item where the text does
    not help, else None. requests: (rounds, e) float32 signs."""

    vectors: Vectors
    theta: Vectors
    chances: Vectors | None
    requests: Vectors

    @property
    def text(self) -> bool:
        """Whether the features say anything."""
        return self.chances is None

    def means(self, at: int) -> Vectors:
        """Returns: (n,) every item's chance of a reward in round `at`."""
        if self.chances is not None:
            return self.chances
        return np.asarray((1.0 + self.vectors @ (self.requests[at] * self.theta)) / 2.0)

    def features(self, at: int, items: np.ndarray) -> Vectors:
        """Returns: (k, e + 1) float32 features of these items and round `at`'s request."""
        pairs = self.vectors[items] * self.requests[at]
        return np.concatenate([np.ones((len(pairs), 1), np.float32), pairs], axis=1)


def linear_world(items: int, rounds: int, *, text: bool, rng: np.random.Generator) -> LinearWorld:
    """A world of so many items and requests."""
    theta, vectors = _unit(1, rng)[0], _unit(items, rng)
    chances = None if text else np.asarray((1.0 + _unit(items, rng) @ theta) / 2.0)
    signs = np.where(rng.random((rounds, DIM)) < 0.5, -1.0, 1.0).astype(np.float32)
    return LinearWorld(vectors, theta, chances, signs)


def _unit(rows: int, rng: np.random.Generator) -> Vectors:
    drawn = rng.standard_normal((rows, DIM), dtype=np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def slope(regret: Floats) -> float:
    """The exponent a of regret ~ rounds^a over the last three quarters, by least squares on logarithms.

    regret: (rounds,) running sums. NaN where nothing was lost by a quarter of the rounds, or there are too few.
    """
    ends = np.unique(np.geomspace(max(1, len(regret) // 4), len(regret), 50).astype(np.int64))
    losses = regret[ends - 1]
    if len(ends) < 2 or losses[0] <= 0.0:
        return float("nan")
    return float(np.polyfit(np.log(ends), np.log(losses), 1)[0])
