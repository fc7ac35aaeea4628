"""Past decisions with the catalogue as it was: to make them again, or to pair them anew in another feature space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from equipoise.core import Decision, Logged, Vectors
from equipoise.encoders import Asked, Shown
from equipoise.engine.deliberation import Question, Recall, pair, pinned_items
from equipoise.engine.stock import Stock
from equipoise.learning import Statistics


def recall_at(version: int, stock: Stock) -> Recall:
    """Looks items up in a past version of the catalogue."""

    def recall(item_ids: Sequence[str]) -> tuple[tuple[str, ...], Shown]:
        items = stock.store.items_at(version, item_ids)
        known = tuple(item_id for item_id in item_ids if item_id in items)
        there = [items[item_id] for item_id in known]
        return known, stock.shown(there, stock.vectors(there))

    return recall


def asked_then(decision: Decision, vector: Vectors | None, recall: Recall) -> Asked:
    """The request as it was. vector: (e,) of its text."""
    request = decision.request
    history = None if request.history is None else recall(request.history)[1].coordinates
    return Asked(decision.at, vector, history, request.attributes)


def question_of(decision: Decision, stock: Stock, vector: Vectors | None) -> tuple[Question, Recall]:
    """The question that a decision answered. vector: (e,) of its request's text."""
    recall = recall_at(decision.versions.catalog, stock)
    item_ids = (*decision.candidates, *pinned_items(decision.request))
    items = stock.store.items_at(decision.versions.catalog, item_ids)
    there = [items[item_id] for item_id in item_ids]
    vectors = stock.vectors(there)
    question = Question(
        decision_id=decision.decision_id,
        request=decision.request,
        asked=asked_then(decision, vector, recall),
        candidates=decision.candidates,
        sources=decision.sources,
        shown=stock.shown(there, vectors),
        vectors=vectors,
    )
    return question, recall


def repaired(logged: Logged, statistics: Statistics, stock: Stock, vector: Vectors | None) -> Logged:
    """A settled decision with the features of its slots in the stock's pairing.

    vector: (e,) of its request's text. The statistics are those of its place in the journal, which may be a
    little later than what was known when it was made.
    """
    decision = logged.decision
    recall = recall_at(decision.versions.catalog, stock)
    item_ids = tuple(slot.item_id for slot in decision.slots)
    items = stock.store.items_at(decision.versions.catalog, item_ids)
    there = [items[item_id] for item_id in item_ids]
    vectors = stock.vectors(there)
    asked = asked_then(decision, vector, recall)
    user_id = decision.request.user_id
    features = pair(
        stock.pairing, statistics, item_ids, user_id, asked, stock.shown(there, vectors), vectors, recall
    )
    versions = replace(decision.versions, encoder=stock.encoder.space, pairing=stock.pairing.space)
    return Logged(replace(decision, features=features, versions=versions), logged.rewards)
