"""The explorers that need no formula: uniform, greedy, epsilon-greedy and upper confidence bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.policies.base import Belief
from equipoise.policies.explorers.base import Stateless, among, spread_of, winners
from equipoise.policies.ranges import require


@dataclass(frozen=True, kw_only=True)
class Uniform(Stateless):
    """Every candidate alike: learns most, earns least; the reference for everything else."""

    name: ClassVar[str] = "uniform"

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        chances = among(belief, available)
        return np.asarray(chances / chances.sum())


@dataclass(frozen=True, kw_only=True)
class Greedy(Stateless):
    """The best mean takes all; only the policy's floor explores."""

    name: ClassVar[str] = "greedy"

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        return winners(belief.mean, available)


@dataclass(frozen=True, kw_only=True)
class EpsilonGreedy(Stateless):
    """With probability `epsilon` every candidate alike, else the best mean.

    epsilon: in [0, 1]; 1 is uniform, 0 is greedy. Reference: Sutton and Barto 2018, sec. 2.2.
    """

    name: ClassVar[str] = "epsilon_greedy"
    epsilon: float = 0.1

    def __post_init__(self) -> None:
        require("epsilon", self.epsilon, 0.0, 1.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        chances = among(belief, available)
        best = winners(belief.mean, available)
        return np.asarray(self.epsilon * chances / chances.sum() + (1.0 - self.epsilon) * best)


@dataclass(frozen=True, kw_only=True)
class UpperConfidence(Stateless):
    """The best of mean + `width` x spread takes all. width: 0 or more, in standard deviations.

    Reference: Chu et al. 2011, Alg. 1 (their alpha). The odds are nearly all on one candidate, so without
    a floor nothing else can be evaluated from its log.
    """

    name: ClassVar[str] = "ucb"
    needs_spread: ClassVar[bool] = True
    width: float = 1.0

    def __post_init__(self) -> None:
        require("width", self.width, 0.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        return winners(belief.mean + self.width * spread_of(belief), available)
