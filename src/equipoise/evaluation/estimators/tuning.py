"""Choosing the parameter of an estimator from the log itself: SLOPE, or the least estimated squared error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from equipoise.core import Baseline, Estimate, Floats, InputError
from equipoise.evaluation.estimators.base import RowEstimator


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tuned:
    """An estimator whose parameter is chosen on the log that it is then used on.

    family: a parameter to an estimator. grid: parameters, least bias first, least variance last.
    method: `mse` takes the least of squared bias plus variance, bias being the difference to the first of the grid
        (Wang, Agarwal and Dudik 2017; Su, Dimakopoulou et al. 2020), less the noise of that difference. `slope` goes
        down the grid for as long as the estimates agree with all before within their errors, and takes the last
        (Lepski's principle; Su, Srinath and Krishnamurthy 2020, with the constant of Tucker and Lee 2021); it
        never errs by more than a factor, but that is generous: it may accept a bias of three standard errors.
    confidence: of each error in `slope`.
    The interval is that of the chosen estimator: it says nothing of the choice or of the bias accepted by it.
    """

    family: Callable[[float], RowEstimator]
    grid: tuple[float, ...]
    method: Literal["slope", "mse"] = "mse"
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not self.grid:
            raise InputError("the grid of a tuned estimator is empty: give its parameters, least bias first")
        if self.method not in ("slope", "mse"):
            raise InputError(f"method is {self.method!r} but must be 'slope' or 'mse'")

    def chosen(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> RowEstimator:
        """The estimator with the chosen parameter. Arguments and errors as `RowEstimator.estimate`."""
        candidates = [self.family(parameter) for parameter in self.grid]
        log = (rewards, propensities, target, baseline)
        if self.method == "slope":
            return candidates[self._by_slope([each.estimate(*log) for each in candidates])]
        return candidates[_by_error([each.terms(*log) for each in candidates])]

    def estimate(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Estimate:
        """As `RowEstimator.estimate`, by the chosen one."""
        log = (rewards, propensities, target, baseline)
        return self.chosen(*log).estimate(*log)

    def terms(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Floats:
        """As `RowEstimator.terms`, by the chosen one."""
        log = (rewards, propensities, target, baseline)
        return self.chosen(*log).terms(*log)

    def _by_slope(self, estimates: list[Estimate]) -> int:
        """The last index whose estimate agrees with every one before it."""
        reach = float(ndtri(0.5 + self.confidence / 2.0))
        values = np.array([each.value for each in estimates])
        # Where variance should fall down the grid, an error that grows is noise.
        errors = np.minimum.accumulate(reach * np.array([each.stderr for each in estimates]))
        for here in range(1, len(values)):
            allowed = errors[here] + (np.sqrt(6.0) - 1.0) * errors[:here]
            if np.any(np.abs(values[:here] - values[here]) > allowed):
                return here - 1
        return len(values) - 1


def _by_error(terms: list[Floats]) -> int:
    """Where squared bias plus variance is least. terms: one (n,) for each parameter, least bias first."""
    n = len(terms[0])
    errors = []
    for each in terms:
        gap = each - terms[0]
        noise = float(gap.var(ddof=1)) / n if n > 1 else 0.0
        variance = float(each.var(ddof=1)) / n if n > 1 else 0.0
        errors.append(max(float(gap.mean()) ** 2 - noise, 0.0) + variance)
    return int(np.argmin(errors))
