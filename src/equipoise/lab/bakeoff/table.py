"""A file with a class column, read: numbers, categories and classes, whatever it says of missing values.

CSV in UTF-8, plain or gzipped, separated by comma, semicolon, tab or bar, with a heading or without one.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog.textfile import lines, require_text
from equipoise.core import CatalogError, Floats, InputError

ENDINGS = (".csv", ".tsv", ".data", ".csv.gz", ".tsv.gz", ".data.gz")
SEPARATORS = (",", ";", "\t", "|")
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})
LABELS = ("class", "label", "target", "y", "outcome", "species", "diagnosis")
"""Headings that say what they are; the first that there is wins over the last column."""
MOST_MISREAD = 0.02
"""A column is of numbers if at most this share of what it holds is not; the rest counts as missing."""
MOST_CLASSES = 256
"""More different values than this are numbers or names, not classes."""

Cells = list[list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """values: (n,), NaN where missing."""

    name: str
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """values: (n,) text; a missing value is a category of its own, `""`."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClassTable:
    """One data set. label: the class column; guessed: nobody said so.

    classes: (c,) in alphabetical order. targets: (n,) positions in `classes`. columns: all the others.
    """

    name: str
    label: str
    guessed: bool
    classes: tuple[str, ...]
    targets: NDArray[np.int64]
    columns: tuple[Numbers | Categories, ...]

    def __len__(self) -> int:
        return len(self.targets)


def tables(data: Path, *, label: str | None = None) -> list[ClassTable]:
    """Every table of a folder, by name, or the one file.

    label: the class column's heading, or its number from 1 (from the end if negative). None: the first heading
    of `LABELS` that there is, or else the last column; in a file without a heading the first column instead, where
    it alone holds words, or fewer different values than the last.
    Raises: CatalogError: nothing to read. InputError: no such column, or none that can be a class.
    """
    files = (
        [data] if data.is_file() else sorted(path for path in data.glob("*") if path.name.endswith(ENDINGS))
    )
    if not files:
        raise CatalogError(
            f"'{data}' has no table: give a file, or a folder with files that end in {', '.join(ENDINGS[:3])}"
        )
    return [read_table(file, label=label) for file in files]


def read_table(path: Path, *, label: str | None = None) -> ClassTable:
    """One file. Rows without a class, or with another number of cells than the first, are left out."""
    heading, rows = _cells(path)
    at, guessed = _label(path, heading, rows, label)
    rows = [row for row in rows if row[at].strip().lower() not in MISSING]
    words = [row[at].strip() for row in rows]
    classes = tuple(sorted(set(words)))
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise InputError(
            f"column '{heading[at]}' of '{path.name}' has {len(classes)} different values but a class has 2 to"
            f" {MOST_CLASSES}: name the class column with --label"
        )
    place = {word: number for number, word in enumerate(classes)}
    # A column without a heading is of row numbers.
    kept = [i for i, name in enumerate(heading) if i != at and name]
    columns = [_column(heading[i], [row[i] for row in rows]) for i in kept]
    targets = np.array([place[word] for word in words], dtype=np.int64)
    return ClassTable(_stem(path), heading[at], guessed, classes, targets, tuple(columns))


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(end) for end in (*ENDINGS[::-1], "") if path.name.endswith(end))


def _cells(path: Path) -> tuple[list[str], Cells]:
    """Heading (made up where the file has none: 1, 2, ...) and rows of as many cells."""
    require_text(path)
    first = next(line for line in lines(path) if line.strip())
    mark = max(SEPARATORS, key=first.count)
    found = [row for row in csv.reader(lines(path), delimiter=mark) if any(cell.strip() for cell in row)]
    if len(found) < 2 or len(found[0]) < 2:
        raise CatalogError(
            f"'{path}' has {len(found)} rows of {len(found[0])} columns: a class and a feature are needed"
        )
    width = len(found[0])
    rows = [row for row in found[1:] if len(row) == width]
    if _is_heading(found[0], rows):
        return [cell.strip() for cell in found[0]], rows
    return [str(number + 1) for number in range(width)], [found[0], *rows]


def _is_heading(first: Sequence[str], rows: Cells) -> bool:
    """A word above a column of numbers; or nothing but words that differ and are never seen again in their columns.

    The first cell may be empty, as above row numbers.
    """
    words = [cell.strip() for cell in first]
    if any(_is_word(word) and _all_numbers(rows, at) for at, word in enumerate(words)):
        return True
    if len(set(words)) < len(words) or not all(_is_word(word) for word in words[words[0] == "" :]):
        return False
    return not any(any(row[at].strip() == word for row in rows) for at, word in enumerate(words))


def _is_word(cell: str) -> bool:
    return cell.lower() not in MISSING and not _is_number(cell)


def _all_numbers(rows: Cells, at: int) -> bool:
    """Whether the column holds numbers and nothing else that is not missing."""
    kept = [word for word in (row[at].strip() for row in rows) if word.lower() not in MISSING]
    return bool(kept) and all(_is_number(word) for word in kept)


def _label(path: Path, heading: list[str], rows: Cells, label: str | None) -> tuple[int, bool]:
    if label is not None:
        return _named(path, heading, label), False
    lowered = [word.lower() for word in heading]
    for word in LABELS:
        if word in lowered:
            return lowered.index(word), True
    last = len(heading) - 1
    if heading[0] == "1" and _likeness(rows, 0) < _likeness(rows, last):
        return 0, True
    return last, True


def _likeness(rows: Cells, at: int) -> tuple[bool, int]:
    """The less, the more a column looks like a class: words before numbers, then how many different values."""
    words = {row[at].strip() for row in rows}
    return all(_is_number(word) for word in words), len(words)


def _named(path: Path, heading: list[str], label: str) -> int:
    """Raises: InputError: no such column."""
    if label in heading:
        return heading.index(label)
    if label.lstrip("-").isdigit() and 1 <= abs(int(label)) <= len(heading):
        number = int(label)
        return number - 1 if number > 0 else len(heading) + number
    raise InputError(
        f"'{path.name}' has no column '{label}': name one of {', '.join(heading[:8])}, or its number from 1"
    )


def _column(name: str, cells: list[str]) -> Numbers | Categories:
    words = [cell.strip() for cell in cells]
    kept = [word for word in words if word.lower() not in MISSING]
    misread = sum(not _is_number(word) for word in kept)
    if kept and misread <= MOST_MISREAD * len(kept):
        return Numbers(name, np.array([_number(word) for word in words]))
    return Categories(name, tuple("" if word.lower() in MISSING else word for word in words))


def _is_number(word: str) -> bool:
    return math.isfinite(_number(word))


def _number(word: str) -> float:
    """NaN for whatever is no finite number."""
    try:
        value = float(word)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
