"""A row of a catalogue file before it is an item, and what becomes of one that cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

RAW_CHARACTERS = 2_000
"""How much of a bad row is kept."""


@dataclass(frozen=True, slots=True)
class Row:
    """line: where it starts, from 1 (in Parquet: the row's number). values: column to value.

    raw: as it stands in the file; None where the file has no text of its own.
    """

    line: int
    values: Mapping[str, object]
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was set aside. raw: its first 2,000 characters; a byte that is not UTF-8 is written as \\xNN."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows.

    header: the names of its columns; None where every row names its own.
    typed: the file itself says what is a number and what is text (JSON, Parquet); CSV does not.
    rows: can be gone through once.
    """

    header: tuple[str, ...] | None
    typed: bool
    rows: Iterator[Row | BadRow]


def set_aside(line: int, reason: str, raw: str) -> BadRow:
    """A bad row with its text made printable and cut to length."""
    cut = raw[:RAW_CHARACTERS].rstrip("\r\n")
    return BadRow(line, reason, cut.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def refused(row: Row, reason: str) -> BadRow:
    """A row that was read well but is no item."""
    raw = json.dumps(dict(row.values), default=str, ensure_ascii=False) if row.raw is None else row.raw
    return set_aside(row.line, reason, raw)
