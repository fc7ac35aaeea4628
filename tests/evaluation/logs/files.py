"""Four rows of three decisions, in every format."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from equipoise.evaluation.logs import LogColumns

NAMES = ("id", "slot", "at", "p", "r", "item", "country", "new")
ROWS: Sequence[tuple[object, ...]] = (
    ("a", 1, "2024-01-01T00:00:00", 0.5, 1.0, "x", "DE", 0.25),
    ("a", 2, "2024-01-01T00:00:00", 0.25, 0.0, "y", "DE", 0.5),
    ("b", 1, "2024-01-02T00:00:00", 0.5, 0.0, "x", "FR", 1.0),
    ("c", 1, "2024-01-03T00:00:00", 0.5, 1.0, "z", "DE", 0.0),
)
COLUMNS = LogColumns(
    reward="r",
    propensity="p",
    decision_id="id",
    slot="slot",
    at="at",
    item_id="item",
    attributes=("country",),
    target_probability={"new": "new"},
)


def changed(row: int, name: str, value: object) -> list[list[object]]:
    """`ROWS` with one other value."""
    rows = [list(entry) for entry in ROWS]
    rows[row][NAMES.index(name)] = value
    return rows


def csv(
    folder: Path, rows: Sequence[Sequence[object]] = ROWS, *, tail: str = "", separator: str = ","
) -> Path:
    """Written as text; tail: what stands behind the last line."""
    lines = [separator.join(map(str, row)) for row in (NAMES, *rows)]
    path = folder / ("log.csv" if separator == "," else "log.tsv")
    path.write_text("\n".join(lines) + "\n" + tail)
    return path


def jsonl(folder: Path, rows: Sequence[Sequence[object]] = ROWS, *, tail: str = "") -> Path:
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows) + tail)
    return path


def parquet_file(folder: Path, rows: Sequence[Sequence[object]] = ROWS) -> Path:
    path = folder / "log.parquet"
    columns = zip(*rows, strict=True)
    parquet.write_table(
        pa.table({name: list(column) for name, column in zip(NAMES, columns, strict=True)}), path
    )
    return path


def zipped(path: Path) -> Path:
    """The same file, gzipped."""
    made = path.with_name(path.name + ".gz")
    made.write_bytes(gzip.compress(path.read_bytes()))
    return made
