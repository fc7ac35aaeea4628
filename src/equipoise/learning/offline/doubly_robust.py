"""What a log says of a linear reward model, doubly robust: right if the propensities are, or if the model is.

Every candidate a of choice i has a pseudo-reward (Dudík et al. 2011)

    y_ia = q_i(a) + [a was shown] (r_i - q_i(a)) / p_i

whose mean over what could have been shown is what a would have earned, whatever q says, where p is right. Least squares
on all candidates, each of k counting 1 / k, leaves theta = (sum x x' / k)^-1 (sum x y / k): weights that are right for
an even choice and not for the log's favourites.

q is a ridge regression with an offset for each item, of rows weighted by 1 / (k p), that has not seen the choice
(cross-fitted). The offsets are what makes it worth the while: with a q no richer than theta's own model, weighted rows
alone say the same, to first order. Nothing but sums has to be kept: within a fold,
sum x q / k = (sum x x' / k) beta + (sum x / k) c + sum over items of offset times (sum x / k).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError

FOLDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class LogEvidence:
    """A normal likelihood of d weights, in units of the noise: what it adds to precision, and to precision times mean.

    precision: (d, d). information: (d,). rows: how many rows it counts for.
    """

    precision: Floats
    information: Floats
    rows: float

    def __add__(self, other: LogEvidence) -> LogEvidence:
        return LogEvidence(
            self.precision + other.precision, self.information + other.information, self.rows + other.rows
        )


class DoublyRobust:
    """Takes choices in one by one; `evidence` is made at the end. dim: d. items: how many there are in all.

    rng: deals each choice to one of three folds. ridge: rows that speak for 0, for each weight of the reward model and
    each item's offset.
    """

    def __init__(self, dim: int, items: int, *, rng: np.random.Generator, ridge: float = 5.0) -> None:
        self._rng, self._ridge = rng, ridge
        self._squares = np.zeros((FOLDS, dim + 1, dim + 1))
        self._sums = np.zeros((FOLDS, items, dim + 1))
        self._shown: list[NDArray[Any]] = []
        self._rows: list[tuple[int, int, float, float]] = []

    def add(
        self, features: NDArray[Any], items: NDArray[np.integer], shown: int, *, reward: float, weight: float
    ) -> None:
        """One choice. features: (k, d) of its candidates. items: (k,) their codes from 0. shown: which of them.

        weight: 1 / (k p), clipped; 1 on average.
        """
        fold = int(self._rng.integers(FOLDS))
        every = _widened(features)
        self._squares[fold] += every.T @ every / len(every)
        self._sums[fold, items] += every / len(every)
        self._shown.append(np.array(features[shown]))
        self._rows.append((fold, int(items[shown]), reward, weight))

    def evidence(self, *, rows: float) -> LogEvidence:
        """rows: how many the log is worth, for which its choices together are to count.

        Raises: InputError: fewer choices than folds.
        """
        n = len(self._rows)
        if n < FOLDS:
            raise InputError(f"{n} choices but {FOLDS} folds: a reward model needs more rows")
        folds, items, rewards, weights = (np.array(column) for column in zip(*self._rows, strict=True))
        shown = _widened(np.stack(self._shown))
        found = np.zeros(shown.shape[1])
        for fold in range(FOLDS):
            mine = folds == fold
            model, offsets = self._model(shown[~mine], items[~mine], rewards[~mine], weights[~mine])
            left = weights[mine] * (rewards[mine] - shown[mine] @ model - offsets[items[mine]])
            found += self._squares[fold] @ model + offsets @ self._sums[fold] + shown[mine].T @ left
        share = rows / n
        return LogEvidence(share * self._squares.sum(axis=0)[:-1, :-1], share * found[:-1], rows)

    def _model(
        self, x: Floats, items: NDArray[np.integer], rewards: Floats, weights: Floats
    ) -> tuple[Floats, Floats]:
        """Weights (d + 1,), the intercept not pulled to 0, and offsets of all items, of what these leave."""
        penalty = np.full(x.shape[1], self._ridge)
        penalty[-1] = 1e-9
        model = np.linalg.solve((x.T * weights) @ x + np.diag(penalty), x.T @ (weights * rewards))
        count = self._sums.shape[1]
        left = np.bincount(items, weights * (rewards - x @ model), minlength=count)
        offsets = left / (np.bincount(items, weights, minlength=count) + self._ridge)
        return np.asarray(model), np.asarray(offsets)


def _widened(features: NDArray[Any]) -> Floats:
    """(n, d + 1) float64, the last column 1."""
    return np.concatenate([features.astype(np.float64), np.ones((len(features), 1))], axis=1)
