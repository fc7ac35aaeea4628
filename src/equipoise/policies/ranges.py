"""Settings that say what they allow, when somebody gives something else."""

from __future__ import annotations

import math

from equipoise.core import ConfigurationError


def require(name: str, value: float, low: float, high: float = math.inf, *, above: bool = False) -> None:
    """Refuse a setting outside [low, high], or outside (low, high] with `above`.

    Raises: ConfigurationError: with the setting's name, its value and its range.
    """
    inside = (low < value if above else low <= value) and value <= high
    if not inside:
        opening = "(" if above else "["
        closing = "inf)" if math.isinf(high) else f"{high:g}]"
        raise ConfigurationError(
            f"setting '{name}' is {value!r} but must lie in {opening}{low:g}, {closing}: change it there"
        )
