"""What a caller said, made plain: refused where it cannot be meant, in values that the journal gives back the same."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from equipoise.catalog import Item
from equipoise.core import InputError, Request

LONGEST_TEXT = 100_000
"""Characters of a request's text; no encoder reads further than a few thousand, but the journal keeps all of it."""

LONGEST_ID = 200

LATEST = 1e11
"""Seconds, in the year 5138; a greater time was meant in milliseconds."""


def plain_request(request: Request) -> Request:
    """The request with every field of its type, its numbers Python's own.

    Raises: InputError: a field of another type, an empty user_id, a text above 100,000 characters, or a value that
        is no text, finite number or truth value.
    """
    if not isinstance(request, Request):
        raise InputError(f"{request!r:.80} is no Request: write Request(text='shoes', user_id='u1')")
    _text("text", request.text)
    if request.user_id is not None:
        checked_id("user_id", request.user_id)
    for name in ("history", "items", "exclude"):
        _item_ids(name, getattr(request, name), optional=name != "exclude")
    if all(table == {} for table in (request.attributes, request.filters, request.pinned)):
        return request
    return replace(
        request,
        attributes=_mapping("attributes", request.attributes, _attribute),
        filters=_mapping("filters", request.filters, _filter),
        pinned=_pinned(request.pinned),
    )


def checked_id(name: str, value: object) -> str:
    """A caller's own id: a text of 1 to 200 characters. Raises: InputError."""
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_ID:
        raise InputError(
            f"{name} is {value!r:.60} but must be a text of 1 to {LONGEST_ID} characters: give one"
        )
    return _utf8(name, value)


def moment(name: str, at: object) -> float:
    """Seconds since 1970. Raises: InputError: no finite number, or one that must be milliseconds."""
    if isinstance(at, (int, float, np.number)) and not isinstance(at, bool) and -LATEST < at < LATEST:
        return float(at)
    raise InputError(
        f"{name} is {at!r:.60} but must be seconds since 1970, as time.time() gives them: divide milliseconds by 1000"
    )


def whole(name: str, value: object) -> int:
    """A whole number. Raises: InputError."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{name} is {value!r:.60} but must be a whole number: write {name}=10") from None


def items_given(items: object) -> tuple[Item, ...]:
    """Items, and plain names, each of which is an item_id and its text. Raises: InputError: anything else."""
    if isinstance(items, (str, bytes, Mapping, Item)) or not isinstance(items, Iterable):
        raise InputError(
            f"{items!r:.60} is no list of items: write [Item('i1', text='wet shoe')] or ['red', 'blue']"
        )
    given = tuple(Item(entry, text=entry) if isinstance(entry, str) else entry for entry in items)
    for entry in given:
        if not isinstance(entry, Item):
            raise InputError(f"{entry!r:.60} is no item: write Item('i1', text='wet shoe')")
    return given


def item_ids_given(item_ids: object) -> tuple[str, ...]:
    """Raises: InputError: a single text, or entries that are no texts."""
    if isinstance(item_ids, (str, bytes)) or not isinstance(item_ids, Iterable):
        raise InputError(f"{item_ids!r:.60} is no list of item_ids: write ['i7', 'i9']")
    given = tuple(item_ids)
    _item_ids("item_ids", given, optional=False)
    return given


def table_given(name: str, value: object) -> dict[str, Any]:
    """A table of the TOML: a mapping, or only its name. Raises: InputError."""
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, Mapping):
        raise InputError(f"{name} is {value!r:.60} but must be a name or a table: write {{'name': ...}}")
    return dict(value)


def _text(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r:.60} but must be a text or None: write it in quotes")
    if len(value) > LONGEST_TEXT:
        raise InputError(
            f"{name} has {len(value):,} characters but may have {LONGEST_TEXT:,}: send its beginning or a summary"
        )
    _utf8(name, value)


def _utf8(name: str, text: str) -> str:
    if "\x00" in text:
        raise InputError(
            f"{name} {text!r:.60} holds a zero character, which arrays of texts lose: leave it out"
        )
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{name} holds half of a character at position {error.start}: decode it as UTF-8 anew"
            ) from None
    return text


def _item_ids(name: str, value: object, *, optional: bool) -> None:
    if value is None and optional:
        return
    if not isinstance(value, tuple) or not all(isinstance(item_id, str) for item_id in value):
        raise InputError(f"{name} is {value!r:.80} but must be item_ids, which are texts: write ['i7', 'i9']")


def _mapping(name: str, value: object, entry: Callable[[str, Any], Any]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{name} is {value!r:.60} but must map names to values: write {{'hour': 21}}")
    for key in value:
        if not isinstance(key, str):
            raise InputError(f"{name} has the name {key!r:.60} but names are texts: write it in quotes")
    return {_utf8(name, key): entry(f"{name}[{key!r:.40}]", said) for key, said in value.items()}


def _attribute(name: str, value: Any) -> Any:
    """A fact of the moment: one value, several, or None where it is not known."""
    if isinstance(value, (list, tuple)):
        return [_scalar(name, entry) for entry in value]
    return None if value is None else _scalar(name, value)


def _filter(name: str, value: Any) -> Any:
    """One value, several of which one must hold, or a range."""
    if isinstance(value, Mapping):
        return _mapping(name, value, _scalar)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_scalar(name, entry) for entry in value]
    return _scalar(name, value)


def _scalar(name: str, value: Any) -> str | bool | int | float:
    """A text, truth value or finite number, as Python's own."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return _utf8(name, value)
    if isinstance(value, (bool, int, float)) and abs(value) < math.inf and _fits(value):
        return value
    raise InputError(
        f"{name} is {value!r:.60} but must be a text, a finite number, or True or False: give one"
    )


def _fits(number: float) -> bool:
    """An integer of more than 308 digits is no float."""
    try:
        float(number)
    except OverflowError:
        return False
    return True


def _pinned(value: object) -> dict[int, str]:
    if not isinstance(value, Mapping):
        raise InputError(f"pinned is {value!r:.60} but must map slots to item_ids: write {{0: 'i3'}}")
    for slot, item_id in value.items():
        if isinstance(slot, bool) or not isinstance(slot, (int, np.integer)) or not isinstance(item_id, str):
            raise InputError(
                f"pinned has {slot!r:.40}: {item_id!r:.40} but maps slots to item_ids: write {{0: 'i3'}}"
            )
    return {int(slot): item_id for slot, item_id in value.items()}
