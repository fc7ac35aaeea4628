"""What an interval asks of its arguments."""

from __future__ import annotations

import math

import numpy as np

from equipoise.core import Floats, InputError


def checked_level(level: float) -> float:
    """Raises: InputError: not in (0, 1)."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level!r} but must lie between 0 and 1: write 0.95 for 95 %")
    return float(level)


def checked_range(low: float, high: float) -> tuple[float, float]:
    """Raises: InputError: not two finite numbers, the first below the second."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f"the range of the values is {low!r} to {high!r} but must be two finite numbers, the first below the "
            "second: with weights up to w and rewards in [0, 1] it is 0 to w"
        )
    return float(low), float(high)


def checked_values(
    name: str, values: Floats, *, low: float = -math.inf, high: float = math.inf, least: int = 1
) -> Floats:
    """values: (n,) finite, in [low, high], n at least `least`. Raises: InputError: it names the first bad row."""
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or len(given) < least:
        raise InputError(f"{name} has shape {given.shape} but must be (n,) with n at least {least}")
    wrong = np.flatnonzero(~((given >= low) & (given <= high) & np.isfinite(given)))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{name} has {float(given[row])!r} in row {row} but must be finite and in [{low:g}, {high:g}]: "
            "give the range that no value can leave"
        )
    return given
