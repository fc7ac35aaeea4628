"""Rows of a CSV or TSV file, gzipped or not, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import InputError
from equipoise.evaluation.logs.blocks import Block, require_file
from equipoise.evaluation.logs.faults import WHOLE, Fault

BLOCK_BYTES = 16 << 20


@dataclass(slots=True)
class DelimitedFile:
    """A text file with a header line. separator: between its columns."""

    path: Path
    separator: str = ","
    line_offset: int | None = 1
    header: tuple[str, ...] | None = field(init=False)
    total: int = field(init=False)
    _broken: list[Fault] = field(default_factory=list, init=False)
    _numbers: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        require_file(self.path)
        self.total = self.path.stat().st_size
        self.header = self._header()

    def _header(self) -> tuple[str, ...]:
        """The names in the first line."""
        import pyarrow as pa
        from pyarrow import csv

        with _raw(self.path) as raw, _stream(self.path, raw) as stream:
            try:
                reader = csv.open_csv(stream, parse_options=self._parsing(), read_options=_reading(1 << 20))
                return tuple(reader.schema.names)
            except (pa.ArrowInvalid, OSError) as error:
                raise InputError(
                    f"'{self.path}' is not a table of text ({_short(error)}): export it again"
                ) from error
            except UnicodeDecodeError as error:
                raise InputError(
                    f"the names of the columns in '{self.path}' are not UTF-8 ({error}): save the file as UTF-8"
                ) from error
            finally:
                self._broken.clear()
                self._numbers.clear()

    def blocks(self, wanted: Sequence[str]) -> Iterator[Block]:
        import pyarrow as pa
        from pyarrow import csv

        taken = 0
        with _raw(self.path) as raw, _stream(self.path, raw) as stream:
            try:
                for batch in csv.open_csv(
                    stream,
                    parse_options=self._parsing(),
                    read_options=_reading(BLOCK_BYTES),
                    convert_options=csv.ConvertOptions(
                        include_columns=list(wanted),
                        column_types={name: pa.string() for name in wanted},
                        strings_can_be_null=False,
                        check_utf8=False,  # `_decoded` does, and knows the row
                    ),
                ):
                    rows = self._rows(taken, batch.num_rows)
                    taken = int(rows[-1]) if len(rows) else taken
                    rows, columns, wrong = _decoded(rows, _columns(batch))
                    yield Block(rows, columns, (*self._told(), *wrong), raw.tell())
            except (pa.ArrowInvalid, OSError, EOFError) as error:
                broken = Fault(taken + 1, WHOLE, "", f"cannot be read ({_short(error)})", taken + 2)
                yield Block(np.empty(0, np.int64), {}, (*self._told(), broken), self.total)
        if last := self._told():
            yield Block(np.empty(0, np.int64), {}, last, self.total)

    def _parsing(self) -> Any:
        from pyarrow import csv

        return csv.ParseOptions(
            delimiter=self.separator, newlines_in_values=True, invalid_row_handler=self._set_aside
        )

    def _set_aside(self, broken: Any) -> str:
        """Called by the reader for a line that has too few or too many columns."""
        row = (broken.number or 0) - 1
        self._numbers.add(row)
        reason = f"has {broken.actual_columns} columns where the header has {broken.expected_columns}"
        self._broken.append(Fault(row, WHOLE, broken.text, reason, row + 1))
        return "skip"

    def _told(self) -> tuple[Fault, ...]:
        told = tuple(self._broken)
        self._broken.clear()
        return told

    def _rows(self, taken: int, count: int) -> NDArray[np.int64]:
        """The numbers of the next rows, leaving out those that were set aside."""
        if not self._numbers:
            return np.arange(taken + 1, taken + 1 + count)
        numbers = np.arange(taken + 1, taken + 1 + count + len(self._numbers))
        return numbers[~np.isin(numbers, list(self._numbers))][:count]


def _reading(size: int) -> Any:
    """One thread, since only then does the reader know the numbers of bad lines."""
    from pyarrow import csv

    return csv.ReadOptions(block_size=size, use_threads=False, encoding="utf8")


def _raw(path: Path) -> Any:
    return path.open("rb")


def _stream(path: Path, raw: Any) -> Any:
    import pyarrow as pa

    return pa.input_stream(raw, compression="gzip" if path.suffix == ".gz" else None)


def _columns(batch: Any) -> dict[str, Any]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))


def _decoded(
    rows: NDArray[np.int64], columns: dict[str, Any]
) -> tuple[NDArray[np.int64], dict[str, Any], list[Fault]]:
    """The rows whose text is UTF-8, and a fault for each of the others."""
    import pyarrow as pa

    faults: dict[int, Fault] = {}
    for name, column in columns.items():
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            for place, text in enumerate(column.cast(pa.binary()).to_pylist()):
                shown = text.decode("utf-8", "replace")
                if shown.encode() != text and place not in faults:
                    row = int(rows[place])
                    faults[place] = Fault(row, name, shown, "is not UTF-8: save the file as UTF-8", row + 1)
    if not faults:
        return rows, columns, []
    kept = np.ones(len(rows), dtype=np.bool_)
    kept[list(faults)] = False
    mask = pa.array(kept)
    return rows[kept], {name: column.filter(mask) for name, column in columns.items()}, [*faults.values()]


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
