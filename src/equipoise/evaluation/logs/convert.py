"""Columns of text or numbers to arrays, whole columns at a time; what cannot be converted is marked, not raised."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.evaluation.logs.blocks import Column


class Converted(NamedTuple):
    """values: (n,) float64, NaN where there is none. wrong: (n,) bool, where something stands that is none."""

    values: Floats
    wrong: NDArray[np.bool_]


def numbers(column: Column) -> Converted:
    """Numbers, or texts of numbers; an empty text is a missing number. True and false are 1 and 0."""
    return _fast_or_slow(column, _as_floats, float)


def times(column: Column) -> Converted:
    """Seconds since 1970-01-01 UTC from seconds, ISO 8601 or the file's own times; without a zone they are UTC."""
    return _fast_or_slow(column, _as_seconds, _seconds)


def shown(column: Column, row: int) -> str:
    """What stands there, as text; nothing where nothing does."""
    value = column[row].as_py()
    return "" if value is None else str(value)


def _fast_or_slow(column: Column, fast: Callable[[Column], Any], slow: Callable[[Any], float]) -> Converted:
    """The whole column at once where every value can be read so, otherwise one by one."""
    import pyarrow as pa

    column = _plain(column)
    try:
        values = fast(column).to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        return Converted(values, np.zeros(len(values), dtype=np.bool_))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(column.to_pylist(), slow)


def _plain(column: Column) -> Column:
    """Without a dictionary, and in one piece."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _one_by_one(values: list[Any], convert: Callable[[Any], float]) -> Converted:
    found = np.full(len(values), np.nan)
    wrong = np.zeros(len(values), dtype=np.bool_)
    for row, value in enumerate(values):
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            found[row] = convert(value)
        except (TypeError, ValueError, OverflowError):
            wrong[row] = True
    return Converted(found, wrong)


def _as_floats(column: Column) -> Column:
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return column.cast(pa.float64(), safe=False)


def _as_seconds(column: Column) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _text_seconds(column)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zone = getattr(column.type, "tz", None)
        nanoseconds = column.cast(pa.timestamp("ns", tz=zone)).cast(pa.int64())
        return pc.divide(nanoseconds.cast(pa.float64(), safe=False), 1e9)
    return column.cast(pa.float64(), safe=False)


def _text_seconds(column: Column) -> Column:
    import pyarrow as pa

    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    try:
        return _as_seconds(column.cast(pa.timestamp("ns", tz="UTC")))
    except pa.ArrowInvalid:
        return _as_seconds(column.cast(pa.timestamp("ns")))


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            return float(value)
        except ValueError:
            moment = datetime.fromisoformat(str(value).strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
