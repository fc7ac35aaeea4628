"""The floor under every distribution."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.core import Floats


def floored(odds: Floats, floor: float, above: Sequence[int] = ()) -> Floats:
    """floor + (1 - k floor) odds on the k candidates in play, exactly 0 on those above."""
    k = len(odds) - len(above)
    least = min(floor, 1.0 / k)
    mixed = odds * (1.0 - k * least)
    mixed += least
    if len(above):
        mixed[above] = 0.0
    return mixed
