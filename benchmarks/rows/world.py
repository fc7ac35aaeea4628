"""The made-up world of the decision and learning rows: item and request vectors, and clicks on their product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Batch, FeatureSpace, Floats, Vectors
from equipoise.policies import BanditPolicy, build

SPACE = FeatureSpace("speed", "1", 128)
REQUESTS, ROWS = 64, 2_000


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """items: (n, d) float32. requests: (64, d) float32. A candidate's features are request x item, element by
    element. shown: (2000,) items and asked: (2000,) requests of the rows that everybody learns from; rewards: (2000,).
    """

    items: Vectors
    requests: Vectors
    shown: np.ndarray
    asked: np.ndarray
    rewards: Floats

    def features(self) -> Vectors:
        """Returns: (2000, d) of the rows to learn from."""
        return self.requests[self.asked] * self.items[self.shown]

    def item_ids(self) -> tuple[str, ...]:
        return tuple(f"i{row}" for row in range(len(self.items)))


def world(items: int, *, dim: int = SPACE.dim) -> World:
    """Normal vectors, of length about 1 for items; a click is likelier the higher a hidden linear score."""
    rng = np.random.default_rng(7)
    vectors = (rng.standard_normal((items, dim)) / np.sqrt(dim)).astype(np.float32)
    requests = rng.standard_normal((REQUESTS, dim)).astype(np.float32)
    shown, asked = rng.integers(0, items, ROWS), rng.integers(0, REQUESTS, ROWS)
    hidden = rng.standard_normal(dim) / 4.0
    clicks = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-(requests[asked] * vectors[shown]) @ hidden))
    return World(vectors, requests, shown, asked, clicks.astype(np.float64))


def batch(made: World, space: FeatureSpace = SPACE) -> Batch:
    """The rows of the world as one batch."""
    return Batch(
        item_ids=tuple(f"i{item}" for item in made.shown.tolist()),
        user_ids=(None,) * ROWS,
        features=made.features(),
        rewards=made.rewards,
        propensities=np.full(ROWS, 0.1),
        space=space,
    )


def learned(name: str, made: World, *, space: FeatureSpace = SPACE, **settings: object) -> BanditPolicy:
    """A policy on the posterior 'linear' that has learned the world's rows."""
    policy = build(name, space, posterior="linear", **settings)
    policy.update(batch(made, space))
    return policy
