"""A request to a question: encoded, its candidates found, everything gathered that the policy must see."""

from __future__ import annotations

import numpy as np

from equipoise.core import Places, Request, Vectors, number
from equipoise.encoders import Asked, history_vector
from equipoise.engine.candidates import Leaning, Query, find
from equipoise.engine.deliberation import Question, pinned_items
from equipoise.engine.parts import Parts
from equipoise.engine.shelf import RowNumbers, Shelf


def asked_of(request: Request, parts: Parts, shelf: Shelf, *, at: float) -> Asked:
    """The request as the pairing sees it: its text and its history encoded."""
    history: Vectors | None = None
    if request.history is not None:
        history = shelf.cards[shelf.rows(request.history)]
    vector = parts.request_vector(request)
    return Asked(
        at=at, vector=vector, history=history, attributes=request.attributes, alike=parts.stock.alike
    )


def searched(decision_id: str, request: Request, parts: Parts, shelf: Shelf, *, asked: Asked) -> Question:
    """The candidates of a request, and its pinned items behind them."""
    liked = parts.liked(request.user_id, shelf)
    outlook = parts.stock.pairing.outlook(asked, shelf.cards[liked])
    query = Query(
        request=request,
        asked=asked,
        near=_near(request, asked, liked, shelf),
        outlook=outlook,
        seen=parts.seen.of(request.user_id) if parts.settings.retrieval.hide_seen else (),
        leaning=_leaning(decision_id, parts),
        item_means=parts.standing.means(shelf, parts.learner),
    )
    rows, sources = find(query, shelf, parts.stock.pairing, parts.settings.retrieval)
    names = shelf.item_ids
    rows_shown = np.concatenate([rows, shelf.rows(pinned_items(request))])
    return Question(
        decision_id=decision_id,
        request=request,
        asked=asked,
        outlook=outlook,
        candidates=tuple([names[row] for row in rows.tolist()]),
        sources=sources,
        shown=shelf.take(rows_shown),
        vectors=shelf.vectors(rows_shown),
        places=Places(shelf.view.items.row_of, rows_shown),
    )


def _near(request: Request, asked: Asked, liked: RowNumbers, shelf: Shelf) -> Vectors | None:
    """(e,) what to look near to: the text, else the history, else what the user liked."""
    if asked.vector is not None:
        return asked.likeness
    return history_vector(shelf.vectors(liked if request.history is None else shelf.rows(request.history)))


def _leaning(decision_id: str, parts: Parts) -> Leaning | None:
    """Mean weights and one posterior draw; the search has dice of its own."""
    key = number(parts.settings.seed, decision_id + "/search")
    mean, drawn = parts.policy.weights, parts.policy.draw_weights(key)
    return None if mean is None or drawn is None else Leaning(mean, drawn)
