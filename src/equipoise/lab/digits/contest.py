"""Which estimator comes closest to the truth on the digits, over many seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.evaluation.estimators import ESTIMATORS as KNOWN
from equipoise.evaluation.models import robust_weights
from equipoise.lab.digits.world import DigitsLog, digits_log

ESTIMATORS = ("dm", "ips", "snips", "dr", "sndr", "switch_dr", "dros", "sg_ips", "sg_dr", "mrdr")


@dataclass(frozen=True, slots=True)
class Score:
    """relative_error: mean over the seeds of |estimate - truth| / truth. stderr: of that mean. seeds: how many."""

    estimator: str
    relative_error: float
    stderr: float
    seeds: int


def contest(*, seeds: int = 20, estimators: Sequence[str] = ESTIMATORS) -> list[Score]:
    """One row for each estimator, in the given order.

    Raises: MissingExtraError: scikit-learn is not installed. InputError: an unknown estimator.
    """
    errors = np.array([_errors(digits_log(seed), seed, estimators) for seed in range(seeds)])
    spread = errors.std(axis=0, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.full(len(estimators), np.inf)
    return [
        Score(name, float(mean), float(stderr), seeds)
        for name, mean, stderr in zip(estimators, errors.mean(axis=0), spread, strict=True)
    ]


def _errors(log: DigitsLog, seed: int, estimators: Sequence[str]) -> list[float]:
    """The relative error of each estimator on one log."""
    propensities, target = log.propensities, log.target_of_shown
    plain = log.baseline(seed=seed)
    robust = (
        log.baseline(seed=seed, weights=robust_weights(propensities, target))
        if "mrdr" in estimators
        else plain
    )
    found = []
    for name in estimators:
        baseline = robust if name == "mrdr" else plain
        value = KNOWN[name]().estimate(log.rewards, propensities, target, baseline).value
        found.append(abs(value - log.truth) / log.truth)
    return found
