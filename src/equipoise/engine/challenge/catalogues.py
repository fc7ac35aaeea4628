"""The catalogue as it was at past decisions, each item read, encoded and coded once, for walks through the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.catalog import Item
from equipoise.core import Decision, Vectors
from equipoise.encoders import Asked, Shown
from equipoise.engine.deliberation import Question, pinned_items
from equipoise.engine.shelf import Shelf
from equipoise.engine.stock import Stock
from equipoise.learning import Statistics

KEPT = 3
"""Versions of the catalogue kept at once: decisions of neighbouring versions settle mixed up."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One item at one version. card: (p + h + 1,). vector: (e,). there: whether the catalogue had it."""

    card: Vectors
    born: float
    vector: Vectors
    there: bool


class Version:
    """The items of one version of the catalogue that were asked for so far."""

    def __init__(self, stock: Stock, version: int) -> None:
        self._stock = stock
        self._version = version
        self._entries: dict[str, Entry] = {}

    def take(self, item_ids: Sequence[str]) -> tuple[Shown, Vectors]:
        """The items as the pairing sees them, and their vectors; an item whose history was lost has no text."""
        shelf = self._shelf()
        if shelf is not None and all(item_id in shelf.view.items.row_of for item_id in item_ids):
            rows = shelf.rows(item_ids)
            return shelf.take(rows), shelf.vectors(rows)
        entries = self._found(item_ids)
        if not entries:
            return self._stock.shown((), vectors := self._stock.vectors(())), vectors
        cards, vectors = np.stack([entry.card for entry in entries]), np.stack([e.vector for e in entries])
        return Shown(cards, np.array([entry.born for entry in entries])), vectors

    def recall(self, item_ids: Sequence[str]) -> tuple[tuple[str, ...], Vectors]:
        """Those of the items that this version had, and their cards."""
        shelf = self._shelf()
        if shelf is not None:
            known, _ = shelf.known(item_ids)
            return known, shelf.cards[shelf.rows(known)]
        entries = self._found(item_ids)
        known = tuple(item_id for item_id, entry in zip(item_ids, entries, strict=True) if entry.there)
        return known, self.take(known)[0].cards

    def _shelf(self) -> Shelf | None:
        """The shelf itself, if it is still of this version: the same cards, without reading anything."""
        shelf = self._stock.shelf
        return shelf if shelf.snapshot.version == self._version else None

    def _found(self, item_ids: Sequence[str]) -> list[Entry]:
        missing = [item_id for item_id in dict.fromkeys(item_ids) if item_id not in self._entries]
        if missing:
            self._read(missing)
        return [self._entries[item_id] for item_id in item_ids]

    def _read(self, item_ids: Sequence[str]) -> None:
        had = self._stock.store.items_at(self._version, item_ids)
        items = [had.get(item_id) or Item(item_id) for item_id in item_ids]
        vectors = self._stock.vectors(items)
        shown = self._stock.shown(items, vectors)
        for row, item_id in enumerate(item_ids):
            self._entries[item_id] = Entry(
                shown.cards[row], float(shown.born[row]), vectors[row], item_id in had
            )


class Catalogues:
    """The last few versions that were asked for."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._versions: dict[int, Version] = {}

    def at(self, version: int) -> Version:
        found = self._versions.pop(version, None) or Version(self._stock, version)
        self._versions[version] = found  # the latest asked for stands last
        if len(self._versions) > KEPT:
            del self._versions[next(iter(self._versions))]
        return found

    def question_of(self, decision: Decision, statistics: Statistics, vector: Vectors | None) -> Question:
        """As `past.question_of`: the question that a decision answered. vector: (e,) of its request's text."""
        request, then, stock = decision.request, self.at(decision.versions.catalog), self._stock
        history = None if request.history is None else then.recall(request.history)[1]
        asked = Asked(decision.at, vector, history, request.attributes, alike=stock.alike)
        shown, vectors = then.take((*decision.candidates, *pinned_items(request)))
        return Question(
            decision_id=decision.decision_id,
            request=request,
            asked=asked,
            outlook=stock.pairing.outlook(asked, then.recall(statistics.liked(request.user_id))[1]),
            candidates=decision.candidates,
            sources=decision.sources,
            shown=shown,
            vectors=vectors,
        )
