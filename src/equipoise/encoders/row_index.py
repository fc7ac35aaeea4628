"""Where each stored row lies, in 32 bytes a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 16
ENTRY = np.dtype([("key", "<u8", (2,)), ("check", "<u4")])
"""One row's entry: the 16 bytes of its text's hash, and the CRC-32 of the row."""

_MERGE_AT = 4096


class RowIndex:
    """Keys to (position, check). Sorted arrays hold most; a small dict holds what came since the last merge."""

    def __init__(self) -> None:
        self._entries: NDArray[np.void] = np.zeros(0, ENTRY)
        self._heads: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._order: NDArray[np.int32] = np.zeros(0, np.int32)
        self._recent: dict[bytes, tuple[int, int]] = {}
        self._recent_entries: list[NDArray[np.void]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, entries: NDArray[np.void]) -> None:
        """Take the entries (n,) of the next n positions; a key met again means its later position."""
        for offset, entry in enumerate(entries):
            place = (self._count + offset, int(entry["check"]))
            self._recent[entry["key"].tobytes()] = place
        self._recent_entries.append(entries)
        self._count += len(entries)
        if self._count - len(self._entries) >= _MERGE_AT:
            self.merge()

    def find(self, key: bytes) -> tuple[int, int] | None:
        """The (position, check) of a key, or None."""
        recent = self._recent.get(key)
        if recent is not None or not len(self._heads):
            return recent
        head, tail = np.frombuffer(key, "<u8")
        place = int(self._heads.searchsorted(head, side="right")) - 1
        while place >= 0 and self._heads[place] == head:
            position = int(self._order[place])
            entry = self._entries[position]
            if entry["key"][1] == tail:
                return position, int(entry["check"])
            place -= 1
        return None

    def merge(self) -> None:
        """Move what came lately into the sorted arrays; `extend` does so by itself, now and then."""
        self._entries = np.concatenate([self._entries, *self._recent_entries])
        heads = self._entries["key"][:, 0]
        self._order = np.argsort(heads, kind="stable").astype(np.int32)
        self._heads = heads[self._order]
        self._recent, self._recent_entries = {}, []

    @classmethod
    def of(cls, entries: NDArray[np.void]) -> RowIndex:
        """The index of the entries (n,) of a file."""
        index = cls()
        index._recent_entries, index._count = [entries], len(entries)
        index.merge()
        return index
