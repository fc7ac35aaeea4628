"""An encoder that encodes each text once: rows kept on disk by (feature space, text), the latest in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from equipoise.core import Encoder, FeatureSpace, Vectors
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
        found = self._found(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        self._encode_missing(missing, found, store=store, progress=progress)
        rows = [found[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self.space.dim), np.float32)

    def _found(self, keys: list[bytes]) -> dict[bytes, Vectors]:
        with self._lock:
            found = self._known(keys)
            if self._file is not None and len(found) < len(keys):
                self._file.refresh()
                found |= self._known([key for key in keys if key not in found])
            self.hits += sum(key in found for key in keys)
        return found

    def _known(self, keys: list[bytes]) -> dict[bytes, Vectors]:
        pairs = ((key, self._lookup(key)) for key in dict.fromkeys(keys))
        return {key: row for key, row in pairs if row is not None}

    def _lookup(self, key: bytes) -> Vectors | None:
        row = self._recent.get(key)
        if row is not None:
            self._recent.move_to_end(key)
            return row
        return None if self._file is None else self._file.get(key)

    def _encode_missing(
        self,
        missing: dict[bytes, str],
        found: dict[bytes, Vectors],
        *,
        store: bool,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Encode chunk by chunk outside the lock, so that a long first run holds up no request."""
        keys = list(missing)
        for start in range(0, len(keys), CHUNK):
            if progress is not None:
                progress(start, len(keys))
            chunk = keys[start : start + CHUNK]
            rows = self._inner.encode([missing[key] for key in chunk])
            self._keep(chunk, rows, store=store)
            found.update(zip(chunk, rows, strict=True))
        if keys and progress is not None:
            progress(len(keys), len(keys))

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
