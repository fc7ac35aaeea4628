"""The explorers that weigh a candidate by how far its mean falls short of the best: SquareCB and FastCB.

Both assume rewards in [0, 1]. Their gamma grows with what has been learned, as gamma x sqrt(k n) for k
candidates and n rows: the tuning of Foster and Rakhlin 2020, theorem 1, up to the regression's regret.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.policies.base import Belief
from equipoise.policies.explorers.base import TIE, Stateless
from equipoise.policies.ranges import require

LEAST_LOSS = 1e-3
"""A best candidate that seems perfect still leaves FastCB a little to explore with."""


@dataclass(frozen=True, kw_only=True)
class SquareCB(Stateless):
    """p_i = 1 / (k + gamma sqrt(k n) gap_i); the best takes the rest, in equal shares where several tie.

    Reference: Abe and Long 1999; Foster and Rakhlin 2020, Alg. 1. gamma: 0 or more; 0 is uniform.
    """

    name: ClassVar[str] = "squarecb"
    gamma: float = 10.0

    def __post_init__(self) -> None:
        require("gamma", self.gamma, 0.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        count = _in_play(belief, available)
        penalties, best = shortfalls(belief.mean, available)
        penalties *= growth(self.gamma, count, belief.rows)
        return _inverse(penalties, best, count, available)


@dataclass(frozen=True, kw_only=True)
class FastCB(Stateless):
    """p_i = l / (k l + gamma sqrt(k n) gap_i), with l the loss, 1 - mean, of the best, which takes the rest.

    Where the best is nearly perfect it explores less than SquareCB. Reference: Foster and Krishnamurthy
    2021, eq. 4 (reweighted inverse gap weighting). gamma: 0 or more; 0 is uniform.
    """

    name: ClassVar[str] = "fastcb"
    gamma: float = 10.0

    def __post_init__(self) -> None:
        require("gamma", self.gamma, 0.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        count = _in_play(belief, available)
        _, best = shortfalls(belief.mean, available)
        losses = np.clip(1.0 - belief.mean, LEAST_LOSS, 1.0)
        least = losses[best].min()
        penalties = (losses - least) * (growth(self.gamma, count, belief.rows) / least)
        return _inverse(penalties, best, count, available)


def growth(gamma: float, count: int, rows: int) -> float:
    """gamma sqrt(k n), for k candidates in play and n rows."""
    return gamma * math.sqrt(count * rows)


def shortfalls(mean: Floats, available: NDArray[np.bool_] | None) -> tuple[Floats, NDArray[np.int64]]:
    """(k,) how far each candidate's mean falls short of the best available one; and where those are that tie for best.

    What is not available may be better than the best that is: below 0.
    """
    place = mean.argmax() if available is None else np.where(available, mean, -np.inf).argmax()
    best = mean.item(place)
    gaps = best - mean
    ties = gaps <= TIE * abs(best)
    if available is not None:
        ties &= available
    return gaps, ties.nonzero()[0]


def _in_play(belief: Belief, available: NDArray[np.bool_] | None) -> int:
    return len(belief) if available is None else int(np.count_nonzero(available))


def _inverse(
    penalties: Floats, best: NDArray[np.int64], count: int, available: NDArray[np.bool_] | None
) -> Floats:
    """1 / (k + penalty) for each of the k in play; what that leaves of 1 is shared by the best. Uses `penalties` up."""
    if available is not None:
        np.maximum(penalties, 0.0, out=penalties)
    penalties += count
    odds = np.reciprocal(penalties, out=penalties)
    odds[best] = 0.0
    if available is not None:
        odds[~available] = 0.0
    odds[best] = (1.0 - np.add.reduce(odds)) / len(best)
    return odds
