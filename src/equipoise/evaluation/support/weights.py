"""Does the log show what the target would do? Everything that the weights target / propensity can say."""

from __future__ import annotations

import math

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.support.check import Check, Verdict, graded

FEW, TOO_FEW = 100.0, 10.0
SMALL_SHARE, THIN_SHARE = 0.01, 0.1
LEAST = 10
"""Decisions below which a log is short, which its intervals say, and not yet hopeless."""

Z = 4.0
FAR = 1000.0
"""From where a z is no longer told as a number."""

LARGE_SHARE, TOO_LARGE_SHARE = 0.05, 0.5
UNSUPPORTED, TOO_UNSUPPORTED = 0.05, 0.5


def effective_size(evidence: Evidence, weights: Floats) -> Check:
    """(sum w)^2 / sum w^2: how many rows of the target's own log these rows are worth (Kish 1965).

    Of slates also by whole decisions, whose weight is the product of their slots': that only warns, since estimators
    that take slots one by one can do with less.
    """
    worth, n = kish(weights), len(weights)
    share, told = worth / n, f"{worth:,.0f} of {n:,} rows ({worth / n:.1%})"
    # A short log of which every row counts is no hopeless one: its interval says how little it knows.
    verdict = graded(worth, warn=FEW, hopeless=TOO_FEW if share < THIN_SHARE else None, falling=True)
    if evidence.slate_size > 1:
        whole = kish(slate_weights(evidence))
        told += f", {whole:,.0f} of {int(evidence.decisions[-1]) + 1:,} whole slates"
        share = min(share, whole / (int(evidence.decisions[-1]) + 1))
        if verdict is Verdict.FINE:
            verdict = graded(whole, warn=FEW, falling=True)
    if verdict is Verdict.FINE and share < SMALL_SHARE:
        verdict = Verdict.WARNING
    return Check(
        "effective sample size",
        told,
        verdict,
        f"warns below {FEW:.0f} rows or {SMALL_SHARE:.0%}, hopeless below {TOO_FEW:.0f} and {THIN_SHARE:.0%}",
        "few logged rows resemble what the target would do, so chance decides the estimate",
        "log more, let the logging policy explore more, or judge a target nearer to it",
    )


def mean_weight(evidence: Evidence, weights: Floats) -> Check:
    """It is 1 if the propensities are right and the target does nothing that the log never tried."""
    mean, error = clustered(weights, evidence)
    z = (mean - 1.0) / error if error > 0.0 else (0.0 if math.isclose(mean, 1.0, abs_tol=1e-9) else math.inf)
    verdict = graded(abs(z), warn=Z)
    enough = evidence.decisions[-1] + 1 >= LEAST
    if verdict is Verdict.WARNING and enough and not 0.2 <= mean <= 5.0:
        verdict = Verdict.HOPELESS
    return Check(
        "mean weight",
        f"{mean:.4f} ({_told(z)})",
        verdict,
        f"should be 1; warns beyond z {Z:.0f}, hopeless there below .2 or above 5",
        "the propensities are not those of this log, or the target shows what the log never tries",
        "check that a propensity is the probability of the shown item given the slots above, and the target's too",
    )


def _told(z: float) -> str:
    """Weights that are all alike have next to no standard error, so that z says no more than its sign."""
    return f"z {z:+.1f}" if abs(z) < FAR else f"z beyond {math.copysign(FAR, z):+.0f}"


def largest_weight(weights: Floats) -> Check:
    """One row that carries much of the sum makes the estimate that row's."""
    total, largest = float(weights.sum()), float(weights.max())
    share = largest / total if total > 0.0 else 1.0
    return Check(
        "largest weight",
        f"{_weight(largest)} ({share:.1%} of all weight)",
        graded(share, warn=LARGE_SHARE, hopeless=max(TOO_LARGE_SHARE, LEAST / len(weights))),
        f"warns above {LARGE_SHARE:.0%}, hopeless above {TOO_LARGE_SHARE:.0%}",
        "a single row decides much of the estimate",
        "use a self-normalised, clipped or doubly robust estimator, or log with a higher floor",
    )


def _weight(largest: float) -> str:
    return f"{largest:,.1f}" if largest >= 1.0 else f"{largest:.2g}"


def unsupported(evidence: Evidence, weights: Floats, told: float | None) -> Check:
    """Target probability on what the log cannot show: as told by whoever knows all candidates, or 1 - mean weight."""
    if told is not None:
        share, how = told, "of the target's probability"
        sure = True
    else:
        mean, error = clustered(weights, evidence)
        share, how = max(0.0, 1.0 - mean), "of the target's probability, estimated by 1 - mean weight"
        sure = 1.0 - mean > Z * error
    verdict = graded(share, warn=UNSUPPORTED, hopeless=TOO_UNSUPPORTED) if sure else Verdict.FINE
    return Check(
        "target without support",
        f"{share:.1%} {how}",
        verdict,
        f"warns above {UNSUPPORTED:.0%}, hopeless above {TOO_UNSUPPORTED:.0%}",
        "the target shows things that the log never shows, and what those earn cannot be known from it",
        "give the logging policy a floor above 0 over all candidates, or take those candidates from the target",
    )


def kish(weights: Floats) -> float:
    """(sum w)^2 / sum w^2; 0 without any weight."""
    total, square = float(weights.sum()), float(weights @ weights)
    return total * total / square if square > 0.0 else 0.0


def slate_weights(evidence: Evidence) -> Floats:
    """(decisions,) the product of the weights of each decision's slots."""
    starts = np.flatnonzero(np.diff(evidence.decisions, prepend=-1))
    return np.asarray(np.multiply.reduceat(evidence.weights, starts), dtype=np.float64)


def clustered(values: Floats, evidence: Evidence) -> tuple[float, float]:
    """Mean of n values and its standard error, rows of one decision counting as one draw.

    Reference: Liang & Zeger 1986: the residuals are summed within a decision before they are squared.
    """
    mean = float(values.mean())
    residuals = values - mean
    if evidence.decisions[-1] + 1 < len(values):
        residuals = np.bincount(evidence.decisions, weights=residuals).astype(np.float64)
    groups = len(residuals)
    if groups < 2:
        return mean, math.inf
    scale = groups / (groups - 1)
    return mean, math.sqrt(scale * float(residuals @ residuals)) / len(values)
