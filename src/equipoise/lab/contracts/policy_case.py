"""What the laws of a Policy are checked with: a maker of policies, and the candidates and rows it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, Candidates, Choice, FeatureSpace, Policy, SlateDistribution
from equipoise.policies import draw as the_dice

FALSE_ALARM = 1e-6
"""Chance that a law about frequencies is found broken by a part that keeps it; the seeds are fixed besides."""

SUM_TOLERANCE = 1e-9


class Draw(Protocol):
    """The one function that throws the dice: `equipoise.policies.draw`, or another to be checked."""

    def __call__(self, distribution: SlateDistribution, m: int, rng: np.random.Generator) -> Choice: ...


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """How to make a policy, and what to show it.

    make: a policy that has learned nothing. floor: each of k candidates gets at least min(floor, 1 / k).
    k: candidates, 4 or more. item_ids: k or more ids for a policy that knows its items beforehand; invented if ().
    rows: how many settled rows it learns. tolerance: between the state after one batch and after its rows one by
    one, relative; 0 asks for equal bits. forgets: old rows count less, by a clock that goes by rows.
    seeds, throws: how many dice the laws about chance throw.
    """

    make: Callable[[], Policy]
    space: FeatureSpace
    floor: float = 0.0
    k: int = 12
    item_ids: tuple[str, ...] = ()
    rows: int = 40
    tolerance: float = 1e-12
    forgets: bool = False
    seeds: int = 100
    throws: int = 1500
    seed: int = 0
    draw: Draw = the_dice

    def candidates(self, k: int | None = None) -> Candidates:
        """k items with normal features of variance 1 / d, and unit vectors of 8 numbers."""
        k = self.k if k is None else k
        rng = np.random.default_rng([self.seed, 1])
        features = rng.standard_normal((k, self.space.dim)) / np.sqrt(self.space.dim)
        vectors = rng.standard_normal((k, 8))
        return Candidates(
            item_ids=self._ids(k),
            features=features.astype(np.float32),
            space=self.space,
            user_id="u1",
            vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        )

    def batch(self) -> Batch:
        """Rows about items and users that come again and again, strangers among them; rewards 0 or 1."""
        rng = np.random.default_rng([self.seed, 2])
        n, ids = self.rows, self._ids(self.k)
        features = rng.standard_normal((n, self.space.dim)) / np.sqrt(self.space.dim)
        chance = 1.0 / (1.0 + np.exp(-3.0 * features[:, 0]))
        users = (None, "u1", "u2")
        return Batch(
            item_ids=tuple(ids[i] for i in rng.integers(len(ids), size=n)),
            user_ids=tuple(users[i] for i in rng.integers(len(users), size=n)),
            features=features.astype(np.float32),
            rewards=(rng.random(n) < chance).astype(np.float64),
            propensities=rng.uniform(0.05, 1.0, n),
            space=self.space,
        )

    def learned(self) -> Policy:
        policy = self.make()
        policy.update(self.batch())
        return policy

    def rng(self, number: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, 3, number])

    def _ids(self, k: int) -> tuple[str, ...]:
        return self.item_ids[:k] if self.item_ids else tuple(f"i{row}" for row in range(k))


def permuted(candidates: Candidates, order: NDArray[np.int64]) -> Candidates:
    """The same candidates, `order[i]` at position i."""
    return replace(
        candidates,
        item_ids=tuple(candidates.item_ids[i] for i in order),
        features=candidates.features[order],
        sources=tuple(candidates.sources[i] for i in order) if candidates.sources else (),
        vectors=None if candidates.vectors is None else candidates.vectors[order],
    )


def part(batch: Batch, start: int, stop: int) -> Batch:
    """Rows from `start` up to `stop`."""
    return rows_of(batch, np.arange(start, stop))


def rows_of(batch: Batch, rows: NDArray[np.int64]) -> Batch:
    """These rows, in this order, as often as they are named; without weights."""
    return Batch(
        item_ids=tuple(batch.item_ids[row] for row in rows.tolist()),
        user_ids=tuple(batch.user_ids[row] for row in rows.tolist()),
        features=batch.features[rows],
        rewards=batch.rewards[rows],
        propensities=batch.propensities[rows],
        space=batch.space,
    )
