"""Which k items a policy weighs: those that the caller listed, or the best of several sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError, NoCandidatesError, Request, Vectors
from equipoise.encoders import Asked, Direction, Outlook, Pairing
from equipoise.engine.settings import RetrievalTable
from equipoise.engine.shelf import RowNumbers, Shelf
from equipoise.retrieval import DRAW, FRESH, LISTED, MEAN, NEAR, ExactView, Search, best, gather, refined

ALL = "all"
"""Everything that the filters leave: there was no need to search."""

BLOCK = 1024
"""Cards at once: about 200 kB, which stay in a core's own cache for the second query."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Leaning:
    """What the policy would look for. mean, draw: (d,) its mean weights and one posterior draw of them."""

    mean: Floats
    draw: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """All that a search needs to know of a request.

    near: (e,) what to look near to, None without text or history. outlook: the same in the pairing's coordinates.
    leaning: None where a policy has no weights. item_means: (n,) float32, by row of the shelf.
    """

    request: Request
    asked: Asked
    near: Vectors | None
    outlook: Outlook
    seen: tuple[str, ...]
    leaning: Leaning | None
    item_means: Vectors


def find(
    query: Query, shelf: Shelf, pairing: Pairing, table: RetrievalTable
) -> tuple[RowNumbers, tuple[str, ...]]:
    """Rows (k,) of the shelf and the source of each.

    Raises: NoCandidatesError: the request leaves nothing. UnknownItemError: it names an item that is not there.
    """
    mask = allowed(query, shelf)
    if query.request.items is not None:
        rows = shelf.rows(tuple(dict.fromkeys(query.request.items)))
        return _some(rows[mask[rows]], query), (LISTED,) * int(np.count_nonzero(mask[rows]))
    count = int(np.count_nonzero(mask))
    if count <= table.candidates:
        return _some(np.flatnonzero(mask), query), (ALL,) * count
    return gather(_searches(query, shelf, pairing, table, mask), table.candidates)


def allowed(query: Query, shelf: Shelf) -> Mask:
    """(n,) what the request's filters, exclusions, pins and the user's past leave."""
    request = query.request
    mask = shelf.matching(request.filters) if request.filters else np.ones(len(shelf), dtype=np.bool_)
    pinned = tuple(request.pinned.values())
    shelf.rows(pinned)
    gone = shelf.view.items.known((*request.exclude, *pinned, *query.seen))
    mask = mask.copy()
    mask[gone] = False
    return mask


def _some(rows: RowNumbers, query: Query) -> RowNumbers:
    if len(rows) == 0 and not query.request.pinned:
        request = query.request
        raise NoCandidatesError(
            f"nothing is left to show after filters {dict(request.filters)!r}, {len(request.exclude)} excluded and "
            f"{len(query.seen)} already seen: loosen the filters or name other items"
        )
    return rows


def _searches(
    query: Query, shelf: Shelf, pairing: Pairing, table: RetrievalTable, mask: Mask
) -> list[Search]:
    """What each source finds, best first."""
    k = table.candidates
    directions = _directions(query, pairing)
    look = _exact if isinstance(shelf.view, ExactView) else _approximate
    found = look(query, shelf, pairing, directions, mask, k)
    quota = {NEAR: table.near, MEAN: table.mean, DRAW: table.draw}
    searches = [Search(name, rows, round(quota[name] * k)) for name, rows in found.items()]
    return [*searches, Search(FRESH, _newest(shelf, mask, k), round(table.fresh * k))]


def _newest(shelf: Shelf, mask: Mask, k: int) -> RowNumbers:
    """The k youngest allowed rows; mostly the first 2 k hold them."""
    head = shelf.newest[: 2 * k]
    found = head[mask[head]]
    return found[:k] if len(found) >= k else shelf.newest[mask[shelf.newest]][:k]


def _directions(query: Query, pairing: Pairing) -> dict[str, Direction]:
    """Where the mean and one draw of the policy's weights look."""
    if query.leaning is None:
        return {}
    return {
        MEAN: pairing.direction(query.leaning.mean, query.outlook),
        DRAW: pairing.direction(query.leaning.draw, query.outlook),
    }


def _exact(
    query: Query, shelf: Shelf, pairing: Pairing, directions: dict[str, Direction], mask: Mask, k: int
) -> dict[str, RowNumbers]:
    """Every item scored: one product for nearness, a thin one with the cards for each direction."""
    near = _nearness(shelf, query.near)
    told = near if query.asked.likeness is not None else None
    closed = None if mask.all() else np.flatnonzero(~mask)
    found = {}
    if near is not None and query.near is not None:
        rows = _open_best(near, closed, k)
        found[NEAR] = rows if shelf.sketch is None else refined(rows, shelf.vectors(rows), query.near)
    inners = [direction.inner for direction in directions.values()]
    for (name, direction), scores in zip(directions.items(), _products(shelf.cards, inners), strict=True):
        scores += np.float32(direction.standing) * query.item_means
        if told is not None:
            scores += np.float32(direction.similarity) * told
        found[name] = _open_best(scores, closed, k)
    return found


def _nearness(shelf: Shelf, query: Vectors | None) -> Vectors | None:
    """(n,) each item's inner product with a query (e,), or about that where the shelf has a sketch."""
    if query is None or not isinstance(shelf.view, ExactView):
        return None
    if shelf.axes is not None and shelf.sketch is not None:
        return shelf.axes.scores(shelf.sketch, query)
    return np.asarray(shelf.view.scores(query[None])[0])


def _products(cards: Vectors, queries: Sequence[Vectors]) -> Vectors:
    """(q, n) inner products, block by block, so that each card is read from memory once."""
    out = np.empty((len(queries), len(cards)), dtype=np.float32)
    for start in range(0, len(cards), BLOCK):
        block = cards[start : start + BLOCK]
        for query, line in zip(queries, out, strict=True):
            np.dot(block, query, out=line[start : start + BLOCK])
    return out


def _open_best(scores: Vectors, closed: RowNumbers | None, k: int) -> RowNumbers:
    """The k best rows that are not closed; scores: (n,)."""
    if closed is None:
        return best(scores, k)
    scores = scores.copy()
    scores[closed] = -np.inf
    return best(scores, min(k, len(scores) - len(closed)))


def _approximate(
    query: Query, shelf: Shelf, pairing: Pairing, directions: dict[str, Direction], mask: Mask, k: int
) -> dict[str, RowNumbers]:
    """The index searched along each direction unfolded; attributes and standing are left to the policy."""
    queries = {} if query.near is None else {NEAR: query.near}
    for name, direction in directions.items():
        queries[name] = pairing.unfold(direction, query.asked.likeness)
    if not queries:
        return {}
    ranked = shelf.view.top(np.stack(list(queries.values())), k, allowed=mask)
    return {name: ranked.rows[place] for place, name in enumerate(queries)}


def checked_slots(slots: int, request: Request, found: int) -> int:
    """How many slots the dice must fill.

    Raises: InputError: no slots, a pin outside them or used twice, more slots than there is to show.
    """
    if slots < 1:
        raise InputError(f"slots is {slots}: ask for 1 or more")
    outside = [slot for slot in request.pinned if not 0 <= slot < slots]
    if outside:
        raise InputError(f"an item is pinned to slot {outside[0]} but the slots are 0 to {slots - 1}")
    if len(set(request.pinned.values())) < len(request.pinned):
        raise InputError(f"one item is pinned to two slots in {dict(request.pinned)!r}: pin it once")
    free = slots - len(request.pinned)
    if free > found:
        raise InputError(
            f"asked for {slots} slots but only {found + len(request.pinned)} items can be shown: "
            f"ask for at most {found + len(request.pinned)}, or loosen the filters"
        )
    return free
