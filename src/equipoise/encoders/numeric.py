"""Numeric columns as they are: a catalogue without text still has vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.core import FeatureSpace, InputError, Vectors, fingerprint

_LARGEST = float(np.finfo(np.float32).max)


class NumericEncoder:
    """Named columns of numbers, passed through; an item's "text" is the JSON array of its numbers.

    unit: False, since numbers are kept as they are and rows are not of unit length: inner products mean what
        the columns' scales make of them, so bring columns to like scales first.
    """

    unit = False

    def __init__(self, columns: tuple[str, ...]) -> None:
        if not columns:
            raise InputError(
                "a numeric encoder without columns: name at least one, such as ('price', 'size')"
            )
        if len(set(columns)) < len(columns):
            raise InputError(f"columns {columns} name one twice: name each column once")
        self.columns = tuple(columns)
        self._space = FeatureSpace("numeric", fingerprint(*columns), len(columns))

    @property
    def space(self) -> FeatureSpace:
        return self._space

    def text(self, attributes: Mapping[str, Any]) -> str:
        """The attributes' numbers as a JSON array in the order of `columns`; 0.0 where one is missing.

        Raises: InputError: a value is no finite number.
        """
        return json.dumps([_number(attributes.get(column), column) for column in self.columns])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """texts: JSON arrays as `text` writes them. Returns: (n, d) float32, not of unit length.

        Raises: InputError: a text is no JSON array of d finite numbers.
        """
        if isinstance(texts, str):
            raise InputError(f"got the single text {texts[:40]!r}, expected a list of texts: write [text]")
        rows = [self._parsed(text) for text in texts]
        return np.array(rows, np.float32).reshape(len(rows), self._space.dim)

    def _parsed(self, text: str) -> list[float]:
        try:
            values = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            values = None
        if not isinstance(values, list) or len(values) != len(self.columns):
            shown = f"{text[:60]!r}" if isinstance(text, str) else repr(text)
            raise InputError(
                f"{shown} is no JSON array of {len(self.columns)} numbers for {', '.join(self.columns)}: "
                "make it with text(attributes)"
            )
        return [_number(value, column) for value, column in zip(values, self.columns, strict=True)]


def _number(value: Any, column: str) -> float:
    """The value as a float; 0.0 for None, 1.0 and 0.0 for True and False."""
    if value is None:
        return 0.0
    # numpy's float32 and integers are no `float` or `int`, and are numbers all the same
    if isinstance(value, int | float | np.integer | np.floating):
        number = _float(value)
        if abs(number) <= _LARGEST:  # neither infinite nor NaN
            return number
    raise InputError(f"column {column!r} holds {value!r}, expected a finite number or nothing")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return float("inf")
