"""A reward model for cascade DR, learned from the log itself: ridge regression from the last slot upwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError
from equipoise.evaluation.slates.log import SlateLog
from equipoise.evaluation.slates.weights import slot_rewards


def with_baseline(
    log: SlateLog,
    shown: Floats,
    expected: Floats,
    *,
    rng: np.random.Generator,
    folds: int = 3,
    ridge: float = 1.0,
) -> SlateLog:
    """The log with forecasts, each row's by a model that has not seen the row (cross-fitting).

    shown: (n, m, d) features of the shown item of each slot, which may speak of the items above it. expected:
        (n, m, d) their mean over the target policy's item for that slot, given the same items above: since the
        model is linear in the features, its mean forecast is the forecast of their mean.
    rng: deals the rows into the folds. ridge: added to the diagonal, in rows; the intercept goes free.
    Slot j's model is fitted to r_j + the mean forecast of slot j + 1, so that it foresees everything from j down.
    Reference: Kiyohara et al. 2022; cross-fitting as in Chernozhukov et al. 2018.
    Raises: InputError: shapes that do not fit, or fewer rows than folds.
    """
    if shown.shape != expected.shape or shown.ndim != 3 or shown.shape[:2] != log.rewards.shape:
        raise InputError(
            f"shown has shape {shown.shape} and expected {expected.shape} but both must be "
            f"{log.rewards.shape} + (d,): features for every slot"
        )
    if not 2 <= folds <= len(log):
        raise InputError(f"folds is {folds} but must be 2 to {len(log)}, the number of rows")
    fold = rng.permutation(len(log)) % folds
    forecasts = np.zeros((2, *log.rewards.shape))
    for held_out in range(folds):
        rows = fold == held_out
        for slot, coefficients in enumerate(_coefficients(log, shown, expected, ~rows, ridge)):
            forecasts[0, rows, slot] = _with_one(shown[rows, slot]) @ coefficients
            forecasts[1, rows, slot] = _with_one(expected[rows, slot]) @ coefficients
    return replace(log, q_shown=forecasts[0], q_expected=forecasts[1])


def _coefficients(
    log: SlateLog, shown: Floats, expected: Floats, rows: NDArray[np.bool_], ridge: float
) -> list[Floats]:
    """(d + 1,) for every slot, fitted on these rows."""
    rewards, filled = slot_rewards(log), log.filled
    ahead = np.zeros(len(log))
    fitted: list[Floats] = []
    for slot in reversed(range(log.slots)):
        mine = rows & filled[:, slot]
        coefficients = _ridge(_with_one(shown[mine, slot]), (rewards[:, slot] + ahead)[mine], ridge)
        ahead = np.where(filled[:, slot], _with_one(expected[:, slot]) @ coefficients, 0.0)
        fitted.append(coefficients)
    return fitted[::-1]


def _ridge(features: Floats, rewards: Floats, ridge: float) -> Floats:
    penalty = np.full(features.shape[1], ridge)
    penalty[-1] = 1e-9
    return np.asarray(np.linalg.solve(features.T @ features + np.diag(penalty), features.T @ rewards))


def _with_one(features: Floats) -> Floats:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)
