"""A log to learn a policy from: what was shown, and everything that could have been shown instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError, PropensityError, Vectors

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceLog:
    """n choices, choice i among k_i candidates; r = k_1 + ... + k_n rows, those of one choice beside each other.

    features: (r, d) of every candidate. starts: (n,) int64, the first row of each choice; the first is 0. shown: (n,)
    int64, the row that was shown. rewards: (n,). propensities: (n,) in (0, 1], None where nobody logged them.
    A slate of m slots is m choices, each among the candidates that the slots above had left; its reward is then
    the slot's own, and what one slot does to another is not seen.
    Raises: InputError, PropensityError: something that cannot be; with its row.
    """

    features: Vectors | Floats
    starts: Rows
    shown: Rows
    rewards: Floats
    propensities: Floats | None = None

    def __post_init__(self) -> None:
        n, rows = len(self.starts), len(self.features)
        if self.features.ndim != 2 or not n or self.starts[0] != 0 or (np.diff(self.starts) < 1).any():
            raise InputError(
                f"features have shape {self.features.shape} and there are {n} choices: expected (r, d), and starts "
                "that rise from 0, with a candidate a choice at least"
            )
        if self.shown.shape != (n,) or self.rewards.shape != (n,):
            raise InputError(
                f"{n} choices but {len(self.shown)} shown and {len(self.rewards)} rewards: one each"
            )
        ends = self.starts + self.sizes
        if self.starts[-1] >= rows or ((self.shown < self.starts) | (self.shown >= ends)).any():
            raise InputError(
                "a shown row lies outside its choice's candidates: what was shown is one of them"
            )
        if not np.isfinite(self.features).all() or not np.isfinite(self.rewards).all():
            raise InputError("features or rewards are not finite: leave those choices out")
        self._check_propensities(n)

    def _check_propensities(self, n: int) -> None:
        if self.propensities is None:
            return
        if self.propensities.shape != (n,):
            raise InputError(f"{n} choices but {len(self.propensities)} propensities: give one each")
        wrong = np.flatnonzero(~((self.propensities > 0.0) & (self.propensities <= 1.0 + 1e-9)))
        if wrong.size:
            raise PropensityError(
                f"the propensity of choice {wrong[0]} is {self.propensities[wrong[0]]} but must be above 0 and at most "
                f"1: leave it out ({wrong.size} such)"
            )

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def sizes(self) -> Rows:
        """(n,) k of each choice."""
        return np.diff(self.starts, append=len(self.features))

    @property
    def choice_of(self) -> Rows:
        """(r,) the choice that each row belongs to."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def logged(self) -> Floats:
        """(n,) the propensities. Raises: PropensityError: there are none."""
        if self.propensities is None:
            raise PropensityError(
                "the log has no propensities: estimate them with estimate_propensities(log), and say so with the result"
            )
        return self.propensities

    def take(self, choices: Rows) -> ChoiceLog:
        """The log of these choices, in this order."""
        sizes = self.sizes[choices]
        starts = np.cumsum(sizes) - sizes
        rows = np.arange(sizes.sum()) + np.repeat(self.starts[choices] - starts, sizes)
        return ChoiceLog(
            features=self.features[rows],
            starts=starts,
            shown=starts + self.shown[choices] - self.starts[choices],
            rewards=self.rewards[choices],
            propensities=None if self.propensities is None else self.propensities[choices],
        )


def choices_of(
    features: Sequence[NDArray[Any]],
    shown: Sequence[int],
    rewards: Sequence[float],
    propensities: Sequence[float] | None = None,
) -> ChoiceLog:
    """From one array (k, d) a choice. shown: the position of the shown candidate in its array."""
    if not len(features):
        raise InputError("there is no choice to learn from: give one at least")
    sizes = np.array([len(each) for each in features], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    return ChoiceLog(
        features=np.concatenate([np.asarray(each) for each in features]),
        starts=starts,
        shown=starts + np.asarray(shown, dtype=np.int64),
        rewards=np.asarray(rewards, dtype=np.float64),
        propensities=None if propensities is None else np.asarray(propensities, dtype=np.float64),
    )


def chances(log: ChoiceLog, weights: Floats, *, temperature: float = 1.0) -> Floats:
    """(r,) softmax of features @ weights / temperature within each choice."""
    scores = np.asarray(log.features @ weights.astype(log.features.dtype), dtype=np.float64) / temperature
    return normalised(log, scores)


def normalised(log: ChoiceLog, scores: Floats) -> Floats:
    """(r,) softmax of any scores (r,) within each choice."""
    choice = log.choice_of
    odds = np.exp(scores - np.maximum.reduceat(scores, log.starts)[choice])
    return np.asarray(odds / np.add.reduceat(odds, log.starts)[choice])
