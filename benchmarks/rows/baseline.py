"""The committed ratios, and whether a run holds to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .measure import Row

RISE = 1.10
"""A ratio may be so many times the committed one before it counts as worse."""


def key(row: Row) -> str:
    """What a row is found by: its name and its peer."""
    return f"{row.name} / {row.peer}"


def write(path: Path, rows: Iterable[Row]) -> None:
    """Keep the ratios of this run; rows of the file that were not measured stay as they are."""
    kept = load(path) if path.exists() else {}
    kept.update({key(row): row.ratio for row in rows})
    path.write_text(json.dumps(kept, indent=2) + "\n")


def load(path: Path) -> dict[str, float]:
    """Ratios by `key`."""
    ratios: dict[str, float] = json.loads(path.read_text())
    return ratios


def worse(rows: Iterable[Row], committed: dict[str, float]) -> list[Row]:
    """The rows whose ratio has risen by more than 10 %; a row that is not committed yet cannot be worse."""
    return [row for row in rows if row.ratio > RISE * committed.get(key(row), float("inf"))]


def better(first: Iterable[Row], again: Iterable[Row]) -> list[Row]:
    """Of two runs, each row's lower ratio: noise only ever adds time, so the lower is nearer the truth."""
    found = {key(row): row for row in first}
    for row in again:
        if row.ratio < found[key(row)].ratio:
            found[key(row)] = row
    return list(found.values())
