"""For a log that was written by a policy while it was learning.

There the propensities of a row depend on the rewards before it, so plain averages of scores are unbiased but far from
normal: an arm that started badly is hardly ever shown again. Weights that even out the variance of the scores make
the estimate normal, and its interval right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.estimators.base import Parts, RowEstimator
from equipoise.evaluation.estimators.loggers import require_rows
from equipoise.evaluation.estimators.rows import Rows

_FEW = 200
"""Rows that are looked back at, at least."""

_PRIOR = 50.0
"""What all rows before count beside the last quarter, in which a rare item may not have been shown at all."""


@dataclass(frozen=True, slots=True, eq=False)
class AdaptiveDr(RowEstimator):
    """sum(h s) / sum(h), with the doubly robust scores s = e + w (r - q), or w r without a model.

    Source: Hadad, Hirshberg, Zhan, Wager and Athey 2021 ("Confidence intervals for policy evaluation in adaptive
    experiments"): variance-stabilising weights by stick-breaking, h^2 x spread = what is left of the stick x
    allocation. Consistent and asymptotically normal. Rows must be in the order in which they were decided.

    spread: (n,), for each row the sum over the actions of target^2 / propensity, as the log's policy stood before
    it: 1 / (the arm's propensity) if the target always shows one arm. It must not depend on what was shown, nor
    on the row's own request: average it over past requests if propensities depend on them. None: no learning,
    all rows alike.
    allocation: `constant` spends the variance evenly over the rows; `two_point` saves more for later where the
    propensity is small, with propensities that fall no faster than row^-decay.
    """

    spread: Floats | None = None
    allocation: Literal["constant", "two_point"] = "constant"
    decay: float = 0.7
    size: ClassVar[int | None] = None

    def parts(self, rows: Rows) -> Parts:
        scores = rows.weights * rows.rewards
        if rows.baseline is not None:
            scores = rows.baseline.expected + rows.weights * (rows.rewards - rows.baseline.shown)
        trust = self._trust(rows)
        return Parts(gain=trust * scores, weight=trust, worth=trust * rows.weights)

    def _trust(self, rows: Rows) -> Floats:
        """(n,), h, up to a constant factor. Raises: InputError: a spread of no use."""
        if self.spread is None:
            return np.ones(len(rows))
        spread = np.asarray(self.spread, dtype=np.float64)
        require_rows("spread", spread.size, rows)
        if not (spread.min() > 0.0 and np.isfinite(spread.max())):
            raise InputError(
                "spread must be finite and above 0: it is the sum over the actions of target^2 / propensity"
            )
        if self.allocation == "constant":
            return np.asarray(1.0 / np.sqrt(spread))
        return np.asarray(np.sqrt(_sticks(1.0 / spread, self.decay) / spread))


def spread_so_far(spreads: Floats, *, least: float = 1.0) -> Floats:
    """(n,) for each row the mean of `spreads` in the last quarter of the rows before it, drawn towards that of them all.

    A function of the past alone, as the weights must be. spreads: (n,), in the order of the decisions: the sums of
    target^2 / propensity where the log's distributions are known, or squared weights, whose mean given the past is that
    sum. least: no spread is below 1, by the inequality of Cauchy and Schwarz.
    """
    n = len(spreads)
    sums = np.concatenate([[0.0], np.cumsum(spreads)])
    row = np.arange(n)
    start = row - np.maximum(row // 4, np.minimum(row, _FEW))
    recent, overall = sums[row] - sums[start], sums[row] / np.maximum(row, 1)
    found = (recent + _PRIOR * overall) / (row - start + _PRIOR)
    return np.asarray(np.maximum(found, least))


def _sticks(propensities: Floats, decay: float) -> Floats:
    """(n,), the share of variance that each row may spend, sum at most 1 (Hadad et al. 2021, two-point allocation)."""
    n = len(propensities)
    row = np.arange(1, n + 1, dtype=np.float64)
    reach = np.minimum(propensities, 1.0)
    tail = (n ** (1.0 - decay) - row ** (1.0 - decay)) / (1.0 - decay)
    share = reach / (n - row + 1.0) + (1.0 - reach) * row**-decay / (row**-decay + tail)
    left = np.concatenate([[1.0], np.cumprod(1.0 - share)[:-1]])
    return np.asarray(share * left)
