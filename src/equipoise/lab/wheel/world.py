"""The wheel's rules.

A context is uniform in the unit disk. Action 0 pays 1.2 everywhere and every other 1.0, but for contexts
farther than delta from the centre: there the action that owns the quadrant pays 50. Rewards are normal around these
means with standard deviation .01. The nearer delta is to 1, the rarer the contexts in which anything is to be found.

Reference: Riquelme, Tucker and Snoek 2018, "Deep Bayesian Bandits Showdown", sec. 5.4 and app. A.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, InputError

ACTIONS = ("centre", "north-east", "south-east", "south-west", "north-west")
SAFE, PLAIN, RICH, DEVIATION = 1.2, 1.0, 50.0, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Wheel:
    """One stream. contexts: (n, 2) in the unit disk. means: (n, 5) expected rewards. rewards: (n, 5), as they fall."""

    contexts: Floats
    means: Floats
    rewards: Floats

    @property
    def losses(self) -> Floats:
        """Returns: (n, 5) how far each action's mean falls short of the best one's."""
        return np.asarray(self.means.max(axis=1, keepdims=True) - self.means)


def wheel(size: int, *, delta: float, rng: np.random.Generator) -> Wheel:
    """A stream of `size` contexts. delta: in (0, 1), how far out the rich rim begins."""
    if not 0.0 < delta < 1.0:
        raise InputError(f"delta is {delta} but must lie between 0 and 1, such as 0.95")
    contexts = disk(size, rng)
    means = expected(contexts, delta)
    return Wheel(contexts, means, means + DEVIATION * rng.standard_normal(means.shape))


def disk(size: int, rng: np.random.Generator) -> Floats:
    """Returns: (size, 2) uniform points: the radius of a uniform point is the root of a uniform number."""
    radius, angle = np.sqrt(rng.random(size)), rng.uniform(0.0, 2.0 * np.pi, size)
    return np.asarray(radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)]))


def expected(contexts: Floats, delta: float) -> Floats:
    """contexts: (n, 2). Returns: (n, 5) mean rewards of `ACTIONS`."""
    means = np.full((len(contexts), len(ACTIONS)), PLAIN)
    means[:, 0] = SAFE
    outside = np.linalg.norm(contexts, axis=1) > delta
    means[outside, quadrants(contexts)[outside]] = RICH
    return means


def quadrants(contexts: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Returns: (n,) the action, 1 to 4, that owns each context's quadrant."""
    east, north = contexts[:, 0] > 0.0, contexts[:, 1] > 0.0
    return np.where(east, np.where(north, 1, 2), np.where(north, 4, 3))
