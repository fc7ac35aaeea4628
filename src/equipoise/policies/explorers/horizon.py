"""Explore for the visitors who are still to come: with few left, take the best; with many, find out first.

For each arm i and several lengths n, what would it be worth to show i to the next n of the L visitors left, and then
to the rest whichever arm looks best by then?

    V_i = max_n  n mu_i + (L - n) E max_j mu_j(after n visitors of i)

The arm with the greatest V_i is shown to the next batch, and the question is asked again. It is the knowledge gradient
times the visitors left (Frazier, Powell and Dayanik 2008, eq. 11; its online form: Ryzhov, Powell and Frazier 2012,
eq. 15), with the best n and not one visitor, since the first few clicks of a rare event change no mind and so seem
worthless (the KG(*) of Frazier and Powell 2010). It needs no strength of exploration: the visitors set it.

Where the belief is a joint one about logits, n visitors of arm i move the logit of every arm j by s_ji z, where z is
standard normal and

    s_ji = C_ji / sqrt(C_ii + 1 / (n p_i (1 - p_i))),

(Frazier, Powell and Dayanik 2009, for correlated beliefs), and E max is a Gauss-Hermite sum over z. Elsewhere arms
are taken for independent normals, and E max has a closed form. In both, the value of knowing is at least 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from equipoise.core import Floats
from equipoise.policies.base import Belief
from equipoise.policies.campaigns.logits import LogitBelief, LogitNormal, hermite
from equipoise.policies.explorers.base import Stateless, leaders, spread_of, winners
from equipoise.policies.ranges import require

NODES = 10
RATIO = 3
"""Lengths looked at: one batch, 3, 9, 27, ... of them."""
LEAST = 1e-12
"""Chances are kept this far from 0 and 1, so that their logits are finite; and what moves less does not move."""
FAR = 40.0
"""Standard deviations beyond which nothing is left of a normal."""


@dataclass(frozen=True, kw_only=True)
class Horizon(Stateless):
    """visitors: how many there will be in all; a posterior that has learned from r rows has visitors - r left, and at
    least one batch. batch: how many choose before anything is learned. reward_variance: of a reward around its
    mean, for posteriors that are not about logits, in squared units of reward.
    """

    name: ClassVar[str] = "horizon"
    needs_spread: ClassVar[bool] = True
    visitors: int = 10_000
    batch: int = 1
    reward_variance: float = 0.25

    def __post_init__(self) -> None:
        require("visitors", self.visitors, 1)
        require("batch", self.batch, 1)
        require("reward_variance", self.reward_variance, 0.0, above=True)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        left = self.left(belief.rows)
        if isinstance(belief, LogitBelief):
            return self._joint_odds(belief.logits, left, available)
        return winners(self._values(belief, left, available), available)

    def _joint_odds(self, logits: LogitNormal, left: int, available: NDArray[np.bool_] | None) -> Floats:
        if available is None:
            return logit_odds(logits, left=left, batch=self.batch)
        among = LogitNormal(logits.mean[available], logits.covariance[np.ix_(available, available)])
        odds = np.zeros(len(available))
        odds[available] = logit_odds(among, left=left, batch=self.batch)
        return odds

    def left(self, rows: int) -> int:
        """Visitors still to come after `rows`."""
        return max(self.visitors - rows, self.batch)

    def _values(self, belief: Belief, left: int, available: NDArray[np.bool_] | None) -> Floats:
        """(k,) V of independent normals."""
        mean, variance = belief.mean, np.square(spread_of(belief))
        rivals = _best_other(mean, available)
        values = np.full(len(belief), -np.inf)
        for n in lengths(left, self.batch):
            moved = variance / np.sqrt(variance + self.reward_variance / n)
            values = np.maximum(values, n * mean + (left - n) * expected_max(mean, moved, rivals))
        return values


def lengths(left: int, batch: int) -> Iterator[int]:
    """One batch, 3, 9, 27, ... of them, as long as visitors are left."""
    n = min(batch, left)
    while n < left:
        yield n
        n *= RATIO
    yield left


def logit_odds(logits: LogitNormal, *, left: int, batch: int) -> Floats:
    """(..., k) all the probability on the arm of greatest V, equal shares where several are."""
    best = leaders(logit_values(logits, left=left, batch=batch))
    return np.asarray(best / best.sum(axis=-1, keepdims=True))


def logit_values(logits: LogitNormal, *, left: int, batch: int) -> Floats:
    """(..., k) V of each arm, in expected clicks, under a joint normal belief about logits."""
    chances = logits.chances()
    best = chances.max(axis=-1, keepdims=True)
    looked = np.array(list(lengths(left, batch)), dtype=np.float64)
    after = looked.reshape(-1, *(1,) * chances.ndim)
    gain = knowledge(logits, chances, after)
    return np.asarray((after * chances + (left - after) * (best + gain)).max(axis=0))


def knowledge(logits: LogitNormal, chances: Floats, n: Floats | float) -> Floats:
    """(..., k) by how much the best chance is expected to rise when n visitors of arm i have been seen.

    n: a number, or an array that broadcasts with (..., k). The chance of j moves to sigmoid(a_j + s_ji z); a_j keeps its
    mean, exactly where chances are small. What the rule of few nodes still adds to a mean is taken off again, so
    that the gain is never below 0.
    """
    points, weights = hermite(NODES)
    weight = n * expit(logits.mean) * expit(-logits.mean)
    scale = np.sqrt(logits.variance + 1.0 / np.maximum(weight, LEAST))
    moves = logits.covariance / scale[..., np.newaxis, :]
    odds = logit(np.clip(chances, LEAST, 1.0 - LEAST))[..., np.newaxis]
    at = odds - 0.5 * np.square(moves) * (1.0 - 2.0 * chances)[..., np.newaxis]
    after = expit(at[..., np.newaxis] + moves[..., np.newaxis] * points)
    highest = after.max(axis=-3) @ weights
    return np.asarray(np.maximum(highest - (after @ weights).max(axis=-2), 0.0))


def expected_max(mean: Floats, moved: Floats, rivals: Floats) -> Floats:
    """(k,) E max(mean_i + moved_i z, rival_i) for z standard normal. moved: (k,), 0 or more."""
    gap = mean - rivals
    z = np.clip(gap / np.maximum(moved, LEAST), -FAR, FAR)
    density = np.exp(-0.5 * np.square(z)) / np.sqrt(2.0 * np.pi)
    return np.asarray(rivals + gap * ndtr(z) + moved * density)


def _best_other(mean: Floats, available: NDArray[np.bool_] | None) -> Floats:
    """(k,) the best mean among the other candidates in play; of the only one, its own."""
    shown = mean if available is None else np.where(available, mean, -np.inf)
    first = int(np.argmax(shown))
    second = np.max(np.delete(shown, first), initial=-np.inf)
    rivals = np.full(len(mean), shown[first])
    if np.isfinite(second):
        rivals[first] = second
    return rivals
