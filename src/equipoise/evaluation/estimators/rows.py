"""Logged rows as the estimators read them: checked, and block by block, so that a million fit in the cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, Floats, InputError, PropensityError

BLOCK = 10_000
"""Rows in a block: a handful of columns of it stay in a processor's second cache, and products of longer columns
would be spread over threads by OpenBLAS, which costs more than it gains."""

_least, _most = np.minimum.reduce, np.maximum.reduce
"""Both give NaN if there is one. The functions themselves, as the methods of arrays take longer to reach them."""

_ROUNDING = 1e-9
"""By which a sum of probabilities may exceed 1."""

_MOST_BITS = np.array(1.0 + _ROUNDING).view(np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n rows of a log, and what the target policy and perhaps a reward model say of them.

    rewards: (n,). propensities: (n,) in (0, 1], of the logged action. target: (n,) in [0, 1], the probability
    that the target policy gives to that action. weights: (n,) target / propensity. baseline: of the same rows.
    """

    rewards: Floats
    propensities: Floats
    target: Floats
    weights: Floats
    baseline: Baseline | None = None

    def __len__(self) -> int:
        return len(self.rewards)

    def residuals(self, who: str) -> Floats:
        """(n,) reward minus its forecast. Raises: InputError: no baseline."""
        return self.rewards - self.leaning(who).shown

    def leaning(self, who: str) -> Baseline:
        """The baseline. Raises: InputError: there is none."""
        if self.baseline is None:
            raise InputError(
                f"{who} leans on a reward model but got no baseline: give Baseline(shown, expected), for instance "
                "from evaluation.models.cross_fitted, or take an estimator without a model, such as snips"
            )
        return self.baseline


def blocks(
    rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None, size: int | None = BLOCK
) -> Iterator[Rows]:
    """Checked rows, `size` at a time, or all at once. The weights of a block are overwritten by the next.

    Raises: PropensityError: a propensity or a target probability that cannot be one. InputError: lengths that
        differ, no rows, or a reward or forecast that is no finite number. Both name the first bad row.
    """
    columns = _columns(rewards, propensities, target, baseline)
    n = len(columns[0])
    size = n if size is None else min(size, n)
    buffer = np.empty(size)
    for start in range(0, n, size):
        part = [column[start : start + size] for column in columns]
        _check(part, start)
        weights = np.divide(part[2], part[1], out=buffer[: len(part[0])])
        leaning = Baseline(part[3], part[4]) if baseline is not None else None
        yield Rows(part[0], part[1], part[2], weights, leaning)


def gathered(
    rewards: Floats, propensities: Floats, target: Floats, *, size: int = BLOCK
) -> Iterator[tuple[Floats, Floats, float]]:
    """What plain IPS needs of each block, in as few passes as will do: weights, gains, and the sum of squared gains.

    That sum is finite only if every reward is a number, which spares the rewards a pass of their own. Weights and gains
    of a block are overwritten by the next. Raises: as `blocks`.
    """
    columns = _columns(rewards, propensities, target, None)
    n = len(columns[0])
    buffers = np.empty((2, min(size, n)))
    for start in range(0, n, size):
        part = [column[start : start + size] for column in columns]
        _check_odds(part[1], part[2], start)
        weights = np.divide(part[2], part[1], out=buffers[0, : len(part[0])])
        gains = np.multiply(weights, part[0], out=buffers[1, : len(part[0])])
        squares = float(np.dot(gains, gains))
        if not math.isfinite(squares):
            _refuse_number("reward", part[0], start)
        yield weights, gains, squares


def of_shown(distribution: Floats, shown: NDArray[np.int64]) -> Floats:
    """(n,), what a policy gives to the action that was shown: the target of an estimator.

    distribution: (n, k), over the k actions of each row. shown: (n,) positions in [0, k).
    Raises: InputError: shapes that do not fit, or a position outside.
    """
    odds, places = np.asarray(distribution), np.asarray(shown)
    if odds.ndim != 2 or places.shape != odds.shape[:1] or places.dtype.kind not in "iu":
        raise InputError(
            f"distribution has shape {odds.shape} and shown is {places.dtype} {places.shape} but (n, k) and whole "
            "numbers (n,) are expected"
        )
    if len(places) and not 0 <= places.min() <= places.max() < odds.shape[1]:
        raise InputError(
            f"shown lies between {places.min()} and {places.max()} but must lie in [0, {odds.shape[1]}): positions "
            "of the actions, counted from 0"
        )
    if not odds.flags.c_contiguous:
        return np.asarray(np.take_along_axis(odds, places[:, None], axis=1)[:, 0], dtype=np.float64)
    # One index into the flat table finds a row's entry in half the time of two.
    flat = np.arange(0, odds.size, odds.shape[1]) + places
    return np.asarray(odds.reshape(-1).take(flat), dtype=np.float64)


def _columns(
    rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None
) -> list[Floats]:
    """As float64, equally long. Raises: InputError."""
    given = {"rewards": rewards, "propensities": propensities, "target": target}
    if baseline is not None:
        given |= {"baseline.shown": baseline.shown, "baseline.expected": baseline.expected}
    columns = [_numbers(name, column) for name, column in given.items()]
    shapes = {name: column.shape for name, column in zip(given, columns, strict=True)}
    if len(set(shapes.values())) > 1 or columns[0].ndim != 1 or len(columns[0]) == 0:
        raise InputError(
            f"the columns have shapes {shapes} but must all be (n,), n at least 1: one entry for each logged row"
        )
    return columns


def _numbers(name: str, column: Floats) -> Floats:
    try:
        return np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers, one for each logged row: {error}") from None


def _check(columns: list[Floats], start: int) -> None:
    """A few passes that stay in the cache; only a block that fails is searched row by row."""
    _check_odds(columns[1], columns[2], start)
    for name, column in zip(
        ("reward", "forecast", "expected forecast"), [columns[0], *columns[3:]], strict=False
    ):
        if not math.isfinite(np.dot(column, column)):
            _refuse_number(name, column, start)


def _check_odds(propensities: Floats, target: Floats, start: int) -> None:
    if not (_least(propensities) > 0.0 and _most(propensities) <= 1.0 + _ROUNDING):
        _refuse_propensity(propensities, start)
    # Read as whole numbers, floats of [0, 1] keep their order, and negative ones and NaN come above them all.
    if not _most(target.view(np.uint64)) <= _MOST_BITS:
        _refuse_target(target, start)


def _refuse_propensity(propensities: Floats, start: int) -> None:
    row = int(np.flatnonzero(~((propensities > 0.0) & (propensities <= 1.0 + _ROUNDING)))[0])
    raise PropensityError(
        f"the propensity in row {start + row} is {float(propensities[row])!r} but must be above 0 and at most 1: it "
        "is the logged probability of the action that was shown; drop the row or log the odds that were thrown"
    )


def _refuse_target(target: Floats, start: int) -> None:
    """A minus zero passes."""
    wrong = np.flatnonzero(~((target >= 0.0) & (target <= 1.0 + _ROUNDING)))
    if len(wrong) == 0:
        return
    row = int(wrong[0])
    raise PropensityError(
        f"the target probability in row {start + row} is {float(target[row])!r} but must lie in [0, 1]: it is what "
        "the target policy gives to the action that was shown"
    )


def _refuse_number(name: str, column: Floats, start: int) -> None:
    """Numbers beyond 1e154 have no finite square but are numbers: they pass."""
    wrong = np.flatnonzero(~np.isfinite(column))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"the {name} in row {start + row} is {float(column[row])!r} but must be a finite number: drop the row or "
            "settle it first"
        )
