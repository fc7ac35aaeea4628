"""Rows kept on disk: two append-only files per feature space, written by one process, read by any.

`NAME-HASH.rows` holds float32 rows; `NAME-HASH.keys` an entry per row: its text's hash and the row's CRC-32.
Rows are written first, so an entry means a whole row; what a killed writer left half-written is cut off by
the next writer and ignored by readers, and a row that fails its check counts as absent.
"""

from __future__ import annotations

import errno
import fcntl
import os
import weakref
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from equipoise.core import FeatureSpace, Vectors, fingerprint
from equipoise.encoders.row_index import ENTRY, RowIndex


class RowFile:
    """The rows of one feature space in one folder. Not thread-safe: its owner holds a lock.

    trouble: why nothing is stored, in a sentence; None where rows are stored.
    """

    def __init__(self, folder: Path, space: FeatureSpace) -> None:
        self.trouble: str | None = None
        self._folder = folder
        self._dim = space.dim
        self._row_bytes = 4 * space.dim
        stem = f"{space.name.replace('/', '--')}-{fingerprint(space.name, space.version, str(space.dim))}"
        self._paths = (folder / f"{stem}.rows", folder / f"{stem}.keys")
        self._rows, self._keys = self._opened()
        self._close = weakref.finalize(self, _close, [self._rows, self._keys])
        self._index = self._loaded()

    def __len__(self) -> int:
        return len(self._index)

    def close(self) -> None:
        """Give the files and the lock back; nothing is found or stored afterwards."""
        self._close()
        self._rows = self._keys = -1
        self._index = RowIndex()
        self.trouble = self.trouble or "the cache is closed"

    def get(self, key: bytes) -> Vectors | None:
        """The row (d,) of a key, or None where it is absent or damaged."""
        place = self._index.find(key)
        if place is None:
            return None
        position, check = place
        row = os.pread(self._rows, self._row_bytes, position * self._row_bytes)
        return np.frombuffer(row, np.float32) if zlib.crc32(row) == check else None

    def append(self, keys: Sequence[bytes], rows: Vectors) -> None:
        """Store rows (n, d); where that fails, remember the trouble and store nothing from then on."""
        if self.trouble is not None:
            return
        data = [np.ascontiguousarray(row, np.float32).tobytes() for row in rows]
        entries = np.zeros(len(data), ENTRY)
        entries["key"] = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
        entries["check"] = [zlib.crc32(row) for row in data]
        try:
            _write(self._rows, b"".join(data), at=len(self) * self._row_bytes)
            _write(self._keys, entries.tobytes(), at=len(self) * ENTRY.itemsize)
        except OSError as problem:
            self._cut(len(self))
            self.trouble = self._unstored(problem)
            return
        self._index.extend(entries)

    def refresh(self) -> None:
        """Take in what the writing process has stored since; the writer itself has nothing to take in."""
        if self.trouble is not None and self._keys >= 0 and self._whole() > len(self):
            self._index.extend(self._entries(len(self), self._whole()))

    def _opened(self) -> tuple[int, int]:
        """Both files, locked for writing; else for reading, with the trouble; else (-1, -1)."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            rows, keys = _open_both(self._paths, os.O_RDWR | os.O_CREAT)
        except OSError as problem:
            self.trouble = self._unstored(problem)
            return self._opened_for_reading()
        try:
            fcntl.flock(keys, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.trouble = (
                f"another process stores vectors in {self._folder}: this one reads them and stores none"
            )
        return rows, keys

    def _opened_for_reading(self) -> tuple[int, int]:
        try:
            return _open_both(self._paths, os.O_RDONLY)
        except OSError:
            return -1, -1

    def _loaded(self) -> RowIndex:
        if self._keys < 0:
            return RowIndex()
        count = self._whole()
        if self.trouble is None:
            self._cut(count)
        return RowIndex.of(self._entries(0, count))

    def _whole(self) -> int:
        """How many rows are whole in both files."""
        rows, keys = os.fstat(self._rows).st_size, os.fstat(self._keys).st_size
        return min(rows // self._row_bytes, keys // ENTRY.itemsize)

    def _entries(self, start: int, stop: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
        size = ENTRY.itemsize
        return np.frombuffer(os.pread(self._keys, (stop - start) * size, start * size), ENTRY)

    def _cut(self, count: int) -> None:
        try:
            os.ftruncate(self._keys, count * ENTRY.itemsize)
            os.ftruncate(self._rows, count * self._row_bytes)
        except OSError as problem:
            self.trouble = self._unstored(problem)

    def _unstored(self, problem: OSError) -> str:
        reason = problem.strerror or errno.errorcode.get(problem.errno or 0, "unknown reason")
        return f"vectors are not stored in {self._folder} ({reason}): each start encodes them again"


def _open_both(paths: tuple[Path, Path], flags: int) -> tuple[int, int]:
    rows = os.open(paths[0], flags | os.O_CLOEXEC, 0o644)
    try:
        return rows, os.open(paths[1], flags | os.O_CLOEXEC, 0o644)
    except OSError:
        os.close(rows)
        raise


def _write(file: int, data: bytes, *, at: int) -> None:
    """All of the data at an offset; a short write, as on a full disk, is tried on and then raises."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written


def _close(files: list[int]) -> None:
    for file in files:
        if file >= 0:
            os.close(file)
