"""An estimator of either kind on evidence, as one number a decision: values, groups, times and differences follow.

A value is the mean over decisions of what its slots earn together; where each decision has one slot that is the mean
reward of a row.
"""

from __future__ import annotations

import difflib
from typing import NamedTuple

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.estimators import ESTIMATORS, BalancedIps, Loggers, WeightedIps, WithTerms
from equipoise.evaluation.evidence import Evidence, Integers
from equipoise.evaluation.slates import SLATE_ESTIMATORS, SlateLog, slates_of, with_baseline

ON_POLICY = "on_policy"
"""The plain mean of what the log earned."""

WEIGHTED = "weighted_ips"
"""Of several logging policies in one log; see `estimators.WeightedIps`."""

BALANCED = "balanced_ips"
"""The same by the mixture of them; see `estimators.BalancedIps`."""

RATIOS = frozenset(
    {"snips", "sndr", "replay", *(name for name in SLATE_ESTIMATORS if name.endswith("snips"))}
)
"""Estimators that divide by the mean weight: without any weight they have no value."""

SLATE_DEFAULTS = ("reward_interaction_ips", "reward_interaction_snips", "independent_ips")
CASCADE = "cascade_dr"
FOLDS = 3

WEIGHTED_ONLY = ("ips", "clipped_ips", "balanced_ips")
"""Whose terms are weight times reward and no more."""


class Terms(NamedTuple):
    """What each decision adds to a value.

    values: (decisions,), their mean is the value and their spread its uncertainty. n_effective: what they are worth.
    low, high: the range that intervals which need one take: the largest weight times the range of the log's rewards
    for IPS and plain means, and that of the terms themselves for others.
    """

    values: Floats
    n_effective: float
    low: float
    high: float


def require_estimators(names: tuple[str, ...]) -> None:
    """Raises: InputError: one of them does not exist; names the nearest that does."""
    known = (*ESTIMATORS, WEIGHTED, *SLATE_ESTIMATORS)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
            raise InputError(f"there is no estimator {name!r}: {hint}")


def default_estimators(evidence: Evidence) -> tuple[str, ...]:
    """What to use where nobody said: for slates those that let a slot's reward depend on the slots above."""
    leaning = evidence.baseline is not None
    if evidence.slate_size > 1:
        return (*SLATE_DEFAULTS, CASCADE) if leaning else SLATE_DEFAULTS
    names = ("ips", "snips", "dr") if leaning else ("ips", "snips")
    if len(evidence.loggers.names) == 1:
        return names
    return (*names, WEIGHTED, BALANCED) if evidence.logger_odds else (*names, WEIGHTED)


def on_policy(rewards: Floats, decisions: Integers | None = None) -> Terms:
    """(decisions,) what each decision earned. decisions: (n,), None where every row is one."""
    values = rewards if decisions is None else per_decision(rewards, decisions)
    return plain(values, float(len(values)))


def plain(values: Floats, n_effective: float) -> Terms:
    """Terms whose range is that of the values seen, and of 0."""
    return Terms(values, n_effective, min(0.0, float(values.min())), max(0.0, float(values.max())))


def terms_of(evidence: Evidence, estimator: str) -> Terms:
    """Raises: InputError: an unknown estimator, or one that needs forecasts which are not there."""
    if estimator in SLATE_ESTIMATORS:
        log, how = _slates(evidence, leaning=estimator == CASCADE), SLATE_ESTIMATORS[estimator]
        return plain(how.terms(log), how.estimate(log).n_effective)
    made = _made(evidence, estimator)
    columns = (evidence.rewards, evidence.propensities, evidence.target, evidence.baseline)
    # By rows; n counts decisions, so a decision's rows are worth a decision together.
    worth = made.estimate(*columns).n_effective * (int(evidence.decisions[-1]) + 1) / len(evidence)
    terms = plain(per_decision(made.terms(*columns), evidence.decisions), worth)
    if estimator in WEIGHTED_ONLY:
        low, high = _weighted_range(evidence)
        return terms._replace(low=low, high=high)
    return terms


def _made(evidence: Evidence, estimator: str) -> WithTerms:
    require_estimators((estimator,))
    if estimator == WEIGHTED:
        return WeightedIps(logger=evidence.loggers.codes.astype(np.int64))
    if estimator == BALANCED and len(evidence.loggers.names) > 1:
        return BalancedIps(loggers=_loggers(evidence))
    return ESTIMATORS[estimator]()


def _loggers(evidence: Evidence) -> Loggers:
    """Raises: InputError: the log does not say what each of its loggers would have given to the rows of the others."""
    names, odds = evidence.loggers.names, evidence.logger_odds
    missing = [name for name in names if name not in odds]
    if missing:
        raise InputError(
            f"{BALANCED} needs what every logger would have given to each shown item, but the log does not say it of "
            f'{", ".join(map(repr, missing))}: name the columns as logger_probability = {{ {missing[0]} = "column" }}, '
            f"or take {WEIGHTED}"
        )
    return Loggers(evidence.loggers.codes.astype(np.int64), np.column_stack([odds[name] for name in names]))


def _slates(evidence: Evidence, *, leaning: bool) -> SlateLog:
    """Slates, with a model of what comes from each slot downwards made of the forecasts, where there are any."""
    log, baseline = slates_of(evidence), evidence.baseline
    if not leaning or baseline is None or len(log) < FOLDS:
        return log
    starts = np.searchsorted(evidence.decisions, np.arange(len(log)))
    here = (evidence.decisions, np.arange(len(evidence)) - starts[evidence.decisions])
    shown, expected = np.zeros((*log.rewards.shape, 1)), np.zeros((*log.rewards.shape, 1))
    shown[(*here, 0)], expected[(*here, 0)] = baseline.shown, baseline.expected
    return with_baseline(log, shown, expected, rng=np.random.default_rng(0), folds=FOLDS)


def _weighted_range(evidence: Evidence) -> tuple[float, float]:
    """What no sum of weight times reward over a decision's slots can exceed."""
    largest = float(evidence.weights.max()) * evidence.slate_size
    low, high = float(evidence.rewards.min()), float(evidence.rewards.max())
    return min(0.0, low) * largest, max(0.0, high) * largest


def per_decision(values: Floats, decisions: Integers) -> Floats:
    """(decisions,) sums of (n,) values; the values themselves where every row is a decision."""
    if decisions[-1] + 1 == len(values):
        return values
    return np.asarray(np.bincount(decisions, weights=values), dtype=np.float64)
