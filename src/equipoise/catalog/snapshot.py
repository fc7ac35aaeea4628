"""The catalogue at one moment: immutable, versioned, and quick to filter."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog.items import Item, to_json
from equipoise.core import InputError, UnknownItemError, fingerprint

Mask = NDArray[np.bool_]

PUBLISHED = "published_at"
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
        self._columns: dict[str, _Column] = {}
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
        """Changes when any item does."""
        return fingerprint(*(to_json(item) for item in self.items))

    def _column(self, name: str) -> _Column:
        """Coded once, on first use."""
        with self._lock:
            if name not in self._columns:
                values = [self._value(item, name) for item in self.items]
                if all(value is None for value in values):
                    raise InputError(self._unknown_attribute(name))
                self._columns[name] = _Column(name, values)
            return self._columns[name]

    @staticmethod
    def _value(item: Item, name: str) -> Any:
        if name == PUBLISHED:
            return item.published_at
        return item.item_id if name == "item_id" else item.attributes.get(name)

    def _unknown(self, item_id: str) -> str:
        near = difflib.get_close_matches(item_id, self.item_ids[:SIMILAR_AMONG], n=1)
        hint = f"did you mean '{near[0]}'?" if near else "check the id, or import the item first"
        return (
            f"item '{item_id}' is not in the catalogue (version {self.version}, {len(self):,} items): {hint}"
        )

    def _unknown_attribute(self, name: str) -> str:
        known = sorted({key for item in self.items for key in item.attributes} | {PUBLISHED})
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"items have {', '.join(known)}"
        return f"no item has the attribute '{name}' that a filter names: {hint}"


class _Column:
    """One attribute of all items: numbers as floats, everything else as which rows have which value."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.name = name
        self.n = len(values)
        self._rows: dict[Any, NDArray[np.int64]] = {}
        self._numbers: NDArray[np.float64] | None = None
        if any(_is_number(value) for value in values):
            self._numbers = np.array([float(value) if _is_number(value) else np.nan for value in values])
        else:
            self._index(values)

    def _index(self, values: Sequence[Any]) -> None:
        rows: dict[Any, list[int]] = {}
        for row, value in enumerate(values):
            for entry in value if isinstance(value, tuple) else () if value is None else (value,):
                rows.setdefault(entry, []).append(row)
        self._rows = {entry: np.array(found, dtype=np.int64) for entry, found in rows.items()}

    def matching(self, wanted: Any) -> Mask:
        if isinstance(wanted, Mapping):
            return self._between(wanted)
        if isinstance(wanted, (list, tuple, set, frozenset)):
            mask = np.zeros(self.n, dtype=np.bool_)
            for entry in wanted:
                mask |= self._equal(entry)
            return mask
        return self._equal(wanted)

    def _equal(self, wanted: Any) -> Mask:
        if self._numbers is not None:
            return np.asarray(self._numbers == self._number(wanted))
        mask = np.zeros(self.n, dtype=np.bool_)
        found = self._rows.get(wanted)
        if found is not None:
            mask[found] = True
        return mask

    def _between(self, wanted: Mapping[str, Any]) -> Mask:
        unknown = set(wanted) - {"min", "max"}
        if unknown or not wanted:
            raise InputError(
                f"the filter on '{self.name}' has the keys {sorted(wanted)}: expected min, max or both"
            )
        if self._numbers is None:
            raise InputError(
                f"the filter on '{self.name}' asks for a range, but its values are no numbers: name values"
            )
        mask = ~np.isnan(self._numbers)
        if "min" in wanted:
            mask &= self._numbers >= self._number(wanted["min"])
        if "max" in wanted:
            mask &= self._numbers <= self._number(wanted["max"])
        return mask

    def _number(self, wanted: Any) -> float:
        if not _is_number(wanted) or wanted != wanted:
            raise InputError(
                f"the filter on '{self.name}' is {wanted!r}, but its values are numbers: give a number"
            )
        return float(wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
