"""Filters on one attribute of all items, answered from the column once it is coded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog.items import finite
from equipoise.core import Floats, InputError

Mask: TypeAlias = NDArray[np.bool_]

BOUNDS = ("min", "max")


class Column:
    """One attribute of n items: its numbers, and for every other value the rows that have it.

    The rows lie value by value in one array, so that a column of 100,000 different words costs no more than one of ten.
    """

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        """values: (n,) attributes; None where an item has none."""
        self._name = name
        self._n = len(values)
        self._numbers = _numbers(values)
        self._codes: dict[str | bool, int] = {}
        self._rows, self._starts = self._indexed(values)

    def matching(self, wanted: Any) -> Mask:
        """(n,) True where the item has the wanted value, one of several, or one within bounds.

        Raises: InputError: a filter that no value of this column could ever fit.
        """
        if isinstance(wanted, Mapping):
            return self._between(wanted)
        mask = np.zeros(self._n, dtype=np.bool_)
        for value in wanted if isinstance(wanted, (list, tuple, set, frozenset)) else (wanted,):
            self._mark(mask, value)
        return mask

    def _indexed(self, values: Sequence[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The rows of each code, code by code, and where each code's rows start."""
        codes, rows = [], []
        for row, value in enumerate(values):
            if isinstance(value, float) or value is None:
                continue
            for entry in value if isinstance(value, tuple) else (value,):
                codes.append(self._codes.setdefault(entry, len(self._codes)))
                rows.append(row)
        coded = np.array(codes, dtype=np.intp)
        starts = np.concatenate([[0], np.cumsum(np.bincount(coded, minlength=len(self._codes)))])
        return np.array(rows, dtype=np.intp)[np.argsort(coded, kind="stable")], starts.astype(np.intp)

    def _mark(self, mask: Mask, value: Any) -> None:
        if isinstance(value, (bool, np.bool_, str)):
            code = self._codes.get(bool(value) if isinstance(value, np.bool_) else value)
            if code is not None:
                mask[self._rows[self._starts[code] : self._starts[code + 1]]] = True
            elif not self._holds(type(value)):
                raise self._unfit(value)
        else:
            mask |= self._required_numbers(value) == self._bound(value)

    def _between(self, wanted: Mapping[str, Any]) -> Mask:
        if not wanted or not set(wanted) <= set(BOUNDS):
            raise InputError(
                f"the filter on {self._name!r} has the keys {sorted(map(str, wanted))}: expected 'min', 'max' or both"
            )
        numbers = self._required_numbers(wanted)
        mask = ~np.isnan(numbers)
        if "min" in wanted:
            mask &= numbers >= self._bound(wanted["min"])
        if "max" in wanted:
            mask &= numbers <= self._bound(wanted["max"])
        return mask

    def _required_numbers(self, wanted: Any) -> Floats:
        if self._numbers is None:
            raise self._unfit(wanted)
        return self._numbers

    def _bound(self, value: Any) -> float:
        return finite(value, f"the filter on {self._name!r}")

    def _holds(self, kind: type) -> bool:
        """Whether any value is yes/no (for bool and numpy's) or a word (for str)."""
        words = issubclass(kind, str)
        return any(isinstance(value, str) is words for value in self._codes)

    def _unfit(self, wanted: Any) -> InputError:
        held = [
            *(["numbers"] if self._numbers is not None else []),
            *(["true or false"] if self._holds(bool) else []),
            *(["words"] if self._holds(str) else []),
        ]
        example = next((value for value in self._codes), None)
        shown = "" if example is None else f", such as {example!r}"
        return InputError(
            f"the filter on {self._name!r} is {wanted!r}, but its values are {' and '.join(held)}{shown}: "
            f"ask for such a value"
        )


def _numbers(values: Sequence[Any]) -> Floats | None:
    """(n,) float64, NaN where the value is no number; None if none is."""
    if not any(isinstance(value, float) for value in values):
        return None
    return np.array([value if isinstance(value, float) else np.nan for value in values], dtype=np.float64)
