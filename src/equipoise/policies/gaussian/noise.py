"""How far rewards fall from their mean: an inverse-gamma belief about the noise variance.

With normal weights whose covariance is in units of this variance, this is the normal-inverse-gamma
posterior. Reference: Bishop 2006, exercise 3.12; Bernardo and Smith 1994, app. A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, State, Vectors
from equipoise.policies.ranges import require
from equipoise.policies.stored import stored


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSettings:
    """variance: the guess, in squared units of reward (0.25 is the most that a reward in [0, 1] can have).
    rows: how many rows the guess is worth. learned: False keeps the guess for ever.
    """

    variance: float = 0.25
    rows: float = 10.0
    learned: bool = True

    def __post_init__(self) -> None:
        require("noise", self.variance, 0.0, above=True)
        require("noise_rows", self.rows, 0.0, above=True)


class Noise:
    """sigma^2 ~ IG(a, b) with a = 1 + (rows0 + rows) / 2 and b = (guess * rows0 + squares) / 2.

    `squares` sums (error^2 / variance) of each row's forecast in units of the noise, so that the mean
    b / (a - 1) is a plain average of the guess and of what was seen.
    """

    def __init__(self, settings: NoiseSettings, *, discount: float = 1.0) -> None:
        self._settings = settings
        self._discount = discount
        self._rows = 0.0
        self._squares = 0.0

    @property
    def variance(self) -> float:
        """E[sigma^2], in squared units of reward."""
        guess, worth = self._settings.variance, self._settings.rows
        return (guess * worth + self._squares) / (worth + self._rows)

    def absorb(self, error: float, variance: float, weight: float = 1.0) -> None:
        """Learn from one forecast's error and its variance in units of the noise; `weight` rows that are alike.

        w copies of a row with forecast error e and variance 1 + q leave squares of e^2 / (1 / w + q) in all, which is
        what a single row of noise 1 / w leaves.
        """
        if self._settings.learned:
            self._rows = self._discount * self._rows + weight
            self._squares = self._discount * self._squares + error * error / variance

    def absorb_rows(self, errors: Sequence[float], variances: Sequence[float]) -> None:
        """`absorb`, one row after the other: the same bits."""
        if not self._settings.learned:
            return
        rows, squares, kept = self._rows, self._squares, self._discount
        for error, variance in zip(errors, variances, strict=True):
            rows = kept * rows + 1.0
            squares = kept * squares + error * error / variance
        self._rows, self._squares = rows, squares

    def deviations(self, rng: np.random.Generator, draws: int) -> Vectors:
        """Returns: (draws, 1) posterior draws of sigma."""
        return deviations([self], rng, draws)

    @property
    def freedom(self) -> float | None:
        """Rows that speak of the variance, 2 (a - 1); None where it is taken for known."""
        return self._settings.rows + self._rows if self._settings.learned else None

    def state(self) -> State:
        return {"noise": np.array([self._rows, self._squares])}

    def restore(self, state: State) -> None:
        self._rows, self._squares = (float(value) for value in stored(state, "noise", (2,)))


def deviations(noises: Sequence[Noise], rng: np.random.Generator, draws: int) -> Vectors:
    """Returns: (draws, k) posterior draws of each of k sigmas; noises of one policy are all learned or all known."""
    if len(noises) == 1 and (freedom := noises[0].freedom) is not None:
        sums: Floats = rng.standard_gamma(1.0 + freedom / 2.0, size=(draws, 1))
        return np.asarray(np.sqrt(noises[0].variance * freedom / 2.0 / sums), dtype=np.float32)
    variance = np.array([noise.variance for noise in noises])
    worth = np.array([noise.freedom for noise in noises if noise.freedom is not None])
    if not worth.size:
        return np.repeat(np.sqrt(variance, dtype=np.float32)[np.newaxis], draws, axis=0)
    gammas: Floats = rng.standard_gamma(1.0 + worth / 2.0, size=(draws, len(noises)))
    return np.asarray(np.sqrt(variance * worth / 2.0 / gammas), dtype=np.float32)
