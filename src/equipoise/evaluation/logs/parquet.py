"""Rows of a Parquet file, batch by batch, with the wanted columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.core import InputError
from equipoise.evaluation.logs.blocks import BLOCK_ROWS, Block, require_file


@dataclass(slots=True)
class ParquetFile:
    """A typed table."""

    path: Path
    line_offset: int | None = None
    header: tuple[str, ...] | None = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        require_file(self.path)
        with self._open() as file:
            self.header = tuple(file.schema_arrow.names)
            self.total = file.metadata.num_rows

    def _open(self) -> Any:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return parquet.ParquetFile(self.path, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"'{self.path}' is not a readable Parquet file ({error}): export it again; a file that was cut off "
                "lacks the table of contents at its end, so none of its rows can be found"
            ) from error

    def blocks(self, wanted: Sequence[str]) -> Iterator[Block]:
        done = 0
        with self._open() as file:
            for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=list(wanted), use_threads=False):
                rows = np.arange(done + 1, done + 1 + batch.num_rows)
                done += batch.num_rows
                yield Block(rows, dict(zip(batch.schema.names, batch.columns, strict=True)), done=done)
