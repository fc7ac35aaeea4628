"""A file of rows, a block at a time: what every format is brought to before it is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.core import InputError
from equipoise.evaluation.logs.faults import Fault

BLOCK_ROWS = 131_072
"""Rows held as text at once: some 40 MB."""

Column: TypeAlias = Any
"""A pyarrow array, whose package has no types."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows that stand together in a file.

    rows: (n,) their numbers from 1. columns: name to a pyarrow array of n. faults: rows here that are none.
    done: how far the file is read after this block, in the unit of the source's `total`.
    """

    rows: NDArray[np.int64]
    columns: Mapping[str, Column]
    faults: tuple[Fault, ...] = ()
    done: int = 0


class Source(Protocol):
    """One file. header: its columns; None where every row names its own. total: bytes or rows, see `Block.done`.

    line_offset: add it to a row's number for its line in the file; None where there are no lines.
    """

    @property
    def header(self) -> tuple[str, ...] | None: ...

    @property
    def total(self) -> int: ...

    @property
    def line_offset(self) -> int | None: ...

    def blocks(self, wanted: Sequence[str]) -> Iterator[Block]:
        """Every row, with the wanted columns only."""
        ...


def require_file(path: Path) -> None:
    """Raises: InputError: no such file, a folder, or empty."""
    if path.is_dir():
        raise InputError(f"'{path}' is a folder: name one file in it")
    if not path.exists():
        raise InputError(f"there is no file '{path}': check the path, which is taken from {Path.cwd()}")
    if path.stat().st_size == 0:
        raise InputError(
            f"'{path}' is empty, not even row 1 or a header with columns is there: export it again"
        )
