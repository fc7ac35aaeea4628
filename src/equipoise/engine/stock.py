"""Keeps the shelf in step with the catalogue: encodes what is new, codes attributes, updates the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from equipoise.catalog import CatalogStore, Change, Item, Snapshot
from equipoise.core import Floats, Vectors
from equipoise.encoders import CachedEncoder, NumericEncoder, Pairing, PairingSettings, Shown
from equipoise.engine.shelf import Shelf
from equipoise.retrieval import Axes, ExactIndex, Index, Kind, open_index

Progress = Callable[[int, int], None]


class Stock:
    """The items of a catalogue store, encoded. `shelf` is what a request reads; writers take turns outside."""

    def __init__(
        self,
        store: CatalogStore,
        encoder: CachedEncoder,
        *,
        pairing: Pairing | PairingSettings,
        index: Kind,
        progress: Progress | None = None,
    ) -> None:
        self.store = store
        self.encoder = encoder
        snapshot = store.snapshot
        items = [snapshot.item(item_id) for item_id in snapshot.item_ids]
        vectors = self.vectors(items, progress=progress)
        born = self._born(items)
        if isinstance(pairing, PairingSettings):
            attributes = [item.attributes for item in items]
            pairing = Pairing.fit(
                pairing, encoder=encoder.space, vectors=vectors, attributes=attributes, born=born
            )
        self.pairing = pairing
        self._index: Index = open_index(encoder.space, snapshot.item_ids, vectors, kind=index)
        sketched = index == "auto" and isinstance(self._index, ExactIndex)
        self._axes = Axes.fit(vectors) if sketched else None
        self.shelf = self._shelf(snapshot, self.shown(items, vectors), self._sketch(vectors))

    @property
    def alike(self) -> bool:
        """Whether the encoder's vectors have unit length, so that inner products are similarities."""
        return not isinstance(self.encoder.inner, NumericEncoder)

    def vectors(self, items: Sequence[Item], *, progress: Progress | None = None) -> Vectors:
        """(n, e) of the items' texts, from the cache where they were encoded before."""
        return self.encoder.encode([self.text(item) for item in items], progress=progress)

    def text(self, item: Item) -> str:
        """What the encoder reads of an item: its text, or its numbers for a numeric encoder."""
        inner = self.encoder.inner
        return inner.text(item.attributes) if isinstance(inner, NumericEncoder) else item.text

    def shown(self, items: Sequence[Item], vectors: Vectors) -> Shown:
        """Any items, on the shelf or long gone, as the pairing sees them. vectors: (k, e) of theirs."""
        born = self._born(items)
        return Shown(self.pairing.cards(vectors, [item.attributes for item in items], born), born)

    def changed(self, change: Change) -> None:
        """Follow a change of the store; requests under way keep the old shelf."""
        snapshot = self.store.snapshot
        fresh = [snapshot.item(item_id) for item_id in (*change.added, *change.changed)]
        old = self.shelf
        vectors = self.vectors(fresh)
        if fresh:
            self._index.put([item.item_id for item in fresh], vectors)
        self._index.drop(change.removed)
        self.shelf = self._moved(old, snapshot, fresh, vectors)

    def _moved(self, old: Shelf, snapshot: Snapshot, fresh: Sequence[Item], vectors: Vectors) -> Shelf:
        """The old shelf's columns carried over to the index's new rows, with the fresh items' own on top."""
        item_ids = self._index.view.items.item_ids
        row_of = old.view.items.row_of
        rows = np.fromiter((row_of.get(item_id, -1) for item_id in item_ids), np.int64, len(item_ids))
        kept = rows >= 0
        cards, born = np.zeros((len(rows), old.cards.shape[1]), np.float32), np.zeros(len(rows))
        cards[kept], born[kept] = old.cards[rows[kept]], old.born[rows[kept]]
        sketch = None if old.sketch is None else np.zeros((len(rows), old.sketch.shape[1]), np.float32)
        if sketch is not None and old.sketch is not None:
            sketch[kept] = old.sketch[rows[kept]]
        if fresh:
            here = self._index.view.items.find([item.item_id for item in fresh])
            shown = self.shown(fresh, vectors)
            cards[here], born[here] = shown.cards, shown.born
            if sketch is not None:
                sketch[here] = self._sketch(vectors)
        return self._shelf(snapshot, Shown(cards, born), sketch)

    def _sketch(self, vectors: Vectors) -> Vectors | None:
        """(n, p) of these vectors (n, e), where the shelf is searched by sketches."""
        return None if self._axes is None else self._axes.sketch(vectors)

    def _shelf(self, snapshot: Snapshot, shown: Shown, sketch: Vectors | None) -> Shelf:
        view = self._index.view
        aligned = None if view.items.item_ids == snapshot.item_ids else snapshot.rows(view.items.item_ids)
        newest = np.argsort(-shown.born, kind="stable")
        return Shelf(snapshot, view, shown.cards, shown.born, newest, aligned, self._axes, sketch)

    def _born(self, items: Sequence[Item]) -> Floats:
        """(n,) when each was published, or else first seen."""
        seen = self.store.first_seen([item.item_id for item in items])
        told = (item.published_at for item in items)
        published = np.array([np.nan if at is None else at for at in told], dtype=np.float64)
        return np.where(np.isnan(published), seen, published)
