"""Intervals that are good for one look at a log of fixed size."""

from __future__ import annotations

import math

import numpy as np
from scipy import special
from scipy.special import ndtri

from equipoise.core import Floats, InputError
from equipoise.evaluation.intervals.checks import checked_level, checked_range, checked_values


def normal(terms: Floats, *, level: float = 0.95) -> tuple[float, float]:
    """Mean plus and minus the normal quantile times the standard error.

    terms: (n,), n at least 2. Right for large n, by the central limit theorem; too short where a few rows carry
    the sum. Raises: InputError.
    """
    given = checked_values("terms", terms, least=2)
    reach = float(ndtri(0.5 + checked_level(level) / 2.0) * given.std(ddof=1) / math.sqrt(len(given)))
    mean = float(given.mean())
    return mean - reach, mean + reach


def empirical_bernstein(
    terms: Floats, *, low: float, high: float, level: float = 0.95
) -> tuple[float, float]:
    """Valid for every n, for terms that cannot leave [low, high], cut to that range.

    Mean plus and minus sqrt(2 V l / n) + 7 (high - low) l / (3 (n - 1)), l = log(4 / (1 - level)), V the sample
    variance: Maurer and Pontil 2009, theorem 4, for each side half of the risk.
    terms: (n,), n at least 2, rows independent. low, high: known beforehand, such as 0 and the largest weight
    times the largest reward. Raises: InputError: a term outside.
    """
    low, high = checked_range(low, high)
    given = checked_values("terms", terms, low=low, high=high, least=2)
    n, mean = len(given), float(given.mean())
    log = math.log(4.0 / (1.0 - checked_level(level)))
    reach = math.sqrt(2.0 * float(given.var(ddof=1)) * log / n) + 7.0 * (high - low) * log / (3.0 * (n - 1))
    return max(low, mean - reach), min(high, mean + reach)


def clopper_pearson(outcomes: Floats, *, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share, for rewards that are 0 or 1 and count alike: on-policy means, kept rows of replay.

    Source: Clopper and Pearson 1934. outcomes: (n,) of 0 and 1.
    Raises: InputError: another number.
    """
    given = checked_values("outcomes", outcomes, low=0.0, high=1.0)
    between = np.flatnonzero((given != 0.0) & (given != 1.0))
    if len(between):
        raise InputError(
            f"outcomes has {float(given[between[0]])!r} in row {int(between[0])} but this interval is for 0 and 1 "
            "only: weighted rewards take empirical_bernstein or a ConfidenceSequence"
        )
    n, ones = len(given), int(given.sum())
    tail = (1.0 - checked_level(level)) / 2.0
    low = float(special.betaincinv(ones, n - ones + 1, tail)) if ones > 0 else 0.0
    high = float(special.betainccinv(ones + 1, n - ones, tail)) if ones < n else 1.0
    return low, high
