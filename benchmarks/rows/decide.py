"""One decision with its exact distribution, drawn from it, over all items; the request may be any of 64."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import numpy as np

from equipoise.core import Candidates, Vectors
from equipoise.policies import BanditPolicy, draw
from equipoise.retrieval import best

from . import peers
from .measure import Call, Row, side_by_side
from .world import ROWS, SPACE, World, learned, world

CANDIDATES = 200
SIZES = (1_000, 10_000)


def rows(folder: Path) -> Iterator[Row]:
    for n in SIZES:
        made = world(n)
        ours, agent = thompson(learned("thompson", made), made), peers.shared_agent(made)
        theirs = peers.agent_decides(agent, made)
        yield side_by_side(
            f"Thompson, 128 draws, {n:,} items", ours, "bayesianbandits, 1 draw", theirs, block=5
        )
        ours = squarecb(learned("squarecb", made), made)
        for name, interactions, rounds in (
            ("vowpalwabbit squarecb", False, 20),
            ("vowpalwabbit squarecb -q", True, 8),
        ):
            theirs = peers.squarecb(made, interactions=interactions)
            yield side_by_side(
                f"SquareCB over all {n:,} items", ours, name, theirs, rounds=rounds, warm_up=2, block=2
            )


def thompson(policy: BanditPolicy, made: World) -> Call:
    """The 200 of all items with the highest mean, 128 draws over them, and the dice."""
    rng, names = np.random.default_rng(0), made.item_ids()

    def once(number: int) -> object:
        request = made.requests[number % len(made.requests)]
        found = best(made.items @ directed(policy, request), CANDIDATES)
        shown = itemgetter(*found.tolist())(names)
        features = made.items.take(found, axis=0)
        features *= request
        candidates = Candidates(shown, features, SPACE)
        return draw(policy.distribution(candidates, rng), 1, rng)

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
