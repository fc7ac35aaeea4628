"""One decision with its exact distribution, drawn from it, over all items; the request may be any of 64."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise.core import Vectors
from equipoise.policies import BanditPolicy, draw

from . import peers
from .measure import Call, Row, side_by_side
from .world import ROWS, World, learned, world

CANDIDATES = 200
SIZES = (1_000, 10_000)


ARMS = 1_000
"""The most items for a peer that keeps a model for each."""

MAKES = {"compiled": ", compiled", "blas": ""}
"""Arithmetics and how their rows are called."""

WARM_UP = 300
"""Calls by when the draws of most blocks of normals are kept, as they are where more is asked than learned."""


def rows(folder: Path) -> Iterator[Row]:
    for n in SIZES:
        made = world(n)
        yield from thompson_rows(made)
        yield from other_rows(made)
        yield from squarecb_rows(made)


def thompson_rows(made: World) -> Iterator[Row]:
    theirs = peers.agent_decides(peers.shared_agent(made), made)
    for arithmetic, make in MAKES.items():
        ours = thompson(learned("thompson", made, arithmetic=arithmetic), made)
        name = f"Thompson, 128 draws, {len(made.items):,} items{make}"
        yield side_by_side(name, ours, "bayesianbandits, 1 draw", theirs, warm_up=WARM_UP, block=5)


def other_rows(made: World) -> Iterator[Row]:
    """Peers so slow that a few turns tell. MABWiser keeps two (d, d) matrices an item, five gigabytes of 10,000 items."""
    ours = thompson(learned("thompson", made), made)
    name, model = f"Thompson, 128 draws, {len(made.items):,} items", peers.regression(made)
    slow = {"river, mean and spread": peers.regression_with_spread(model, made)}
    if len(made.items) <= ARMS:
        slow["MABWiser LinUCB"] = peers.lin_ucb(made)
    for peer, theirs in slow.items():
        yield side_by_side(name, ours, peer, theirs, rounds=6, warm_up=2, block=1)
    theirs = peers.regression_means(model, made)
    yield side_by_side(name, ours, "river, means alone", theirs, rounds=40, block=2)


def squarecb_rows(made: World) -> Iterator[Row]:
    ours, name = squarecb(learned("squarecb", made), made), f"SquareCB over all {len(made.items):,} items"
    for peer, interactions, rounds in (
        ("vowpalwabbit squarecb", False, 20),
        ("vowpalwabbit squarecb -q", True, 8),
    ):
        theirs = peers.squarecb(made, interactions=interactions)
        yield side_by_side(name, ours, peer, theirs, rounds=rounds, warm_up=2, block=2)


def thompson(policy: BanditPolicy, made: World) -> Call:
    """The 200 of all items with the highest mean, 128 draws over them, and the dice."""
    rng = np.random.default_rng(0)

    def once(number: int) -> object:
        request = made.requests[number % len(made.requests)]
        found = policy.shortlist(made.items, request, CANDIDATES, rng)
        return draw(found.probabilities, 1, rng)

    return once


def squarecb(policy: BanditPolicy, made: World) -> Call:
    """The odds of every item, and the dice."""
    rng, names = np.random.default_rng(0), made.item_ids()

    def once(number: int) -> object:
        request = made.requests[number % len(made.requests)]
        means = (made.items @ directed(policy, request)).astype(np.float64)
        return draw(policy.over(names, means, rows=ROWS), 1, rng)

    return once


def directed(policy: BanditPolicy, request: Vectors) -> Vectors:
    """(d,) the query along which an item's mean reward lies: (request x item) weights = item (request x weights)."""
    weights = policy.weights
    assert weights is not None  # a linear posterior has them
    query: Vectors = (weights * request).astype(np.float32)
    return query
