"""Settings that say what they allow, when somebody gives something else."""

from __future__ import annotations

import math
from typing import Any

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


def typed(name: str, value: Any, default: Any) -> Any:
    """The value as its default's type: a whole number may stand for a float, a list for a tuple.

    Raises: ConfigurationError: it is of another type. Where the default is None, anything passes.
    """
    kind = type(default)
    if kind is float and type(value) is int:
        return float(value)
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(value)
    if default is None or type(value) is kind:
        return value
    raise ConfigurationError(
        f"setting '{name}' is {value!r} but must be {_WORDS.get(kind, kind.__name__)}, such as {default!r}"
    )


_WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a name", tuple: "a list"}
