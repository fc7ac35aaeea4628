"""A row and its columns' kinds to an item, or to the reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from equipoise.catalog.columns import Columns
from equipoise.catalog.dates import seconds_of
from equipoise.catalog.items import NOTHING, Attribute, Item
from equipoise.catalog.kinds import Kind, is_missing, kind_of, parser, word
from equipoise.catalog.rows import BadRow, Row, refused
from equipoise.core import InputError

TEXT_CHARACTERS = 100_000
"""The longest text of one column; what is longer is set aside, for no encoder reads that far."""


class Assembly:
    """Turns the rows of one file into items."""

    def __init__(self, columns: Columns, kinds: Mapping[str, Kind]) -> None:
        self._columns = columns
        self._parsers = [(name, parser(kind, columns.lists.get(name))) for name, kind in kinds.items()]

    def __call__(self, row: Row) -> Item | BadRow:
        """The item; or the bad row with its reason."""
        try:
            return self._item(row)
        except InputError as error:
            return refused(row, str(error))

    def _item(self, row: Row) -> Item:
        columns, values = self._columns, row.values
        item_id = _item_id(values.get(columns.item_id), columns.item_id)
        text = "\n".join(filter(None, (_text(values.get(name), name) for name in columns.text)))
        attributes = self._attributes(values)
        published = None if columns.published_at is None else _published(values, columns.published_at)
        if not text and not attributes:
            text = item_id
        return Item(item_id, text=text, attributes=attributes, published_at=published)

    def _attributes(self, values: Mapping[str, object]) -> Mapping[str, Attribute]:
        kept: dict[str, Attribute] = {}
        for name, parse in self._parsers:
            value = values.get(name)
            if not is_missing(value):
                try:
                    kept[name] = parse(_limited(value, name))
                except InputError as error:
                    raise InputError(f"column {name!r}: {error}") from None
        return kept or NOTHING


def infer_kinds(columns: Columns, rows: Sequence[Row], *, typed: bool, named: bool) -> dict[str, Kind]:
    """The kind of every attribute, declared or else seen in these rows.

    named: the user named the attributes; if not, columns of nested data are left out.
    """
    seen = {
        name: columns.kinds.get(name) or kind_of((row.values.get(name) for row in rows), typed=typed)
        for name in columns.attributes or ()
    }
    return {name: kind for name, kind in seen.items() if named or kind != "object"}


def _item_id(value: object, column: str) -> str:
    if is_missing(value):
        raise InputError(f"column {column!r}: no item_id: give every item one")
    if isinstance(value, (bool, list, tuple, dict)):
        raise InputError(f"column {column!r}: {value!r} is no item_id: expected text or a number")
    return word(_limited(value, column))


def _text(value: object, column: str) -> str:
    if is_missing(value):
        return ""
    _limited(value, column)
    return " ".join(word(entry) for entry in value) if isinstance(value, list) else word(value)


def _published(values: Mapping[str, object], column: str) -> float | None:
    value = values.get(column)
    if is_missing(value):
        return None
    try:
        return seconds_of(value)
    except InputError as error:
        raise InputError(f"column {column!r}: {error}") from None


def _limited(value: object, column: str) -> object:
    if isinstance(value, str) and len(value) > TEXT_CHARACTERS:
        raise InputError(
            f"column {column!r}: a text of {len(value):,} characters: the limit is {TEXT_CHARACTERS:,}; shorten it"
        )
    return value
