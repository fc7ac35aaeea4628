"""Rows of a Parquet file, batch by batch. Times become seconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.catalog.rows import Row, Table
from equipoise.core import CatalogError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 4096


def open_parquet(path: Path) -> Table:
    """A typed table. Raises: CatalogError: not a Parquet file. MissingExtraError: no pyarrow."""
    file = _open(path)
    return Table(tuple(file.schema_arrow.names), True, _rows(path, file))


def _open(path: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(f"reading '{path}' needs pyarrow: pip install pyarrow") from error
    try:
        return parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise CatalogError(f"'{path}' is not a readable Parquet file ({error}): export it again") from error


def _rows(path: Path, file: Any) -> Iterator[Row]:
    names, number = file.schema_arrow.names, 0
    try:
        with file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                columns = [_plain(column).to_pylist() for column in batch.columns]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield Row(number, dict(zip(names, values, strict=True)))
    except OSError as error:
        raise CatalogError(
            f"'{path}' cannot be read after row {number} ({error}): export it again"
        ) from error


def _plain(column: pa.Array) -> pa.Array:
    """The column without types that Python has no number or text for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        microseconds = column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False)
        return pc.divide(microseconds.cast(pa.int64()).cast(pa.float64(), safe=False), 1e6)
    return column.cast(pa.float64()) if pa.types.is_decimal(kind) else column
