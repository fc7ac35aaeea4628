"""What a candidate would earn, by ridge regression on the rows that were shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError
from equipoise.learning.offline.choices import ChoiceLog, Rows


@dataclass(frozen=True, slots=True, eq=False)
class RewardWeights:
    """mean: (d,) in units of reward per feature. precision: (d,) above 0, in rows: what the log knows of each weight
    alone, so that both fit a policy's prior. rows: effective number of rows behind them."""

    mean: Floats
    precision: Floats
    rows: float


def reward_weights(
    log: ChoiceLog, *, ridge: float = 1.0, weighted: bool = True, clip: float = 20.0
) -> RewardWeights:
    """Weights that say what a candidate earns, as a prior mean for a linear posterior. No intercept is added.

    weighted: every row counts 1 / (k p), how rarely the log shows it against an even choice among k, at most
    `clip`: so that a model that cannot be right everywhere is right for all candidates and not for the favourites
    (inverse-propensity weighted least squares). It needs propensities. ridge: rows that speak for 0.
    Raises: PropensityError: weighted, but the log has none. InputError: ridge is not above 0.
    """
    if not ridge > 0.0:
        raise InputError(f"ridge is {ridge} but must be above 0: 1 is usual")
    counts = np.ones(len(log))
    if weighted:
        counts = np.minimum(1.0 / (log.sizes * log.logged()), clip)
        counts /= counts.mean()
    x = np.asarray(log.features[log.shown], dtype=np.float64)
    rows = float(counts.sum() ** 2 / (counts @ counts))
    gram = (x.T * counts) @ x
    mean = np.linalg.solve(gram + ridge * np.eye(x.shape[1]), x.T @ (counts * log.rewards))
    return RewardWeights(np.asarray(mean), np.asarray(gram.diagonal() * rows / len(log) + ridge), rows)


def forecasts(log: ChoiceLog, *, rng: np.random.Generator, folds: int = 3, ridge: float = 1.0) -> Floats:
    """(r,) forecast reward of every candidate, by a model with an intercept that has not seen its choice.

    Raises: InputError: fewer choices than folds, or fewer than 2 folds.
    """
    fold = dealt(len(log), folds, rng)
    found = np.empty(len(log.features))
    of_row = fold[log.choice_of]
    for held_out in range(folds):
        seen = fold != held_out
        coefficients = _fitted(log, seen, ridge)
        rows = of_row == held_out
        found[rows] = log.features[rows] @ coefficients[:-1] + coefficients[-1]
    return found


def dealt(n: int, folds: int, rng: np.random.Generator) -> Rows:
    """(n,) which fold each choice belongs to, by chance and as even as can be."""
    if not 2 <= folds <= n:
        raise InputError(f"folds is {folds} but must be 2 to {n}, the number of choices")
    return np.asarray(rng.permutation(n) % folds)


def _fitted(log: ChoiceLog, seen: NDArray[np.bool_], ridge: float) -> Floats:
    x = np.asarray(log.features[log.shown[seen]], dtype=np.float64)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 1e-9
    return np.asarray(np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ log.rewards[seen]))
