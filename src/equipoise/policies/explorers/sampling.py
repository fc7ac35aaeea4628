"""The explorers that count posterior draws: Thompson and top-two Thompson.

The odds are the counted frequencies themselves, and the dice are thrown by them, so the logged propensity
is exact however few the draws. (To act by one draw and log an estimate of its odds is biased: law 3.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, Vectors
from equipoise.policies.base import Belief
from equipoise.policies.explorers.base import Stateless, drawn, frequencies, leaders, tally
from equipoise.policies.explorers.race import Race
from equipoise.policies.ranges import require

DRAWS = 128


@dataclass(frozen=True, kw_only=True)
class Thompson(Stateless):
    """A candidate's odds are the share of `draws` posterior draws in which it is the best.

    draws: how many, 1 or more. scale: how far a draw strays from the mean; 1 is the posterior itself. At low rates
    and over many candidates the posterior explores for longer than any journal lasts, and a smaller scale earns
    more (posterior reshaping, Chapelle and Li 2011, sec. 3.2). Reference: Thompson 1933.
    """

    name: ClassVar[str] = "thompson"
    draws: int = DRAWS
    scale: float = 1.0

    def __post_init__(self) -> None:
        require("draws", self.draws, 1)
        require("scale", self.scale, 0.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        return frequencies(reshaped(belief, self.scale), available)

    def opened(self, belief: Belief) -> Callable[[Sequence[int]], Floats]:
        """Odds for one slot after the other, given the positions above: the same numbers at less cost."""
        return Race(reshaped(belief, self.scale)).frequencies


@dataclass(frozen=True, kw_only=True)
class TopTwo(Stateless):
    """A posterior draw names a leader; with probability `beta` it is shown, else the best of the others in a
    further draw, a challenger. The odds are worked out, not simulated: over leaders j with frequency f_j and
    all draws t (`scale` as for Thompson),

        p_i = beta f_i + (1 - beta) sum_j f_j (share of t in which i is the best of all but j).

    Russo 2016 (TTTS) redraws until the winner is not the leader, which need not end when one candidate wins
    all draws; we take the second of the further draw instead.

    draws: how many, 1 or more. beta: the leader's share, in [0, 1]. scale: how far a draw strays from the mean.
    """

    name: ClassVar[str] = "top_two"
    draws: int = DRAWS
    beta: float = 0.5
    scale: float = 1.0

    def __post_init__(self) -> None:
        require("draws", self.draws, 1)
        require("scale", self.scale, 0.0)
        require("beta", self.beta, 0.0, 1.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        samples = reshaped(belief, self.scale)
        lead = frequencies(samples, available)
        if np.count_nonzero(available if available is not None else lead + 1.0) == 1:
            return lead
        return self.beta * lead + (1.0 - self.beta) * challengers(samples, lead, available)


def reshaped(belief: Belief, scale: float) -> Vectors:
    """(s, k) the belief's draws, each at `scale` times its distance from the mean."""
    samples = drawn(belief)
    if scale == 1.0:
        return samples
    centre = belief.mean.astype(np.float32)
    strayed = samples - centre
    strayed *= np.float32(scale)
    strayed += centre
    return strayed


def challengers(samples: Vectors, lead: Floats, available: NDArray[np.bool_] | None) -> Floats:
    """samples: (s, k). lead: (k,) odds of being the leader. Returns: (k,) odds of being the challenger.

    In a draw with one best i, i challenges every other leader, and the second best challenges i. In a draw
    with c tied best, each challenges every leader, sharing with those that are not the leader themselves.
    """
    first = leaders(samples, available)
    rest = np.where(first, samples.dtype.type(-np.inf), samples)
    best, second = first.astype(np.float32), leaders(rest, available).astype(np.float32)
    chance = lead.astype(np.float32)
    count, tied = tally(best), best @ chance
    single = tied * (count == 1) / tally(second)
    odds = ((1.0 - tied) / count) @ best + single @ second
    if (count > 1).any():
        shared = (tied[:, np.newaxis] - chance) * best
        odds = odds + ((count > 1) / np.maximum(count - 1, 1)) @ shared
    challenged = odds.astype(np.float64)
    return np.asarray(challenged / challenged.sum())
