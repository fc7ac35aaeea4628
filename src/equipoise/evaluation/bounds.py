"""Intervals by name, around the mean of what each decision adds."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from equipoise.core import Estimate, Floats, InputError
from equipoise.evaluation.intervals import (
    ConfidenceSequence,
    bootstrap,
    clopper_pearson,
    empirical_bernstein,
    normal,
)
from equipoise.evaluation.ranges import NEED_RANGE
from equipoise.evaluation.terms import Terms


class Ask(NamedTuple):
    """level: in (0, 1). seed: of the bootstrap's samples."""

    level: float
    seed: int


def _normal(terms: Terms, ask: Ask) -> tuple[float, float]:
    return normal(terms.values, level=ask.level)


def _bootstrap(terms: Terms, ask: Ask) -> tuple[float, float]:
    return bootstrap(terms.values, level=ask.level, seed=ask.seed)


def _bernstein(terms: Terms, ask: Ask) -> tuple[float, float]:
    low, high = _range(terms)
    return empirical_bernstein(np.clip(terms.values, low, high), low=low, high=high, level=ask.level)


def _exact(terms: Terms, ask: Ask) -> tuple[float, float]:
    return clopper_pearson(_shares(terms), level=ask.level)


def _sequence(terms: Terms, ask: Ask) -> tuple[float, float]:
    sequence = ConfidenceSequence(ask.level, *_range(terms))
    sequence.observe(np.clip(terms.values, sequence.low, sequence.high))
    return sequence.interval()


INTERVALS: Mapping[str, Callable[[Terms, Ask], tuple[float, float]]] = {
    "normal": _normal,
    "bootstrap": _bootstrap,
    "empirical_bernstein": _bernstein,
    "clopper_pearson": _exact,
    "confidence_sequence": _sequence,
}
"""Name to a function of terms and what is asked. Those that need a range take that of `Terms`."""

NOT_SHARES = "it is no share of rows that earned 0 or 1 and count alike, so its interval is the normal one"


def require_interval(name: str) -> None:
    """Raises: InputError: there is none of that name; gives the nearest."""
    if name not in INTERVALS:
        near = difflib.get_close_matches(name, INTERVALS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(INTERVALS)}"
        raise InputError(f"there is no interval {name!r}: {hint}")


def bounded(terms: Terms, *, interval: str, level: float, seed: int = 0) -> Estimate:
    """The mean of the terms with its standard error and interval; from one decision alone nothing can be known."""
    values, n = terms.values, len(terms.values)
    value = float(values.mean())
    if n < 2:
        return Estimate(value, math.inf, -math.inf, math.inf, n, terms.n_effective)
    stderr = float(values.std(ddof=1)) / math.sqrt(n)
    low, high = INTERVALS[interval_for(terms, interval)](terms, Ask(level, seed))
    return Estimate(value, stderr, low, high, n, terms.n_effective)


def interval_for(terms: Terms, interval: str) -> str:
    """The interval that was asked for, or the normal one where that of shares meets other numbers than 0 and 1."""
    return "normal" if interval == "clopper_pearson" and not _are_shares(terms) else interval


def caveats(terms: Terms, interval: str) -> tuple[str, ...]:
    """What to read with an interval: that its range is not guaranteed, or that it is another one than was asked for."""
    if interval in NEED_RANGE:
        return terms.span.assumed
    return (NOT_SHARES,) if interval_for(terms, interval) != interval else ()


def _are_shares(terms: Terms) -> bool:
    return bool(np.isin(_shares(terms), (0.0, 1.0)).all())


def _shares(terms: Terms) -> Floats:
    return terms.values if terms.outcomes is None else terms.outcomes


def _range(terms: Terms) -> tuple[float, float]:
    """What no term can exceed; a little apart where the log has one value only."""
    low, high = terms.span.low, terms.span.high
    return (low, high) if high > low else (low - 0.5, high + 0.5)
