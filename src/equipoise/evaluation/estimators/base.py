"""What all estimators of one action share: each says what a row adds, the rest follows from sums.

Every estimator here has the form

    value = mean(offset) + mean(gain) / mean(weight)

with weight 1 for plain means and offset 0 without a reward model. Its terms are the rows' shares in the value,
linearised where it is a ratio (the delta method): their mean is the value, their standard deviation over the root
of n its standard error. Intervals, paired differences, groups and series over time all come from terms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtri

from equipoise.core import Baseline, Estimate, Floats, InputError
from equipoise.evaluation.estimators.moments import Moments
from equipoise.evaluation.estimators.rows import BLOCK, Rows, blocks


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What b rows add. gain: (b,). weight: (b,), None for 1. offset: (b,), None for 0.

    worth: (b,), the importance weights as used, for the effective sample size; None for 1.
    """

    gain: Floats
    weight: Floats | None = None
    offset: Floats | None = None
    worth: Floats | None = None

    def columns(self) -> list[Floats]:
        return [column for column in (self.gain, self.weight, self.offset) if column is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """Over all rows. value: the estimate. variance: of the value. n_effective: Kish's.

    slope: (m,), the change of the value with the mean of each column. means: (m,).
    """

    value: float
    variance: float
    slope: Floats
    means: Floats
    n: int
    n_effective: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowEstimator(ABC):
    """An estimator as a sum over rows. level: of the normal interval that comes with an estimate."""

    level: float = 0.95
    size: ClassVar[int | None] = BLOCK
    """Rows at a time; None where all are needed at once."""

    @abstractmethod
    def parts(self, rows: Rows) -> Parts:
        """What these rows add. Raises: InputError: a baseline is needed and missing."""

    def estimate(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Estimate:
        """All arguments of (n,): what was earned, the logged probability, the target policy's probability.

        Returns: with a normal interval at `level`, and the effective sample size (sum w)^2 / sum w^2 (Kish 1965).
        Raises: PropensityError, InputError: an argument cannot be used; names the row.
        """
        total = self._total(rewards, propensities, target, baseline)
        stderr = float(np.sqrt(total.variance))
        return normal_estimate(
            total.value, stderr, n=total.n, n_effective=total.n_effective, level=self.level
        )

    def terms(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Floats:
        """(n,), each row's share: the mean is the value, std(ddof=1) / sqrt(n) its standard error.

        Raises: PropensityError, InputError: as `estimate`.
        """
        total = self._total(rewards, propensities, target, baseline)
        found, start = np.empty(total.n), 0
        for rows in blocks(rewards, propensities, target, baseline, self.size):
            here = found[start : start + len(rows)]
            here[:] = total.value
            columns = self.parts(rows).columns()
            for column, middle, slope in zip(columns, total.means, total.slope, strict=True):
                here += slope * (column - middle)
            start += len(rows)
        return found

    def _total(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None
    ) -> Total:
        moments, kish = Moments(), Kish()
        ratio = False
        for rows in blocks(rewards, propensities, target, baseline, self.size):
            parts = self.parts(rows)
            moments.add(parts.columns())
            kish.add(parts.worth)
            ratio = parts.weight is not None
        return total_of(moments, ratio=ratio, n_effective=kish.size(moments.n), who=type(self).__name__)


def normal_estimate(value: float, stderr: float, *, n: int, n_effective: float, level: float) -> Estimate:
    """With the normal interval. Raises: InputError: a level outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level!r} but must lie between 0 and 1: write 0.95 for 95 %")
    reach = float(ndtri(0.5 + level / 2.0)) * stderr
    return Estimate(value, stderr, value - reach, value + reach, n, n_effective)


@dataclass(slots=True)
class Kish:
    """Gathers (sum w)^2 / sum w^2, with w = 1 where rows have no weight of their own."""

    total: float = 0.0
    squares: float = 0.0
    weighted: bool = False

    def add(self, worth: Floats | None) -> None:
        if worth is not None:
            self.weighted = True
            self.total += float(np.add.reduce(worth))
            self.squares += float(np.dot(worth, worth))

    def size(self, n: int) -> float:
        """In [0, n]; 0 where all weights are 0, so that no logged reward counts."""
        if not self.weighted:
            return float(n)
        return min(float(n), self.total**2 / self.squares) if self.squares > 0.0 else 0.0


def total_of(moments: Moments, *, ratio: bool, n_effective: float, who: str) -> Total:
    """value = offset + gain / weight, at the columns' means, and its variance by the delta method.

    Raises: InputError: all weights are 0.
    """
    means = moments.means
    weight = float(means[1]) if ratio else 1.0
    if weight == 0.0:
        raise InputError(
            f"{who} divides by the mean weight, which is 0: the target policy gives probability 0 to everything that "
            "was shown, so this log cannot say what it would earn"
        )
    share = float(means[0]) / weight
    has_offset = len(means) > 1 + ratio
    slope = np.array([1.0 / weight, *([-share / weight] if ratio else []), *([1.0] if has_offset else [])])
    variance = float(slope @ moments.covariance() @ slope) / moments.n if moments.n > 1 else np.inf
    value = share + (float(means[-1]) if has_offset else 0.0)
    return Total(value, max(variance, 0.0), slope, means, moments.n, n_effective)
