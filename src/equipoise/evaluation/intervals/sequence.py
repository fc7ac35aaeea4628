"""A confidence sequence: an interval that stays valid however often one looks, and whenever one stops."""

from __future__ import annotations

import math

import numpy as np

from equipoise.core import Floats, InputError, State
from equipoise.evaluation.intervals.checks import checked_level, checked_range, checked_values
from equipoise.evaluation.intervals.wealth import least_tenable, log_wealth

_SMALLEST = 1e-7
"""Of the range: closer to 0 than this, points are no longer geometric but even."""

_GROWTH = 1.05
"""Neighbouring points differ by 5 %: spreading a value over its two neighbours adds below 0.1 % of its square."""


class ConfidenceSequence:
    """Bounds for the mean of values in [`low`, `high`], valid at all times at once.

    With probability `level` the mean lies inside `interval()` after every `observe`, for ever: look as often as
    you like. Values may depend on the past as long as each has the same mean given the past. If the mean drifts,
    this still holds: for a threshold fixed beforehand, the chance that the lower bound is ever above it while
    the running average of the means is not, is at most (1 - level) / 2; the same for the upper bound.

    Theorem: Ville 1939 for the wealth of Waudby-Smith and Ramdas 2023 (`wealth.py`), half of the risk on each
    side. Each value is spread over the two neighbouring points of a fixed grid, keeping its mean. As log is
    concave this can only lower the wealth, so the interval stays valid, and the state is one count for each
    point, whatever the order and however many values. The lower bound barely depends on `high`, nor the upper on
    `low`: only the farthest values that were really seen widen them.
    """

    __slots__ = ("_counts", "_points", "high", "level", "low")

    def __init__(self, level: float, low: float, high: float) -> None:
        """level: in (0, 1). low, high: what no value can exceed, known beforehand and not read off the values.

        Raises: InputError: a level outside (0, 1) or an empty range.
        """
        self.level = checked_level(level)
        self.low, self.high = checked_range(low, high)
        self._points = _grid(self.low, self.high)
        self._counts = np.zeros(len(self._points))

    @property
    def n(self) -> int:
        """How many values were observed."""
        return round(float(self._counts.sum()))

    def observe(self, values: Floats) -> None:
        """values: (n,), in any order. Raises: InputError: a value outside [low, high], or none at all."""
        given = checked_values("values", values, low=self.low, high=self.high)
        self._counts += spread(given, self._points)

    def interval(self) -> tuple[float, float]:
        """The bounds now, inside [low, high]; the whole range before the first value."""
        if not self._counts.any():
            return self.low, self.high
        width = self.high - self.low
        below, above = (least_tenable(*side, risk=self._risk) for side in self._sides())
        return self.low + width * below, self.high - width * above

    def beyond(self, threshold: float) -> int:
        """1 where the whole interval lies above `threshold`, -1 where below, else 0; in a twentieth of its time."""
        claim = (threshold - self.low) / (self.high - self.low)
        from_below, from_above = self._sides()
        if self._ruined(claim, *from_below):
            return 1
        return -1 if self._ruined(1.0 - claim, *from_above) else 0

    @property
    def _risk(self) -> float:
        return (1.0 - self.level) / 2.0

    def _sides(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Points as shares of the range, and their counts: seen from below, and from above."""
        seen = np.flatnonzero(self._counts)
        points, counts = (self._points[seen] - self.low) / (self.high - self.low), self._counts[seen]
        return (points, counts), (1.0 - points, counts)

    def _ruined(self, claim: float, points: Floats, counts: Floats) -> bool:
        """Whether a mean of at most `claim` is no longer tenable. claim: a share of the range, perhaps outside."""
        if claim == 0.0:  # a mean of 0 allows no value above 0 at all
            return bool((points > 0.0).any())
        if not 0.0 < claim <= 1.0 or len(counts) == 0:
            return claim < 0.0
        return float(log_wealth(claim, points, counts)) >= -math.log(self._risk)

    def state(self) -> State:
        """Everything observed: counts, and the range and level that they belong to."""
        return {"counts": self._counts.copy(), "settings": np.array([self.level, self.low, self.high])}

    def restore(self, state: State) -> None:
        """Go on where another sequence of the same level and range stopped. Raises: InputError: another one."""
        if not np.array_equal(state["settings"], [self.level, self.low, self.high]):
            raise InputError(
                f"the stored sequence has level, low, high {state['settings'].tolist()} but this one has "
                f"{[self.level, self.low, self.high]}: make it with the same settings"
            )
        if state["counts"].shape != self._counts.shape:
            raise InputError(
                f"the stored sequence has {state['counts'].shape} counts but {self._counts.shape} are expected: "
                "start a new sequence from the journal's values"
            )
        self._counts = np.array(state["counts"], dtype=np.float64)


def spread(values: Floats, points: Floats) -> Floats:
    """Each value as two shares on its neighbouring points, so that counts and sum are kept.

    values: (n,) inside the points. points: (p,) rising. Returns: (p,) counts, sum n.
    """
    right = np.clip(np.searchsorted(points, values, side="left"), 1, len(points) - 1)
    left = right - 1
    share = (values - points[left]) / (points[right] - points[left])
    counts = np.bincount(right, weights=share, minlength=len(points))
    return np.asarray(
        counts + np.bincount(left, weights=1.0 - share, minlength=len(points)), dtype=np.float64
    )


def _grid(low: float, high: float) -> Floats:
    """Points of the range: its ends, 0 exactly where it is inside, and steps of 5 % away from 0."""
    width = high - low
    reach = max(abs(low), abs(high))
    count = int(np.ceil(np.log(reach / (_SMALLEST * width)) / np.log(_GROWTH)))
    sizes = reach * _GROWTH ** -np.arange(count + 1, dtype=np.float64)
    if low > 0.0 or high < 0.0:
        sizes = np.append(sizes, np.linspace(abs(low), abs(high), 512))
    points = np.concatenate([-sizes, [0.0, low, high], sizes])
    return np.asarray(np.unique(points[(points >= low) & (points <= high)]))
