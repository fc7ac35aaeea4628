"""An estimator of either kind on evidence, as one number a decision: values, groups, times and differences follow.

A value is the mean over decisions of what its slots earn together; where each decision has one slot that is the mean
reward of a row.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from equipoise.core import Baseline, Floats, InputError
from equipoise.evaluation.estimators import (
    ESTIMATORS,
    NEEDS_BASELINE,
    AdaptiveDr,
    BalancedIps,
    FoundMips,
    Loggers,
    Mips,
    MoreRobustDr,
    Replay,
    WeightedIps,
    WithTerms,
    spread_so_far,
)
from equipoise.evaluation.evidence import Evidence, Integers
from equipoise.evaluation.ranges import (
    FORECASTS,
    LINEARISED,
    Limits,
    Span,
    additive_span,
    limits_of,
    plain_span,
    robust_span,
    slate_span,
    weighted_span,
)
from equipoise.evaluation.slates import SLATE_ESTIMATORS, SlateLog, slates_of, with_baseline

ON_POLICY = "on_policy"
"""The plain mean of what the log earned."""

WEIGHTED = "weighted_ips"
"""Of several logging policies in one log; see `estimators.WeightedIps`."""

BALANCED = "balanced_ips"
"""The same by the mixture of them; see `estimators.BalancedIps`."""

ADAPTIVE = "adaptive_dr"
"""For the log of a policy that was learning; see `estimators.AdaptiveDr`."""

RATIOS = frozenset(
    {"snips", "sndr", "replay", *(name for name in SLATE_ESTIMATORS if name.endswith("snips"))}
)
"""Estimators that divide by the mean weight: without any weight they have no value."""

SLATE_DEFAULTS = ("reward_interaction_ips", "reward_interaction_snips", "independent_ips")
CASCADE = "cascade_dr"
FOLDS = 3

WEIGHTED_ONLY = ("ips", "clipped_ips", "sg_ips")
"""Whose terms are weight times reward and no more, with weights that shrinking only makes smaller."""

ROBUST = ("dr", "switch_dr", "dros", "sg_dr", "mrdr")
"""Whose terms are forecast plus weight times what the forecast missed."""


class Terms(NamedTuple):
    """What each decision adds to a value.

    values: (decisions,), their mean is the value and their spread its uncertainty. n_effective: what they are worth.
    span: the range that intervals which need one take. outcomes: (kept,) rewards that count alike and whose mean is
    the value, for an exact interval of a share; None where there are none.
    """

    values: Floats
    n_effective: float
    span: Span
    outcomes: Floats | None = None

    def minus(self, other: Terms) -> Terms:
        """The difference, decision by decision; worth what the lesser is worth."""
        worth = min(self.n_effective, other.n_effective)
        return Terms(self.values - other.values, worth, self.span.minus(other.span))


def require_estimators(names: tuple[str, ...]) -> None:
    """Raises: InputError: one of them does not exist; names the nearest that does."""
    known = (*ESTIMATORS, WEIGHTED, ADAPTIVE, *SLATE_ESTIMATORS)
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


def on_policy(rewards: Floats, decisions: Integers | None = None, *, limits: Limits | None = None) -> Terms:
    """(decisions,) what each decision earned. decisions: (n,), None where every row is one."""
    values = rewards if decisions is None else per_decision(rewards, decisions)
    span = _seen(values) if limits is None else plain_span(limits)
    return Terms(values, float(len(values)), span, outcomes=values)


def _seen(values: Floats, *assumed: str) -> Span:
    """The range of the values seen, and of 0."""
    return Span(min(0.0, float(values.min())), max(0.0, float(values.max())), assumed)


def terms_of(evidence: Evidence, estimator: str, limits: Limits | None = None) -> Terms:
    """limits: what rewards and weights cannot exceed; None takes those of the log.

    Raises: InputError: an unknown estimator, or one that needs what is not there.
    """
    limits = limits or limits_of(evidence)
    if estimator in SLATE_ESTIMATORS:
        log, how = _slates(evidence, leaning=estimator == CASCADE), SLATE_ESTIMATORS[estimator]
        values = how.terms(log)
        return Terms(values, how.estimate(log).n_effective, _slate_span(estimator, limits, values))
    made = _made(evidence, estimator)
    columns = _columns(evidence, estimator)
    # By rows; n counts decisions, so a decision's rows are worth a decision together.
    worth = made.estimate(*columns).n_effective * (int(evidence.decisions[-1]) + 1) / len(evidence)
    values = per_decision(made.terms(*columns), evidence.decisions)
    return Terms(values, worth, _row_span(estimator, evidence, limits, values), _outcomes(made, evidence))


def _outcomes(made: WithTerms, evidence: Evidence) -> Floats | None:
    """The rewards of the rows that replay keeps, where each is a decision."""
    if not isinstance(made, Replay) or evidence.slate_size > 1:
        return None
    return evidence.rewards[made.kept(evidence.propensities, evidence.target)]


def _row_span(estimator: str, evidence: Evidence, limits: Limits, values: Floats) -> Span:
    baseline, found = _columns(evidence, estimator)[3], None
    if estimator in WEIGHTED_ONLY or (estimator == "mips" and evidence.beyond.marginal is not None):
        found = weighted_span(limits)
    elif estimator in (*ROBUST, "dm") and baseline is not None:
        forecasts = [*_ends(baseline.shown), *_ends(baseline.expected)]
        found = robust_span(limits, (min(forecasts), max(forecasts)))
    elif estimator == BALANCED:  # the mixture is at least a logger's share of rows times its own propensity
        shares = np.bincount(evidence.loggers.codes) / len(evidence)
        found = weighted_span(replace(limits, weight=limits.weight / float(shares[shares > 0.0].min())))
    if found is None:
        return _seen(values, FORECASTS if estimator in (*ROBUST, "dm") else LINEARISED)
    return found


def _slate_span(estimator: str, limits: Limits, values: Floats) -> Span:
    stem, _, form = estimator.rpartition("_")
    if form == "ips":
        return slate_span(limits, stem)
    if estimator == "pseudo_inverse":
        return additive_span(limits)
    return _seen(values, FORECASTS if estimator == CASCADE else LINEARISED)


def _ends(values: Floats) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _columns(evidence: Evidence, estimator: str) -> tuple[Floats, Floats, Floats, Baseline | None]:
    """Rewards, propensities, target and forecasts, as the estimator takes them."""
    propensities, target, baseline = evidence.propensities, evidence.target, evidence.baseline
    if estimator == "mips" and evidence.beyond.marginal is not None:
        propensities, target = evidence.beyond.marginal
    if estimator == "mrdr":
        baseline = evidence.beyond.robust
    return evidence.rewards, propensities, target, baseline


def _made(evidence: Evidence, estimator: str) -> WithTerms:
    require_estimators((estimator,))
    if estimator in _BEYOND:
        return _BEYOND[estimator](evidence)
    if estimator == WEIGHTED:
        return WeightedIps(logger=evidence.loggers.codes.astype(np.int64))
    if estimator == BALANCED and len(evidence.loggers.names) > 1:
        return BalancedIps(loggers=_loggers(evidence))
    if estimator in NEEDS_BASELINE and evidence.baseline is None:
        raise InputError(
            f"{estimator} leans on a baseline of forecasts, {NO_FORECASTS}: take an estimator without, such as snips"
        )
    return ESTIMATORS[estimator]()


NO_FORECASTS = (
    "which need the target's probability of every candidate, but here it is known of the shown items only"
)


def _mips(evidence: Evidence) -> WithTerms:
    _require_single(evidence, "mips")
    if evidence.beyond.clusters is None and evidence.beyond.marginal is None:
        raise InputError(
            "mips needs to know which items are alike: give their vectors with --vectors items.npz (from Python "
            "logs.items.with_clusters), or take ips"
        )
    if evidence.beyond.marginal is not None:
        return Mips()
    assert evidence.beyond.clusters is not None
    return FoundMips(clusters=evidence.beyond.clusters)


def _mrdr(evidence: Evidence) -> WithTerms:
    if evidence.beyond.robust is None:
        raise InputError(f"mrdr fits a model to the target's weights, {NO_FORECASTS}: take ips or snips")
    return MoreRobustDr()


def _adaptive(evidence: Evidence) -> WithTerms:
    """Rows count by what was known of the spread before them, in the order of their decisions."""
    _require_single(evidence, ADAPTIVE)
    if not np.isfinite(evidence.at).all():
        raise InputError(
            f"{ADAPTIVE} weighs rows by what was known before them, but the log does not say when they were decided: "
            "name the column of times under 'at' in the columns file"
        )
    order = np.argsort(evidence.at, kind="stable")
    known = evidence.weights**2 if evidence.beyond.spread is None else evidence.beyond.spread
    spread = np.empty(len(evidence))
    spread[order] = spread_so_far(known[order])
    return AdaptiveDr(spread=spread)


_BEYOND: dict[str, Callable[[Evidence], WithTerms]] = {"mips": _mips, "mrdr": _mrdr, ADAPTIVE: _adaptive}


def _require_single(evidence: Evidence, estimator: str) -> None:
    if evidence.slate_size > 1:
        raise InputError(
            f"{estimator} is for one item a decision, but here a decision has up to {evidence.slate_size} slots: take "
            f"{SLATE_DEFAULTS[0]}, or evaluate the rows of one slot"
        )


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


def per_decision(values: Floats, decisions: Integers) -> Floats:
    """(decisions,) sums of (n,) values; the values themselves where every row is a decision."""
    if decisions[-1] + 1 == len(values):
        return values
    return np.asarray(np.bincount(decisions, weights=values), dtype=np.float64)
