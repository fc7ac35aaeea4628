"""Rows of a CSV or TSV file, each with the number of the line that it starts on."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from equipoise.catalog.rows import BadRow, Row, Table, set_aside
from equipoise.catalog.textfile import is_utf8, lines, require_text
from equipoise.core import CatalogError

SEPARATORS = (",", ";", "\t", "|")

RECORD_CHARACTERS = 4_000_000
"""A quoted field that is still open after this many characters counts as a forgotten quote."""


def open_delimited(path: Path, *, separators: Sequence[str] = SEPARATORS) -> Table:
    """A table with a header line; the separator is the one that finds most columns in it.

    Raises: CatalogError: no text file, or no header in UTF-8.
    """
    require_text(path)
    first = next((line for line in lines(path) if line.strip()), "")
    if not is_utf8(first):
        raise CatalogError(f"the header of '{path}' is not UTF-8: save the file as UTF-8")
    separator = max(separators, key=lambda mark: len(_fields([first], mark)))
    header = tuple(name.strip() for name in _fields([first], separator))
    return Table(header, False, _rows(path, header, separator))


def _rows(path: Path, header: tuple[str, ...], separator: str) -> Iterator[Row | BadRow]:
    feed = Feed(lines(path))
    records = _records(feed, separator)
    next(records)
    for line, taken, closed in records:
        raw = taken[0] if len(taken) == 1 else "".join(taken)
        yield _row(line, raw, taken, header, separator) if closed else _unclosed(line, raw)


def _row(line: int, raw: str, taken: list[str], header: tuple[str, ...], separator: str) -> Row | BadRow:
    if not is_utf8(raw):
        return set_aside(line, "bytes that are not UTF-8: save the file as UTF-8", raw)
    try:
        fields = _fields(taken, separator)
    except csv.Error as error:
        return set_aside(line, f"not readable as CSV: {error}", raw)
    if len(fields) != len(header):
        what = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        return set_aside(
            line, f"{what} where the header has {len(header)}: quote a field that holds {separator!r}", raw
        )
    return Row(line, dict(zip(header, fields, strict=True)), raw)


def _unclosed(line: int, raw: str) -> BadRow:
    return set_aside(line, "a quoted field is opened and never closed: close it, or double the quote", raw)


def _fields(taken: list[str], separator: str) -> list[str]:
    """The fields of one record. Without a quote in it, splitting is all that the csv module would do."""
    if len(taken) == 1 and '"' not in taken[0]:
        return taken[0].rstrip("\r\n").split(separator)
    return next(csv.reader(taken, delimiter=separator))


class Feed:
    """Lines that can be given back, and the number of the last one taken."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._returned: deque[str] = deque()
        self.number = 0

    def take(self) -> str | None:
        """The next line, None at the end."""
        line = self._returned.popleft() if self._returned else next(self._source, None)
        self.number += line is not None
        return line

    def give_back(self, taken: Sequence[str]) -> None:
        self._returned.extendleft(reversed(taken))
        self.number -= len(taken)


def _records(feed: Feed, separator: str) -> Iterator[tuple[int, list[str], bool]]:
    """First line number, lines, and whether every quote is closed; blank lines are passed over.

    Of a record that never closes only the first line is given up: the lines after it are read afresh.
    """
    whole, tail = _closed_patterns(separator)
    while (line := feed.take()) is not None:
        start, taken = feed.number, [line]
        closed = '"' not in line or whole.match(line) is not None
        if not closed:
            closed = _extend(feed, taken, tail)
            if not closed:
                feed.give_back(taken[1:])
                taken = taken[:1]
        if not closed or line.strip():
            yield start, taken, closed


def _extend(feed: Feed, taken: list[str], tail: re.Pattern[str]) -> bool:
    """Take lines until the open quote is closed at a line's end; False if that never comes."""
    size = len(taken[0])
    while size <= RECORD_CHARACTERS and (line := feed.take()) is not None:
        taken.append(line)
        size += len(line)
        if '"' in line and tail.match(line):
            return True
    return False


def _closed_patterns(separator: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A line that ends outside quotes: when it starts outside, and when it starts inside them.

    As the csv module reads it: a quote opens only at the start of a field, `""` inside stands for one quote,
    and what follows the closing quote up to the separator belongs to the field as it is.
    """
    mark = re.escape(separator)
    inside = r'[^"]*+(?:""[^"]*+)*+"'
    rest = rf"[^{mark}\r\n]*+"
    field = rf'(?:"{inside}{rest}|(?!"){rest})'
    end = rf"(?:{mark}{field})*+[\r\n]*\Z"
    return re.compile(field + end), re.compile(inside + rest + end)
