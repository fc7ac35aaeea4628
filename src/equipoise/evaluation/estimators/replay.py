"""Replay: keep the rows in which the target policy would have shown the same, and average those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError
from equipoise.evaluation.estimators.base import Parts, RowEstimator
from equipoise.evaluation.estimators.rows import Rows, blocks


@dataclass(frozen=True, slots=True, eq=False)
class Replay(RowEstimator):
    """The mean reward of the rows that are kept; a row is kept with probability w / ceiling.

    Source: Li, Chu, Langford and Wang 2011, who keep the matches of a deterministic target under uniform logging.
    This is what happens here too: those rows have w / ceiling = 1 and all others 0. For other targets and logs
    it is rejection sampling (von Neumann 1951): the kept rows are a sample of the target's own. Consistent;
    unbiased given that a row is kept. Worth as many rows as are kept: `n_effective`.

    ceiling: the largest weight that can come; None takes the largest in the log. seed: of the dice; row i has the
    same throw for every target, so that differences between targets are less noisy.
    """

    ceiling: float | None = None
    seed: int = 0
    size: ClassVar[int | None] = None

    def parts(self, rows: Rows) -> Parts:
        kept = self._kept(rows.weights).astype(np.float64)
        return Parts(gain=kept * rows.rewards, weight=kept, worth=kept)

    def kept(self, propensities: Floats, target: Floats) -> NDArray[np.bool_]:
        """(n,), which rows are kept: their rewards are a sample of the target's, for an exact interval of clicks.

        Raises: PropensityError, InputError: as `estimate`.
        """
        (rows,) = blocks(np.zeros(len(propensities)), propensities, target, None, None)
        return self._kept(rows.weights)

    def _kept(self, weights: Floats) -> NDArray[np.bool_]:
        most = float(weights.max())
        ceiling = most if self.ceiling is None else self.ceiling
        if most > ceiling * (1.0 + 1e-9):
            raise InputError(
                f"a weight is {most:.6g} but the ceiling of Replay is {ceiling:.6g}: give the largest ratio of target "
                "probability to propensity that can come, or None to take it from the log"
            )
        throws = np.random.default_rng(self.seed).random(len(weights))
        return np.asarray(throws * ceiling < weights)
