"""Item vectors by row, as immutable snapshots: a reader keeps what it took while a writer makes the next.

The matrix is cut into chunks of 4096 rows. A write copies only the chunks that it touches, so an index that
started from a caller's array or memmap shares all the others with it: 100,000 x 384 float32 (154 MB) exist once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import FeatureSpace, UnknownItemError, Vectors
from equipoise.retrieval.checked import checked_ids, checked_vectors

CHUNK_ROWS = 4096

RowNumbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n items and their vectors. Rows count from 0 without holes; `put` and `drop` give a new `Rows`.

    item_ids: (n,), the item of each row. row_of: the other way round.
    chunks: (4096, d) float32 each, the last one shorter; never written to once they are here.
    whole: (n, d), the one array that all chunks look into, as long as nothing has been written.
    """

    space: FeatureSpace
    item_ids: tuple[str, ...]
    row_of: Mapping[str, int]
    chunks: tuple[Vectors, ...]
    whole: Vectors | None = None

    @classmethod
    def over(cls, space: FeatureSpace, item_ids: Sequence[str], vectors: Vectors) -> Rows:
        """Rows that look into the caller's (n, d) array, which must not change from now on.

        Nothing is copied where `vectors` is C-contiguous float32, a read-only memmap included.
        """
        ids = checked_ids(item_ids)
        matrix = checked_vectors(vectors, len(ids), space, item_ids=ids)
        return cls(space, ids, {item_id: row for row, item_id in enumerate(ids)}, _cut(matrix), matrix)

    def __len__(self) -> int:
        return len(self.item_ids)

    def find(self, item_ids: Sequence[str]) -> RowNumbers:
        """Returns: (k,) the row of each item_id, in their order.

        Raises: UnknownItemError: an item_id that is not here.
        """
        try:
            return np.fromiter(map(self.row_of.__getitem__, item_ids), np.int64, len(item_ids))
        except KeyError as error:
            raise UnknownItemError(
                f"item {error.args[0]!r} has no vector in the index of {self.space}: put it first"
            ) from None

    def known(self, item_ids: Iterable[str]) -> RowNumbers:
        """Returns: the rows of those item_ids that are here; the others are passed over."""
        found = [row for row in map(self.row_of.get, item_ids) if row is not None]
        return np.array(found, dtype=np.int64)

    def mask(self, *, only: Iterable[str] | None = None, exclude: Iterable[str] = ()) -> Mask:
        """Returns: (n,) True where an item may be shown: in `only` (None: all), less `exclude`.

        Unknown ids are passed over: an item that was seen and has since left the catalogue is no mistake.
        """
        allowed = np.full(len(self), only is None)
        if only is not None:
            allowed[self.known(only)] = True
        allowed[self.known(exclude)] = False
        return allowed

    def vectors(self, item_ids: Sequence[str]) -> Vectors:
        """Returns: (k, d) float32, a copy. Raises: UnknownItemError: an item_id that is not here."""
        return self.gather(self.find(item_ids))

    def gather(self, rows: RowNumbers) -> Vectors:
        """Returns: (k, d) float32, a copy of these rows."""
        if self.whole is not None:
            return np.asarray(self.whole[rows])  # picked by number: a copy already
        taken = np.empty((len(rows), self.space.dim), np.float32)
        for chunk, here, inside in _by_chunk(rows):
            taken[here] = self.chunks[chunk][inside]
        return taken

    def put(self, item_ids: Sequence[str], vectors: Vectors) -> Rows:
        """Add or replace: a known item keeps its row, a new one gets the next. Copies `vectors`."""
        ids = checked_ids(item_ids)
        matrix = checked_vectors(vectors, len(ids), self.space, item_ids=ids)
        rows = np.array([self.row_of.get(item_id, -1) for item_id in ids], dtype=np.int64)
        new = np.flatnonzero(rows < 0)
        old = np.flatnonzero(rows >= 0)
        chunks = _replaced(self.chunks, rows[old], matrix[old])
        names = self.item_ids + tuple(ids[position] for position in new)
        row_of = dict(self.row_of)
        row_of.update(zip(names[len(self) :], range(len(self), len(names)), strict=True))
        return Rows(self.space, names, row_of, _extended(chunks, matrix[new]))

    def drop(self, item_ids: Iterable[str]) -> Rows:
        """Remove what is known of these; the last rows move into the holes, see `holes_filled`."""
        dropped = np.unique(self.known(item_ids))
        holes, movers = holes_filled(len(self), dropped)
        left = len(self) - len(dropped)
        names, row_of = list(self.item_ids[:left]), dict(self.row_of)
        for row in dropped.tolist():
            del row_of[self.item_ids[row]]
        for hole, mover in zip(holes.tolist(), movers.tolist(), strict=True):
            names[hole] = self.item_ids[mover]
            row_of[names[hole]] = hole
        chunks = _replaced(self.chunks, holes, self.gather(movers))
        return Rows(self.space, tuple(names), row_of, _shortened(chunks, left))


def holes_filled(n: int, dropped: RowNumbers) -> tuple[RowNumbers, RowNumbers]:
    """Where rows go when `dropped` (distinct) leave n rows: row `movers[i]` becomes row `holes[i]`.

    Whoever keeps arrays beside the index does the same: `a[holes] = a[movers]`, then cuts `a` to what is left.
    """
    left = n - len(dropped)
    stays = np.ones(n, dtype=bool)
    stays[dropped] = False
    return np.flatnonzero(~stays[:left]), left + np.flatnonzero(stays[left:])


def _cut(matrix: Vectors) -> tuple[Vectors, ...]:
    """Views of at most 4096 rows."""
    return tuple(matrix[start : start + CHUNK_ROWS] for start in range(0, len(matrix), CHUNK_ROWS))


def _by_chunk(rows: RowNumbers) -> Iterable[tuple[int, Mask, RowNumbers]]:
    """For each chunk that `rows` (k,) touch: its number, which of the k lie in it, and their rows inside it."""
    owners, inside = np.divmod(rows, CHUNK_ROWS)
    for chunk in np.unique(owners).tolist():
        here = owners == chunk
        yield chunk, here, inside[here]


def _replaced(chunks: tuple[Vectors, ...], rows: RowNumbers, vectors: Vectors) -> tuple[Vectors, ...]:
    """The chunks with these rows overwritten; only the chunks that hold them are copied."""
    changed = list(chunks)
    for chunk, here, inside in _by_chunk(rows):
        changed[chunk] = np.array(chunks[chunk])
        changed[chunk][inside] = vectors[here]
    return tuple(changed)


def _extended(chunks: tuple[Vectors, ...], vectors: Vectors) -> tuple[Vectors, ...]:
    """The chunks with `vectors` (already a copy) appended; only a last chunk with room left is copied."""
    if not len(vectors) or not chunks or len(chunks[-1]) == CHUNK_ROWS:
        return chunks + _cut(vectors)
    room = CHUNK_ROWS - len(chunks[-1])
    return (*chunks[:-1], np.concatenate([chunks[-1], vectors[:room]]), *_cut(vectors[room:]))


def _shortened(chunks: tuple[Vectors, ...], n: int) -> tuple[Vectors, ...]:
    """The chunks of the first n rows."""
    whole, rest = divmod(n, CHUNK_ROWS)
    return chunks[:whole] + ((chunks[whole][:rest],) if rest else ())
