"""The catalogue at one moment: immutable, versioned, and quick to filter."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog.columns import did_you_mean
from equipoise.catalog.filters import Column, Mask
from equipoise.catalog.items import Item, to_json
from equipoise.core import InputError, UnknownItemError, fingerprint

PUBLISHED = "published_at"
ITEM_ID = "item_id"
SIMILAR_AMONG = 20_000


class Snapshot:
    """n items in a stable order of rows: an upsert keeps an item's row, new items follow the last.

    version: of the store, 0 for the empty catalogue before anything was loaded.
    """

    def __init__(self, version: int, items: tuple[Item, ...]) -> None:
        self.version = version
        self.items = items
        self.item_ids: tuple[str, ...] = tuple(item.item_id for item in items)
        self._row_of = {item_id: row for row, item_id in enumerate(self.item_ids)}
        self._columns: dict[str, Column] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._row_of

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def item(self, item_id: str) -> Item:
        """Raises: UnknownItemError, naming the nearest item_id."""
        row = self._row_of.get(item_id)
        if row is None:
            raise UnknownItemError(self._unknown(item_id))
        return self.items[row]

    def rows(self, item_ids: Sequence[str]) -> NDArray[np.int64]:
        """Returns: (k,) rows. Raises: UnknownItemError."""
        try:
            return np.fromiter((self._row_of[item_id] for item_id in item_ids), np.int64, len(item_ids))
        except KeyError as error:
            raise UnknownItemError(self._unknown(str(error.args[0]))) from None

    def matching(self, filters: Mapping[str, Any]) -> Mask:
        """(n,) True where an item passes every filter.

        A filter is a value (an attribute with several values passes if one of them is it), a list of allowed values,
        or `{"min": 1, "max": 5}` on numbers, both ends included. An item without the attribute does not pass.
        Raises: InputError: an attribute that no item has, or a filter that does not fit it.
        """
        mask = np.ones(len(self), dtype=np.bool_)
        for name, wanted in filters.items():
            mask &= self._column(name).matching(wanted)
        return mask

    @property
    def fingerprint(self) -> str:
        """Changes when any item does; the order of the rows changes nothing."""
        return fingerprint(*sorted(to_json(item) for item in self.items))

    def _column(self, name: str) -> Column:
        """Coded once, on first use."""
        column = self._columns.get(name)
        if column is None:
            with self._lock:
                column = self._columns.get(name) or self._coded(name)
                self._columns[name] = column
        return column

    def _coded(self, name: str) -> Column:
        values = [self._value(item, name) for item in self.items]
        if all(value is None for value in values):
            raise InputError(self._unknown_attribute(name))
        return Column(name, values)

    @staticmethod
    def _value(item: Item, name: str) -> Any:
        if name == PUBLISHED:
            return item.published_at
        return item.item_id if name == ITEM_ID else item.attributes.get(name)

    def _unknown(self, item_id: str) -> str:
        near = difflib.get_close_matches(item_id, self.item_ids[:SIMILAR_AMONG], n=1)
        hint = f"did you mean '{near[0]}'?" if near else "check the id, or import the item first"
        return (
            f"item '{item_id}' is not in the catalogue (version {self.version}, {len(self):,} items): {hint}"
        )

    def _unknown_attribute(self, name: str) -> str:
        known = sorted({key for item in self.items for key in item.attributes} | {PUBLISHED, ITEM_ID})
        hint = did_you_mean(name, known)
        return f"no item has the attribute {name!r} that a filter names: items have {', '.join(known)}{hint}"
