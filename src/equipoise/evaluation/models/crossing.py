"""Cross-fitting: each row is forecast by a model that has never seen its decision.

A model that saw the row's own reward explains its noise away, and doubly robust estimates lean on it too much.
Chernozhukov et al. 2018, definition 3.1: split into folds, forecast each by a model of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, Floats, InputError, PropensityError
from equipoise.evaluation.models.own import Forecast, RewardModel

_CHUNK = 65_536
"""Pairs in one chunk of `action_pairs`."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Candidates of logged rows, one pair for each; of all rows, or of some in each chunk.

    rows: (p,) ints in [0, n), whose candidate. features: (p, d). target: (p,), the target policy's probability.
    """

    rows: NDArray[np.int64]
    features: Floats
    target: Floats


def cross_fitted(
    model: RewardModel,
    features: Floats,
    rewards: Floats,
    *,
    candidates: Iterable[Pairs],
    folds: int = 5,
    seed: int = 0,
    groups: NDArray[Any] | None = None,
    weights: Floats | None = None,
) -> Baseline:
    """What reward models say of the logged actions and of the target policy.

    features: (n, d), of the logged actions. rewards: (n,). candidates: in chunks, together every candidate of
    every row. groups: (n,), rows of one group stay in one fold, such as decision_ids; None: each row for itself.
    weights: (n,), how much each row counts in the fits, such as `robust_weights`. folds: at least 2.
    Raises: InputError; PropensityError: a row's target probabilities do not sum to 1.
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(rewards, dtype=np.float64)
    fold = fold_of(len(y), folds=folds, seed=seed, groups=groups)
    forecasts = [
        model.fit(x[fold != one], y[fold != one], None if weights is None else weights[fold != one])
        for one in range(folds)
    ]
    return Baseline(_forecast(forecasts, x, fold), _expected(forecasts, candidates, fold))


def fold_of(n: int, *, folds: int, seed: int, groups: NDArray[Any] | None = None) -> NDArray[np.int64]:
    """(n,), the fold of each row: even shares of the groups, drawn by `seed`. Raises: InputError."""
    names = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    count = int(names.max()) + 1 if len(names) else 0
    if len(names) != n or not 2 <= folds <= count:
        raise InputError(
            f"{folds} folds of {count} groups in {len(names)} entries for {n} rows: give one group for each row, and "
            "at least 2 folds and at most as many as there are groups"
        )
    dealt = np.random.default_rng(seed).permutation(count) % folds
    return np.asarray(dealt[names], dtype=np.int64)


def _forecast(forecasts: list[Forecast], features: Floats, fold: NDArray[np.int64]) -> Floats:
    """(p,), each row by the model of its fold."""
    found = np.empty(len(features))
    for one, forecast in enumerate(forecasts):
        here = fold == one
        if here.any():
            found[here] = forecast(features[here])
    return found


def _expected(forecasts: list[Forecast], candidates: Iterable[Pairs], fold: NDArray[np.int64]) -> Floats:
    """(n,), the sum over a row's candidates of target probability times forecast."""
    n = len(fold)
    total, expected = np.zeros(n), np.zeros(n)
    for pairs in candidates:
        said = _forecast(forecasts, np.asarray(pairs.features, dtype=np.float64), fold[pairs.rows])
        expected += np.bincount(pairs.rows, weights=pairs.target * said, minlength=n)
        total += np.bincount(pairs.rows, weights=pairs.target, minlength=n)
    wrong = np.flatnonzero(~(np.abs(total - 1.0) <= 1e-6))
    if len(wrong):
        raise PropensityError(
            f"the target probabilities of row {int(wrong[0])} sum to {total[wrong[0]]:.6g} but must sum to 1: give every "
            "candidate of every row"
        )
    return expected


def with_actions(context: Floats, actions: NDArray[np.int64], count: int) -> Floats:
    """(n, d + count): the context and which of `count` fixed actions, one column each.

    context: (n, d). actions: (n,) in [0, count).
    """
    return np.hstack([context, np.eye(count)[actions]])


def action_pairs(context: Floats, target: Floats) -> Iterator[Pairs]:
    """Every row with every one of k fixed actions, as `with_actions`, in chunks.

    context: (n, d). target: (n, k), the target policy's distribution.
    """
    n, k = target.shape
    step = max(1, _CHUNK // k)
    for start in range(0, n, step):
        rows = np.repeat(np.arange(start, min(n, start + step)), k)
        actions = np.tile(np.arange(k), len(rows) // k)
        yield Pairs(rows, with_actions(context[rows], actions, k), target[rows, actions])


def robust_weights(propensities: Floats, target: Floats) -> Floats:
    """(n,), the row weights that make a model serve the estimate's variance: w^2 (1 - propensity).

    Source: Farajtabar, Chow and Ghavamzadeh 2018, for a deterministic target, where this is
    (1 - p) / p^2 on matching rows. For others it is the same quadratic form without the products of
    two different actions.
    """
    odds = np.asarray(propensities, dtype=np.float64)
    return np.asarray((np.asarray(target) / odds) ** 2 * (1.0 - odds))
