"""The bootstrap of a mean, at the price of a few passes over the rows instead of a thousand.

A bootstrap sample draws n rows with replacement. How often it draws from each of b bins of the terms' range is one
multinomial throw. The sum it draws inside a bin, given that count, is very nearly normal with count x the bin's
mean and count x the bin's variance. So a thousand samples cost a thousand times b throws, whatever n. The mean
and the variance of the bootstrap distribution are exactly those of the plain bootstrap, as both follow from the
bins' means and variances without loss; its skewness is kept up to the width of a bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.intervals.checks import checked_level, checked_values

_BINS = 256
_BLOCK = 10_000
_PLAIN = 2_000
"""Up to so many rows the plain bootstrap is as quick."""


def bootstrap(
    terms: Floats, *, level: float = 0.95, samples: int = 1_000, seed: int = 0
) -> tuple[float, float]:
    """The percentile interval of the mean (Efron 1979; Efron and Tibshirani 1993, chapter 13).

    terms: (n,). For a ratio, such as a self-normalised estimate, its linearised terms. samples: at least 20.
    Raises: InputError.
    """
    tail = (1.0 - checked_level(level)) / 2.0
    low, high = np.quantile(bootstrap_means(terms, samples=samples, seed=seed), [tail, 1.0 - tail])
    return float(low), float(high)


def bootstrap_means(terms: Floats, *, samples: int = 1_000, seed: int = 0) -> Floats:
    """(samples,), the mean of each bootstrap sample. terms: (n,). Raises: InputError."""
    given = checked_values("terms", terms)
    if samples < 20:
        raise InputError(f"samples is {samples} but must be at least 20 for a quantile to mean something")
    rng = np.random.default_rng(seed)
    if len(given) <= _PLAIN:
        return _plain(given, samples, rng)
    bins = _binned(given)
    counts = rng.multinomial(len(given), bins.shares, size=samples).astype(np.float64)
    inside = rng.standard_normal(samples) * np.sqrt(counts @ bins.variances)
    return np.asarray((counts @ bins.means + inside) / len(given))


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """The bins that have rows. shares: (b,), sum 1. means, variances: (b,), of the terms inside."""

    shares: Floats
    means: Floats
    variances: Floats


def _binned(terms: Floats) -> _Bins:
    """Terms by even bins between the least and the most, in blocks that stay in the cache."""
    low, high = float(terms.min()), float(terms.max())
    scale = _BINS / (high - low) if high > low else 0.0
    sums = np.zeros((3, _BINS + 1))
    for start in range(0, len(terms), _BLOCK):
        away = terms[start : start + _BLOCK] - low
        place = (away * scale).astype(np.intp)
        sums[0] += np.bincount(place, minlength=_BINS + 1)
        # Around the bin's lower edge, so that squares keep their digits.
        away -= place / scale if scale else 0.0
        sums[1] += np.bincount(place, weights=away, minlength=_BINS + 1)
        sums[2] += np.bincount(place, weights=away * away, minlength=_BINS + 1)
    filled = np.flatnonzero(sums[0])
    counts, first, second = sums[:, filled]
    inner = first / counts
    edges = low + (filled / scale if scale else 0.0)
    return _Bins(counts / len(terms), edges + inner, np.maximum(second / counts - inner**2, 0.0))


def _plain(terms: Floats, samples: int, rng: np.random.Generator) -> Floats:
    """A sample at a time, row by row."""
    n = len(terms)
    return np.array([terms[rng.integers(0, n, n)].mean() for _ in range(samples)])
