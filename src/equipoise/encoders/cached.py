"""An encoder that encodes each text once: rows kept on disk by (feature space, text), the latest in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from equipoise.core import Encoder, EncoderError, FeatureSpace, Vectors
from equipoise.encoders.row_file import RowFile
from equipoise.encoders.row_index import KEY_BYTES
from equipoise.encoders.texts import checked

CHUNK = 64
"""Rows are stored after so many, so that a killed first run goes on where it stopped."""


class CachedEncoder:
    """Another encoder's rows, remembered. Safe to call from several threads.

    hits: how many rows came from memory or disk. encoded: how many were encoded.
    recent: how many rows are kept in memory, whether stored or not.
    Without a folder, only those are remembered.
    """

    def __init__(self, inner: Encoder, folder: Path | None = None, *, recent: int = 2000) -> None:
        self.hits = 0
        self.encoded = 0
        self._inner = inner
        self._file = None if folder is None else RowFile(Path(folder), inner.space)
        self._capacity = recent
        self._recent: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def space(self) -> FeatureSpace:
        return self._inner.space

    @property
    def inner(self) -> Encoder:
        return self._inner

    @property
    def trouble(self) -> str | None:
        """Why rows are not stored on disk, in a sentence; None where they are, or where no folder was given."""
        return None if self._file is None else self._file.trouble

    def close(self) -> None:
        """Give the files and the writing lock back; encoding goes on from memory alone."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    def encode(
        self,
        texts: Sequence[str],
        *,
        store: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Vectors:
        """Returns: (n, d) float32, row i for text i, the same as the inner encoder's.

        store: False keeps these texts' rows off the disk, for what users typed.
        progress: told (done, total) of the distinct texts that must be encoded; not called when there are none.
        """
        keys = [_key(text) for text in checked(texts)]
        rows = np.empty((len(keys), self.space.dim), np.float32)
        self._refresh()
        missing = self._fill(rows, keys)
        waiting = list(missing.values())
        for start in range(0, len(waiting), CHUNK):
            if progress is not None:
                progress(start, len(waiting))
            self._encode(waiting[start : start + CHUNK], texts, keys, rows, store=store)
        if waiting and progress is not None:
            progress(len(waiting), len(waiting))
        return rows

    def _refresh(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.refresh()

    def _fill(self, rows: Vectors, keys: list[bytes]) -> dict[bytes, list[int]]:
        """Write the known rows into rows (n, d). Returns: the unknown keys, each with its places."""
        missing: dict[bytes, list[int]] = {}
        for place, key in enumerate(keys):
            with self._lock:  # for each row, so that reading a whole catalogue holds up no request
                row = self._lookup(key)
                self.hits += row is not None
            if row is None:
                missing.setdefault(key, []).append(place)
            else:
                rows[place] = row
        return missing

    def _lookup(self, key: bytes) -> Vectors | None:
        row = self._recent.get(key)
        if row is not None:
            self._recent.move_to_end(key)
            return row
        return None if self._file is None else self._file.get(key)

    def _encode(
        self, chunk: list[list[int]], texts: Sequence[str], keys: list[bytes], rows: Vectors, *, store: bool
    ) -> None:
        """Encode one chunk, outside the lock, so that a long first run holds up no request.

        chunk: for each distinct text, its places in texts, keys and rows.
        """
        encoded = self._inner.encode([texts[places[0]] for places in chunk])
        if np.shape(encoded) != (len(chunk), self.space.dim):
            raise EncoderError(
                f"the encoder of {self.space} gave rows of shape {np.shape(encoded)} for {len(chunk)} texts: "
                f"expected ({len(chunk)}, {self.space.dim})"
            )
        self._keep([keys[places[0]] for places in chunk], encoded, store=store)
        for places, row in zip(chunk, encoded, strict=True):
            rows[places] = row

    def _keep(self, keys: list[bytes], rows: Vectors, *, store: bool) -> None:
        with self._lock:
            self.encoded += len(keys)
            if store and self._file is not None:
                self._file.append(keys, rows)
            for key, row in zip(keys, rows, strict=True):
                self._recent[key] = row.copy()
            while len(self._recent) > self._capacity:
                self._recent.popitem(last=False)


def _key(text: str) -> bytes:
    """The hash of the whole text; two texts of one hash are not to be expected in 2**64 texts."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
