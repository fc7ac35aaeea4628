"""Rows of a log that cannot be used: where, what stands there, and what was expected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from equipoise.core import InputError, PropensityError

SHOWN_CHARACTERS = 60
KEPT_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Fault:
    """row: counts data rows from 1. column: as the file calls it; `(whole row)` where none can be told apart.

    value: as it stands in the file. reason: what was expected. line: in a text file, where the row stands.
    """

    row: int
    column: str
    value: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"row {self.row}" + (f" (line {self.line})" if self.line is not None else "")
        return f"{place}, column {self.column!r}: {self.value[:SHOWN_CHARACTERS]!r} {self.reason}"


WHOLE = "(whole row)"


def refusal(where: str, faults: list[Fault], *, propensity: str | None) -> InputError | PropensityError:
    """The error for the first of the faults, saying how many more its block has and how to go on without them."""
    first = faults[0]
    more = f", and {len(faults) - 1:,} more like it nearby" if len(faults) > 1 else ""
    told = f"{where}, {first}{more}: correct the file, or leave such rows out with --skip-bad-rows"
    return PropensityError(told) if first.column == propensity else InputError(told)


@dataclass(slots=True)
class Aside:
    """Counts the rows left out, and keeps each in a JSONL file that appears with the first of them.

    counts: column to how many rows were left out for it.
    """

    path: Path | None
    counts: Counter[str] = field(default_factory=Counter)
    _file: IO[str] | None = None

    def keep(self, faults: Iterable[Fault]) -> None:
        """One line a fault: row, line, column, value, reason."""
        for fault in faults:
            self.counts[fault.column] += 1
            if self.path is not None:
                self._open(self.path).write(_line(fault) + "\n")

    def _open(self, path: Path) -> IO[str]:
        if self._file is None:
            self._file = path.open("w", encoding="utf-8")
        return self._file

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def total(self) -> int:
        return self.counts.total()

    def __str__(self) -> str:
        columns = ", ".join(f"{count:,} for {column}" for column, count in self.counts.most_common())
        kept = f", kept in '{self.path}'" if self.path is not None and self.total else ""
        return f"{counted(self.total, 'bad row')} left out ({columns}){kept}" if self.total else "no bad rows"


def counted(count: int, noun: str) -> str:
    """`1 bad row`, `2 bad rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _line(fault: Fault) -> str:
    told = {"row": fault.row, "line": fault.line, "column": fault.column, "reason": fault.reason}
    printable = (
        fault.value[:KEPT_CHARACTERS].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    )
    return json.dumps({**told, "value": printable}, ensure_ascii=False)
