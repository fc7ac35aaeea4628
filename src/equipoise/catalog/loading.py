"""A whole catalogue file at once, with its bad rows kept in a file of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from equipoise.catalog.columns import Columns
from equipoise.catalog.items import Item
from equipoise.catalog.readers import read
from equipoise.catalog.rows import BadRow
from equipoise.core import CatalogError

KEPT_BAD_ROWS = 1_000
PROGRESS_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """items: in the file's order. bad: the first 1,000 bad rows. bad_count: how many there were."""

    items: tuple[Item, ...]
    bad: tuple[BadRow, ...]
    bad_count: int


def load(
    path: Path | str,
    columns: Columns,
    *,
    rejects: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Read a file to its end.

    rejects: a JSONL file that gets every bad row, `{"line", "reason", "raw"}`; it appears when all is read, and
        one of an earlier load goes when this load has none.
    progress: called with the number of rows read, every 1,000 rows and at the end.
    Raises: CatalogError: the file cannot be used at all, or `rejects` cannot be written; `rejects` is then as before.
    """
    items: list[Item] = []
    bad: list[BadRow] = []
    with Rejects(rejects) as kept:
        for count, entry in enumerate(read(path, columns), start=1):
            if isinstance(entry, Item):
                items.append(entry)
            else:
                kept.add(entry)
                if len(bad) < KEPT_BAD_ROWS:
                    bad.append(entry)
            if progress is not None and count % PROGRESS_ROWS == 0:
                progress(count)
    if progress is not None:
        progress(len(items) + kept.count)
    return Loaded(tuple(items), tuple(bad), kept.count)


class Rejects:
    """Bad rows on their way to a file, which is replaced only when all went well."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._part = None if path is None else path.with_name(path.name + ".part")
        self._file: TextIO | None = None
        self.count = 0

    def __enter__(self) -> Rejects:
        return self

    def add(self, row: BadRow) -> None:
        """Raises: CatalogError: the file cannot be written."""
        self.count += 1
        if self._part is None:
            return
        try:
            if self._file is None:
                self._file = self._part.open("w", encoding="utf-8")
            self._file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is None or self._part is None:
            return
        try:
            self._finish(self._path, self._part, keep=kind is None)
        except OSError as fault:
            raise self._unwritable(fault) from fault

    def _finish(self, path: Path, part: Path, *, keep: bool) -> None:
        if self._file is not None:
            self._file.close()
            part.replace(path) if keep else part.unlink()
        elif keep:
            path.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> CatalogError:
        return CatalogError(
            f"the bad rows cannot be written to '{self._path}' ({error.strerror}): make its folder writable, "
            f"with room for {self.count:,} rows, or name another file"
        )
