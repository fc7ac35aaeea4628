"""Is the log itself sound? Propensities, items, rewards still to come, ids, drift; whatever the target."""

from __future__ import annotations

import math

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.support.check import Check, Verdict, graded

FEW_REWARDS = 50
COVERAGE = 0.9
OPEN_SHARE = 0.01
PARTS = 10
DRIFT_P = 1e-4
CALIBRATION_Z = 5.0
LEAST_ROWS = 5
SAMPLE, BLOCK = 100_000, 500_000


def rewards_seen(evidence: Evidence) -> Check:
    """Rows whose reward is not the most common one."""
    some = evidence.rewards[:: max(1, len(evidence) // SAMPLE)]
    values, counts = np.unique(some, return_counts=True)
    rare = int(np.count_nonzero(evidence.rewards != values[np.argmax(counts)]))
    return Check(
        "rows that differ in reward",
        f"{rare:,} of {len(evidence):,}",
        graded(rare, warn=FEW_REWARDS, falling=True),
        f"warns below {FEW_REWARDS}",
        "so few rows earned something that one more or less changes the estimate",
        "log for longer before two policies are compared",
    )


def calibration(evidence: Evidence) -> Check:
    """Sum of 1 / propensity over the rows that show an item in a slot: at most the number of rows of that slot.

    It estimates how often the item was a candidate there (Horvitz & Thompson 1952), so more than always is a sign that
    propensities are too small. Each pair is tested against its own standard error; pairs of fewer than 5 rows are not.
    """
    worst = _worst_pair(evidence)
    if worst is None:
        return Check(
            "propensity calibration", "no item with 5 rows in a slot", Verdict.OPEN, "needs 5 rows an item"
        )
    ratio, z, item = worst
    return Check(
        "propensity calibration",
        f"item {item!r} was shown {ratio:.2f} times as often as its propensities allow (z {z:+.1f})",
        graded(z, warn=CALIBRATION_Z),
        f"at most 1 is possible; warns beyond z {CALIBRATION_Z:.0f}",
        "the propensities are too small for how often this item is shown, so its rewards count too much",
        "log the probability that the dice used; an item shown always has the propensity 1",
    )


def _worst_pair(evidence: Evidence) -> tuple[float, float, str] | None:
    """Ratio, z and name of the item that is shown most beyond what its propensities allow."""
    kinds = len(evidence.items.names)
    counts, sums, squares = _sums_by_pair(evidence, kinds)
    rows = np.repeat(np.bincount(evidence.slots), kinds).astype(np.float64)
    tested = np.flatnonzero(counts >= LEAST_ROWS)
    if not len(tested):
        return None
    ratio = sums[tested] / rows[tested]
    error = (
        np.sqrt(np.maximum(squares[tested] - np.square(sums[tested]) / rows[tested], 1e-12)) / rows[tested]
    )
    z = np.where(ratio > 1.0 + 1e-9, (ratio - 1.0) / error, np.minimum((ratio - 1.0) / error, 0.0))
    worst = int(np.argmax(z))
    return float(ratio[worst]), float(z[worst]), evidence.items.names[tested[worst] % kinds]


def _sums_by_pair(evidence: Evidence, kinds: int) -> Floats:
    """(3, slots x items): rows, sum of 1 / propensity and of its square for each pair; block by block."""
    sums = np.zeros((3, (int(evidence.slots.max()) + 1) * kinds))
    for start in range(0, len(evidence), BLOCK):
        block = slice(start, start + BLOCK)
        pairs = evidence.slots[block].astype(np.int64) * kinds + evidence.items.codes[block]
        inverse = 1.0 / evidence.propensities[block]
        for row, weights in enumerate((None, inverse, np.square(inverse))):
            sums[row] += np.bincount(pairs, weights=weights, minlength=sums.shape[1])
    return sums


def coverage(evidence: Evidence, known_items: int | None) -> Check:
    """How many of the items that there are the log shows at least once."""
    shown = int(np.count_nonzero(np.bincount(evidence.items.codes, minlength=1)))
    if known_items is None:
        return Check(
            "candidate coverage",
            f"{shown:,} items are shown; the log does not say how many there were",
            Verdict.OPEN,
            f"warns below {COVERAGE:.0%}",
        )
    share = shown / max(known_items, 1)
    return Check(
        "candidate coverage",
        f"{shown:,} of {known_items:,} items are shown ({share:.0%})",
        graded(share, warn=COVERAGE, falling=True),
        f"warns below {COVERAGE:.0%}",
        "the other items were never shown, so the log says nothing of them",
        "log for longer, or let the logging policy explore more",
    )


def delay(evidence: Evidence, window_seconds: float | None, unsettled: int | None) -> Check:
    """Rows whose reward may still come."""
    if unsettled is not None:
        share, told = unsettled / (unsettled + len(evidence)), f"{unsettled:,} decisions have not settled yet"
    elif window_seconds is not None and np.isfinite(evidence.at).any():
        still = int(np.count_nonzero(evidence.at > np.nanmax(evidence.at) - window_seconds))
        share = still / len(evidence)
        told = f"{still:,} rows are younger than the window of {window_seconds:,.0f} s"
    else:
        return Check(
            "reward delay",
            "the log does not say how long rewards are waited for",
            Verdict.OPEN,
            f"warns above {OPEN_SHARE:.0%}; --window-seconds says it",
        )
    # What has not settled is left out of a journal's rows, so its share is told but biases nothing.
    verdict = Verdict.FINE if unsettled is not None else graded(share, warn=OPEN_SHARE)
    return Check(
        "reward delay",
        f"{told} ({share:.1%})",
        verdict,
        f"warns above {OPEN_SHARE:.0%} of rows within the window of the log's end",
        "their rewards may still come, so they count as less than they will earn",
        "leave out the log's last window, or wait for it to close",
    )


def duplicates(count: int | None) -> Check:
    """Rows that were there before."""
    if count is None:
        return Check("duplicate ids", "the log has no decision_id", Verdict.OPEN, "warns above 0")
    return Check(
        "duplicate ids",
        f"{count:,}",
        graded(count, warn=0),
        "warns above 0",
        "rows were in the log more than once; the later ones were left out",
        "find out what wrote them twice: what was lost instead cannot be seen",
    )


def drift(evidence: Evidence) -> Check:
    """Whether the mean reward of ten parts of the log, in its order, differs more than chance allows (chi-square, 9)."""
    parts = np.array_split(evidence.rewards, PARTS) if len(evidence) >= 20 * PARTS else []
    spread = float(evidence.rewards.var())
    if not parts or spread == 0.0:
        return Check("drift", "too few rows to tell", Verdict.OPEN, f"warns below p {DRIFT_P:g}")
    means = np.array([part.mean() for part in parts])
    sizes = np.array([len(part) for part in parts])
    statistic = float((sizes * np.square(means - evidence.rewards.mean())).sum() / spread)
    chance = _chi_square_tail(statistic, PARTS - 1)
    return Check(
        "drift",
        f"mean reward of ten parts from {means.min():.4g} to {means.max():.4g} (p {chance:.2g})",
        graded(chance, warn=DRIFT_P, falling=True),
        f"warns below p {DRIFT_P:g}",
        "what is earned changes over the log's time, so its mean is not what comes next",
        "look at --over-time, and judge by the latest part",
    )


def _chi_square_tail(statistic: float, degrees: int) -> float:
    from scipy.special import chdtrc

    chance = float(chdtrc(degrees, statistic))
    return chance if math.isfinite(chance) else 0.0
