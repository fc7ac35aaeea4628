"""Rows of a JSONL file, gzipped or not: one object a line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from equipoise.core import InputError
from equipoise.evaluation.logs.blocks import Block, require_file
from equipoise.evaluation.logs.faults import WHOLE, Fault

BLOCK_LINES = 16_384
"""Lines parsed at once: objects of Python take some ten times their text."""

HEADER_LINES = 1_000
"""Lines by which the columns of a file are known."""

Record: TypeAlias = Mapping[str, Any]
Unpack: TypeAlias = Callable[[Record], Sequence[Record]]


def _itself(record: Record) -> Sequence[Record]:
    return (record,)


@dataclass(slots=True)
class JsonLinesFile:
    """unpack: one object to its rows; raises ValueError, KeyError or TypeError if it cannot be one."""

    path: Path
    unpack: Unpack = _itself
    line_offset: int | None = 0
    header: tuple[str, ...] | None = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        require_file(self.path)
        self.total = self.path.stat().st_size
        self.header = self._header()

    def _header(self) -> tuple[str, ...] | None:
        """The names that the first lines use. Raises: InputError: none of them is good."""
        parsed = [self._parsed(line, text) for line, text in islice(self._lines(), HEADER_LINES)]
        names = (name for rows in parsed if not isinstance(rows, Fault) for row in rows for name in row)
        header = tuple(dict.fromkeys(names))
        if not header:
            faults = [rows for rows in parsed if isinstance(rows, Fault)]
            first = f" ({faults[0].value!r:.60} {faults[0].reason})" if faults else ""
            raise InputError(
                f"'{self.path}' has no usable JSON object in its first {HEADER_LINES} lines, from row 1 on{first}: "
                "expected one a line"
            )
        return header

    def blocks(self, wanted: Sequence[str]) -> Iterator[Block]:
        with self.path.open("rb") as raw:
            lines = self._lines_of(raw)
            while taken := list(islice(lines, BLOCK_LINES)):
                yield self._block(taken, wanted, raw.tell())

    def _block(self, taken: list[tuple[int, bytes]], wanted: Sequence[str], done: int) -> Block:
        numbers: list[int] = []
        records: list[Record] = []
        faults: list[Fault] = []
        for line, text in taken:
            rows = self._parsed(line, text)
            if isinstance(rows, Fault):
                faults.append(rows)
            else:
                records.extend(rows)
                numbers.extend([line] * len(rows))
        columns = {name: _array([record.get(name) for record in records]) for name in wanted}
        return Block(np.array(numbers, dtype=np.int64), columns, tuple(faults), done)

    def _parsed(self, line: int, text: bytes) -> Sequence[Record] | Fault:
        shown = text.decode("utf-8", "backslashreplace").rstrip("\n")
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            return Fault(line, WHOLE, shown, f"is not JSON ({error})", line)
        if not isinstance(record, dict):
            return Fault(line, WHOLE, shown, "is no JSON object", line)
        try:
            return self.unpack(record)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            told = f"lacks {error}" if isinstance(error, KeyError) else f"is of another shape ({error})"
            return Fault(line, WHOLE, shown, told, line)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as raw:
            yield from self._lines_of(raw)

    def _lines_of(self, raw: IO[bytes]) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers, blank ones left out; a gzip file that is cut off ends in a line that is no JSON."""
        opened: Any = gzip.GzipFile(fileobj=raw) if self.path.suffix == ".gz" else raw
        line = 0
        try:
            for line, text in enumerate(opened, start=1):
                if text.strip():
                    yield line, text
        except (EOFError, OSError) as error:
            yield line + 1, f"cut off: {error}".encode()


def _array(values: list[Any]) -> Any:
    """A pyarrow array; where the values are of several kinds, or nested, their JSON text."""
    import pyarrow as pa

    try:
        made = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_text(value) for value in values], type=pa.string())
    if pa.types.is_nested(made.type):
        return pa.array([_text(value) for value in values], type=pa.string())
    return made


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
