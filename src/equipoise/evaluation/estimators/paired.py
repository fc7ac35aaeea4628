"""Two policies on one log: their difference is estimated as a difference, row by row."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from equipoise.core import Baseline, Estimate, Floats
from equipoise.evaluation.estimators.base import normal_estimate


class WithTerms(Protocol):
    """An estimator that can say what each row adds."""

    def estimate(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Estimate: ...

    def terms(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Floats: ...


def difference(
    estimator: WithTerms,
    rewards: Floats,
    propensities: Floats,
    target_a: Floats,
    target_b: Floats,
    baseline_a: Baseline | None = None,
    baseline_b: Baseline | None = None,
    *,
    level: float = 0.95,
) -> Estimate:
    """What policy a would have earned more than b, all arguments (n,) of one log.

    Most of the noise of a log is the same for both, so it cancels: the standard error is of the rows' differences
    and can be far below that of either policy. Comparing two intervals instead would miss what the log knows.
    n_effective: the smaller of the two policies'. A tuned estimator chooses its parameter for each policy apart; fix it
    where the difference must not hold the difference of two biases.
    Raises: PropensityError, InputError: as the estimator.
    """
    one, other = (rewards, propensities, target_a, baseline_a), (rewards, propensities, target_b, baseline_b)
    terms = estimator.terms(*one) - estimator.terms(*other)
    n = len(terms)
    stderr = float(terms.std(ddof=1)) / np.sqrt(n) if n > 1 else np.inf
    worth = min(estimator.estimate(*one).n_effective, estimator.estimate(*other).n_effective)
    return normal_estimate(float(terms.mean()), float(stderr), n=n, n_effective=worth, level=level)
