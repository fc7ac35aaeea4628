"""One log, written by several logging policies.

Agarwal, Basu, Schnabel and Joachims 2017 ("Effective evaluation using logged bandit feedback from multiple
loggers") compare three ways, all unbiased: naive is plain IPS with each row's own propensity; balanced takes
the propensity of the mixture of loggers, which is never worse than naive; weighted gives each logger's IPS the weight
that makes the variance of their sum least.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError, PropensityError
from equipoise.evaluation.estimators.base import Parts, RowEstimator
from equipoise.evaluation.estimators.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Loggers:
    """Who wrote each row, and what every logger would have given to the action shown.

    logger: (n,) ints in [0, l), who wrote the row. propensities: (n, l) in [0, 1], each logger's probability of
    the row's action; the writer's own above 0.
    Raises: InputError, PropensityError: shapes, numbers or the writer's own propensity do not fit.
    """

    logger: NDArray[Any]
    propensities: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "logger", whole_numbers("logger", self.logger))
        odds = np.asarray(self.propensities, dtype=np.float64)
        object.__setattr__(self, "propensities", odds)
        n = len(self.logger)
        if odds.ndim != 2 or len(odds) != n or int(self.logger.max()) >= odds.shape[1]:
            raise InputError(
                f"propensities have shape {odds.shape} for {n} rows by loggers 0 to {int(self.logger.max())}: give "
                "one row for each logged row and one column for each logger"
            )
        good = ((odds >= 0.0) & (odds <= 1.0 + 1e-9)).all(axis=1) & (odds[np.arange(n), self.logger] > 0.0)
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            raise PropensityError(
                f"the loggers' propensities in row {row} are {odds[row].tolist()} but must lie in [0, 1], that of "
                f"the writer, logger {int(self.logger[row])}, above 0"
            )

    def mixture(self) -> Floats:
        """(n,), the probability of the shown action under the whole log: loggers by their shares of rows."""
        shares = np.bincount(self.logger, minlength=self.propensities.shape[1]) / len(self.logger)
        return np.asarray(self.propensities @ shares)


@dataclass(frozen=True, slots=True, eq=False)
class BalancedIps(RowEstimator):
    """IPS over the mixture of loggers: mean(target / mixture x r).

    Source: Agarwal et al. 2017 (the balance heuristic of Veach and Guibas 1995). Unbiased. An action that
    one logger hardly ever shows no longer gets a wild weight, if another shows it often.
    loggers: None where the propensities given are the mixture's already (or one policy wrote the log).
    """

    loggers: Loggers | None = None
    size: ClassVar[int | None] = None

    def parts(self, rows: Rows) -> Parts:
        weights = rows.weights
        if self.loggers is not None:
            require_rows("loggers", len(self.loggers.logger), rows)
            weights = rows.target / self.loggers.mixture()
        return Parts(gain=weights * rows.rewards, worth=weights)


@dataclass(frozen=True, slots=True, eq=False)
class WeightedIps(RowEstimator):
    """Each logger's own IPS, weighted by the inverse of its variance.

    Source: Agarwal et al. 2017, with the variances of the log itself, so only consistent.
    logger: (n,) ints, who wrote each row; each wrote at least two. None: one logger, which is IPS.
    """

    logger: NDArray[Any] | None = None
    size: ClassVar[int | None] = None

    def parts(self, rows: Rows) -> Parts:
        gains = rows.weights * rows.rewards
        if self.logger is None:
            return Parts(gain=gains, worth=rows.weights)
        logger = whole_numbers("logger", self.logger)
        require_rows("logger", len(logger), rows)
        trust = _trust(gains, logger)[logger]
        # The trust of all rows has the mean 1; divided by, it keeps loggers that differ in trust from counting as noise.
        return Parts(gain=trust * gains, weight=trust, worth=trust * rows.weights)


def _trust(gains: Floats, logger: NDArray[Any]) -> Floats:
    """(l,), what each logger's rows count, 1 if all counted alike: n / (variance x sum(rows / variance)).

    Raises: InputError: a logger with a single row.
    """
    rows = np.bincount(logger)
    few = np.flatnonzero(rows == 1)
    if len(few):
        raise InputError(
            f"logger {int(few[0])} wrote 1 row but a variance needs 2: join it with another logger, or use balanced_ips"
        )
    count = np.maximum(rows, 1)
    means = np.bincount(logger, weights=gains) / count
    variances = np.bincount(logger, weights=(gains - means[logger]) ** 2) / np.maximum(count - 1, 1)
    # A logger without any reward yet has no variance; the floor keeps it from taking all the trust.
    pooled = float(variances @ rows) / len(logger)
    floored = np.maximum(variances, 1e-2 * pooled) if pooled > 0.0 else np.ones_like(variances)
    return np.asarray(len(logger) / (floored * float((rows / floored).sum())))


def whole_numbers(name: str, given: NDArray[Any]) -> NDArray[np.int64]:
    """(n,) ints from 0. Raises: InputError."""
    found = np.asarray(given)
    if found.ndim != 1 or len(found) == 0 or found.dtype.kind not in "iu" or int(found.min()) < 0:
        raise InputError(
            f"{name} must be (n,) whole numbers from 0, but is {found.dtype} of shape {found.shape}"
        )
    return found.astype(np.int64)


def require_rows(name: str, n: int, rows: Rows) -> None:
    """Raises: InputError: made for another log."""
    if n != len(rows):
        raise InputError(
            f"{name} has {n} rows but the log has {len(rows)}: give one entry for each logged row"
        )
