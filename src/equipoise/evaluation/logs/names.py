"""Names as small integers, and ids as 64-bit hashes: ten million of either must not be Python objects."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.evaluation.evidence import Codes
from equipoise.evaluation.logs.blocks import Column

Kind = TypeVar("Kind", bound=np.generic)

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_HIGH = np.uint64(32)


class Names:
    """Gives each name the next code, from block to block."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._parts: list[NDArray[np.int32]] = []

    def add(self, column: Column, kept: NDArray[np.bool_]) -> None:
        """Code the kept rows of a column; what is missing is the name ''. kept: (n,); other rows' names are unknown."""
        import pyarrow as pa

        texts = text(column)
        chosen = texts if kept.all() else texts.filter(pa.array(kept))
        encoded = chosen.fill_null("").dictionary_encode()
        known = self._codes
        table = np.array(
            [known.setdefault(name, len(known)) for name in encoded.dictionary.to_pylist()], np.int32
        )
        self._parts.append(table[encoded.indices.to_numpy(zero_copy_only=False)] if len(table) else table)

    def finished(self) -> Codes:
        """All rows so far, in the smallest integers that hold them; can be taken once."""
        codes = joined(self._parts, np.int32)
        small = np.uint16 if len(self._codes) <= 2**16 else np.int32
        return Codes(codes.astype(small, copy=False), tuple(self._codes))


def joined(parts: list[NDArray[Kind]], kind: type[Kind]) -> NDArray[Kind]:
    """The parts in one array; the list is emptied, so that they are not held twice."""
    made = np.concatenate(parts) if parts else np.empty(0, kind)
    parts.clear()
    return made


def text(column: Column) -> Column:
    """A column as strings, in one piece; whole numbers that came as floats lose their '.0'."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.trunc(column))).as_py():
        column = column.cast(pa.int64(), safe=False)
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def hashes(column: Column) -> NDArray[np.uint64]:
    """(n,) a 64-bit hash of each text: equal texts have equal hashes in every block and every run.

    Two of 10 million different ids meet with a chance of about 3e-6.
    """
    texts = text(column).fill_null("")
    ends = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    letters = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    starts, lengths = ends[:-1].astype(np.int64), np.diff(ends)
    found = (lengths.astype(np.uint64) + np.uint64(1)) * _ODD
    for place in range(int(lengths.max()) if len(lengths) else 0):
        longer = np.flatnonzero(lengths > place)
        found[longer] = (found[longer] ^ letters[starts[longer] + place]) * _MIX
        found[longer] ^= found[longer] >> _HIGH
    return found
