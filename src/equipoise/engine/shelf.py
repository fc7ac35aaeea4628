"""The catalogue ready to be searched and paired: vectors in an index, coded attributes and birth times beside it.

A shelf never changes; an upsert makes the next one, so a request sees one catalogue from start to end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog import Snapshot
from equipoise.core import Floats, Vectors
from equipoise.encoders import Shown
from equipoise.retrieval import Axes, View

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """n items, row by row of `view`.

    snapshot: the catalogue that they are. cards: (n, p + h + 1) of `Pairing.cards`: one thin product scores all items.
    born: (n,) seconds, published or first seen.
    newest: (n,) rows, the youngest first. aligned: (n,) the snapshot's row of each row here, None if the same.
    axes, sketch: (n, p) of `Axes.sketch`, to search without reading every vector; None where that saves nothing.
    """

    snapshot: Snapshot
    view: View
    cards: Vectors
    born: Floats
    newest: RowNumbers
    aligned: RowNumbers | None
    axes: Axes | None = None
    sketch: Vectors | None = None

    def __len__(self) -> int:
        return len(self.born)

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.view.items.item_ids

    def rows(self, item_ids: Sequence[str]) -> RowNumbers:
        """(k,) rows. Raises: UnknownItemError, naming the nearest item_id."""
        row_of = self.view.items.row_of
        for item_id in item_ids:
            if item_id not in row_of:
                self.snapshot.item(item_id)
        return self.view.items.find(item_ids)

    def known(self, item_ids: Sequence[str]) -> tuple[tuple[str, ...], RowNumbers]:
        """Those of the items that the catalogue (still) has, in their order, and their rows."""
        find = self.view.items.row_of.get
        rows = np.array([find(item_id, -1) for item_id in item_ids], dtype=np.int64)
        here = rows >= 0
        if here.all():
            return tuple(item_ids), rows
        return tuple(compress(item_ids, here)), rows[here]

    def take(self, rows: RowNumbers) -> Shown:
        """The items of these rows, as the pairing sees them."""
        return Shown(self.cards[rows], self.born[rows])

    def vectors(self, rows: RowNumbers) -> Vectors:
        """(k, e) the items' own vectors."""
        return self.view.items.gather(rows)

    def matching(self, filters: Mapping[str, Any]) -> NDArray[np.bool_]:
        """(n,) True where an item passes the filters. Raises: InputError: an unknown attribute."""
        mask = self.snapshot.matching(filters)
        return mask if self.aligned is None else mask[self.aligned]
