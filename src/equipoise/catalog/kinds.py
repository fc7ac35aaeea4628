"""What kind of values a column holds, and how one of them becomes an attribute."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias, get_args

from equipoise.catalog.items import Attribute, finite
from equipoise.core import InputError

Kind: TypeAlias = Literal["number", "yes_no", "text", "list", "object"]
"""object: nested data, which no attribute can hold."""

KINDS: tuple[Kind, ...] = get_args(Kind)

YES_NO = {"true": True, "yes": True, "false": False, "no": False}

_CODE = re.compile(r"[+-]?0\d")
"""007 and the postcode 01234 are names, not numbers."""


def is_missing(value: object) -> bool:
    """None, blank text or an empty list."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def kind_of(values: Iterable[object], *, typed: bool) -> Kind:
    """What most of the values are: a column is numeric if more than half are, yes/no only if all are.

    typed: text that looks like a number is text all the same.
    """
    kinds = [_kind(value, typed=typed) for value in values if not is_missing(value)]
    for kind in ("number", "list", "object"):
        if 2 * kinds.count(kind) > len(kinds):
            return kind
    return "yes_no" if kinds and kinds.count("yes_no") == len(kinds) else "text"


def _kind(value: object, *, typed: bool) -> Kind:
    if isinstance(value, str):
        return "text" if typed else _written_kind(value.strip())
    if isinstance(value, bool):
        return "yes_no"
    if isinstance(value, (int, float)):
        return "number"
    return "list" if isinstance(value, list) else "object"


def _written_kind(text: str) -> Kind:
    if text.lower() in YES_NO:
        return "yes_no"
    try:
        number(text)
    except InputError:
        return "text"
    return "text" if _CODE.match(text) else "number"


def number(value: object) -> float:
    """Raises: InputError: no finite number."""
    if not isinstance(value, str):
        return finite(value, "the value")
    try:
        parsed = float(value)
    except ValueError:
        parsed = math.nan
    if not math.isfinite(parsed) or "_" in value:
        raise InputError(
            f"{value[:40]!r} where a number belongs: write a number, or nothing if it is unknown"
        )
    return parsed


def yes_no(value: object) -> bool:
    """Raises: InputError: neither of true, false, yes, no."""
    found = YES_NO.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise InputError(f"{str(value)[:40]!r} where true or false (or yes or no) belongs: write one of them")
    return found


def word(value: object) -> str:
    """A value as text; a whole number loses its `.0`. Raises: InputError: a list or nested data."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if finite(value, "the value").is_integer() else str(value)
    raise InputError(f"{str(value)[:40]!r} where text belongs: write one value, or leave the column out")


def words(value: object, separator: str | None) -> tuple[str, ...]:
    """Several values as text, each once, in their order; a text is cut at the separator, if there is one."""
    if isinstance(value, str):
        value = value.split(separator) if separator else [value]
    if not isinstance(value, (list, tuple)):
        value = [value]
    kept = (word(entry) for entry in value if not is_missing(entry))
    return tuple(dict.fromkeys(entry for entry in kept if entry))


def parser(kind: Kind, separator: str | None) -> Callable[[object], Attribute]:
    """What turns a value of such a column into an attribute; it raises InputError with the reason."""
    if separator is not None or kind == "list":
        return lambda value: words(value, separator)
    single: dict[Kind, Callable[[object], Attribute]] = {"number": number, "yes_no": yes_no}
    return single.get(kind, word)
