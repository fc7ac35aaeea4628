"""Past decisions with the catalogue as it was: to make them again, or to pair them anew in another feature space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from equipoise.catalog import Item
from equipoise.core import Decision, Logged, Vectors
from equipoise.encoders import Asked, Outlook, Shown
from equipoise.engine.deliberation import Question, Recall, pair, pinned_items
from equipoise.engine.stock import Stock
from equipoise.learning import Statistics


def recall_at(version: int, stock: Stock) -> Recall:
    """Looks items up in a past version of the catalogue."""

    def recall(item_ids: Sequence[str]) -> tuple[tuple[str, ...], Vectors]:
        items = stock.store.items_at(version, item_ids)
        known = tuple(item_id for item_id in item_ids if item_id in items)
        there = [items[item_id] for item_id in known]
        return known, stock.shown(there, stock.vectors(there)).cards

    return recall


def question_of(decision: Decision, statistics: Statistics, stock: Stock, vector: Vectors | None) -> Question:
    """The question that a decision answered. statistics: as they were then. vector: (e,) of its request's text."""
    request, version = decision.request, decision.versions.catalog
    asked, outlook = _asked(decision, statistics, stock, vector)
    shown, vectors = _shown((*decision.candidates, *pinned_items(request)), version, stock)
    return Question(
        decision_id=decision.decision_id,
        request=request,
        asked=asked,
        outlook=outlook,
        candidates=decision.candidates,
        sources=decision.sources,
        shown=shown,
        vectors=vectors,
    )


def repaired(logged: Logged, statistics: Statistics, stock: Stock, vector: Vectors | None) -> Logged:
    """A settled decision with the features of its slots in the stock's pairing.

    vector: (e,) of its request's text. The statistics are those of its place in the journal, which may be a
    little later than what was known when it was made.
    """
    decision = logged.decision
    version = decision.versions.catalog
    asked, outlook = _asked(decision, statistics, stock, vector)
    item_ids = tuple(slot.item_id for slot in decision.slots)
    shown, vectors = _shown(item_ids, version, stock)
    experience = statistics.experience(item_ids, decision.request.user_id)
    features = pair(stock.pairing, experience, shown, vectors, asked, outlook, recall_at(version, stock))
    versions = replace(decision.versions, encoder=stock.encoder.space, pairing=stock.pairing.space)
    return Logged(replace(decision, features=features, versions=versions), logged.rewards)


def _asked(
    decision: Decision, statistics: Statistics, stock: Stock, vector: Vectors | None
) -> tuple[Asked, Outlook]:
    """The request as it was, and what it was about."""
    request = decision.request
    recall = recall_at(decision.versions.catalog, stock)
    history = None if request.history is None else recall(request.history)[1]
    asked = Asked(decision.at, vector, history, request.attributes, alike=stock.alike)
    return asked, stock.pairing.outlook(asked, recall(statistics.liked(request.user_id))[1])


def _shown(item_ids: Sequence[str], version: int, stock: Stock) -> tuple[Shown, Vectors]:
    """Items that were shown at a version of the catalogue, as the pairing sees them, and their vectors.

    Where the catalogue's history was lost, an item without text stands in, so that the rest is still learned.
    """
    items = stock.store.items_at(version, item_ids)
    there = [items.get(item_id) or Item(item_id) for item_id in item_ids]
    vectors = stock.vectors(there)
    return stock.shown(there, vectors), vectors
