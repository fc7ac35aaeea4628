"""An item: what can be recommended, and its one canonical JSON form, in which it is stored and compared."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from equipoise.core import InputError

Attribute: TypeAlias = str | float | bool | tuple[str, ...]
"""One fact of an item: a word, a number, yes or no, or several words."""

NOTHING: Mapping[str, Attribute] = MappingProxyType({})

INTERNED_CHARACTERS = 64
"""Attribute values up to this length are shared between items: categories repeat, descriptions do not."""


@dataclass(frozen=True, slots=True)
class Item:
    """What can be recommended.

    item_id: not empty. text: what an encoder reads, "" where the item has none.
    attributes: read-only; integers become floats, lists tuples of text; what is missing or empty has no key.
    published_at: seconds since 1970-01-01 UTC, None where unknown.
    Raises: InputError: a value that no item can have, such as NaN.
    """

    item_id: str
    text: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: NOTHING, hash=False)
    published_at: float | None = None

    def __post_init__(self) -> None:
        if not self.item_id:
            raise InputError("an item has the item_id '': give it text that no other item has")
        object.__setattr__(self, "item_id", plain_text(self.item_id, "item_id"))
        if "\x00" in self.item_id:
            raise InputError(f"item_id {self.item_id!r} holds a zero character: leave it out")
        object.__setattr__(self, "text", plain_text(self.text, "text"))
        if self.attributes is not NOTHING:
            object.__setattr__(self, "attributes", _attributes(self.attributes))
        if self.published_at is not None:
            object.__setattr__(self, "published_at", finite(self.published_at, "published_at"))


def plain_text(value: object, name: str) -> str:
    """A string that can be written as UTF-8. Raises: InputError."""
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r}: expected text; write it as a string")
    if not value.isascii():
        _require_utf8(value, name)
    return value if type(value) is str else str(value)


def _require_utf8(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} holds half of a character ({text[error.start]!r} at position {error.start}), which UTF-8 "
            f"cannot write: remove or repair it"
        ) from None


def finite(value: object, name: str) -> float:
    """A number that is neither NaN nor infinite, and not the negative zero. Raises: InputError."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise InputError(f"{name} is {value!r}: expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is {number}: expected a finite number; leave it out where it is unknown")
    return number + 0.0


def _attributes(given: Mapping[str, Any]) -> Mapping[str, Attribute]:
    kept = {}
    for name, value in given.items():
        if value is not None and value != "":
            attribute = attribute_of(value, name)
            if attribute != ():
                kept[sys.intern(plain_text(name, "an attribute's name"))] = attribute
    return MappingProxyType(kept) if kept else NOTHING


def attribute_of(value: object, name: str) -> Attribute:
    """A value as an attribute. Raises: InputError: an object, None, NaN, or a list of anything but text."""
    if isinstance(value, str):
        return _shared(plain_text(value, name))
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (list, tuple)):
        return tuple(_shared(plain_text(entry, f"an entry of {name}")) for entry in value if entry != "")
    if isinstance(value, (int, float, np.number)):
        return finite(value, name)
    raise InputError(f"{name} is {value!r}: expected text, a number, true or false, or a list of texts")


def _shared(value: str) -> str:
    return sys.intern(value) if len(value) <= INTERNED_CHARACTERS else value


def same(one: Item, other: Item) -> bool:
    """Whether two items are written as the same JSON. Python's own equality takes True for 1.0; this does not."""
    kinds = other.attributes
    return one == other and all(type(value) is type(kinds[name]) for name, value in one.attributes.items())


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def to_json(item: Item) -> str:
    """The item's one JSON form: keys sorted, nothing empty written."""
    fields: dict[str, object] = {"item_id": item.item_id}
    if item.text:
        fields["text"] = item.text
    if item.attributes:
        fields["attributes"] = dict(item.attributes)
    if item.published_at is not None:
        fields["published_at"] = item.published_at
    return _ENCODER.encode(fields)


def from_json(text: str) -> Item:
    """The item that `to_json` wrote. Raises: InputError: it is no item."""
    try:
        return Item(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise InputError(f"{text[:80]!r} is not an item: {error}") from error
