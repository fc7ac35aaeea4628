"""Catalogue files to items, row by row: CSV, TSV, JSONL, Parquet, plain lists; text also gzipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from equipoise.catalog.assembly import Assembly, infer_kinds
from equipoise.catalog.columns import Columns, resolved
from equipoise.catalog.delimited import open_delimited
from equipoise.catalog.items import Item
from equipoise.catalog.jsonlines import open_json_lines, open_names
from equipoise.catalog.parquet import open_parquet
from equipoise.catalog.rows import BadRow, Row, Table, refused
from equipoise.core import CatalogError

SAMPLE_ROWS = 1_000
"""Rows by which a column's kind is decided."""


def _open_tsv(path: Path) -> Table:
    return open_delimited(path, separators=("\t",))


OPENERS: dict[str, Callable[[Path], Table]] = {
    ".csv": open_delimited,
    ".tsv": _open_tsv,
    ".txt": open_names,
    ".jsonl": open_json_lines,
    ".ndjson": open_json_lines,
    ".parquet": open_parquet,
}


def open_table(path: Path) -> Table:
    """The rows of a file, by its suffix (and that before `.gz`).

    Raises: CatalogError: no such file, a folder, empty, in another encoding, or of an unknown suffix.
    """
    if path.is_dir():
        raise CatalogError(f"'{path}' is a folder: name one file in it")
    if not path.exists():
        raise CatalogError(f"there is no file '{path}': check the path, which is taken from {Path.cwd()}")
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    opener = OPENERS.get(suffix.lower())
    if opener is None or (opener is open_parquet and path.suffix == ".gz"):
        known = ", ".join(OPENERS)
        raise CatalogError(
            f"'{path}' ends in {path.suffix!r}: expected one of {known}, or a text file of them with .gz"
        )
    return opener(path)


def read(path: Path | str, columns: Columns) -> Iterator[Item | BadRow]:
    """Items in the file's order; a row that cannot be one comes as a BadRow, and reading goes on.

    An attribute column is numeric if more than half of its values in the first 1,000 rows are numbers.
    Raises: CatalogError, before the first item: the file cannot be used at all. While reading: it is cut off.
    """
    path = Path(path)
    table = open_table(path)
    first = list(islice(table.rows, SAMPLE_ROWS))
    sample = [row for row in first if isinstance(row, Row)]
    if table.header is None and not sample:
        return iter(_bad(first))
    named = columns.attributes is not None
    columns = resolved(columns, table.header or keys_of(sample), where=f"'{path}'")
    kinds = infer_kinds(columns, sample, typed=table.typed, named=named)
    return _items(chain(first, table.rows), Assembly(columns, kinds))


def _bad(rows: Iterable[Row | BadRow]) -> Iterator[BadRow]:
    return (row for row in rows if isinstance(row, BadRow))


def keys_of(sample: Iterable[Row]) -> tuple[str, ...]:
    """The names that the rows give their values, in the order of their first use."""
    return tuple(dict.fromkeys(name for row in sample for name in row.values))


def _items(rows: Iterable[Row | BadRow], assemble: Assembly) -> Iterator[Item | BadRow]:
    lines: dict[str, int] = {}
    for row in rows:
        item = assemble(row) if isinstance(row, Row) else row
        if isinstance(row, Row) and isinstance(item, Item):
            first = lines.setdefault(item.item_id, row.line)
            if first != row.line:
                item = refused(row, f"the item_id {item.item_id!r} is that of line {first}, which stays")
        yield item
