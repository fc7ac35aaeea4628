"""One decision with its exact distribution, drawn from it, over all items; the request may be any of 64."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise.core import Candidates
from equipoise.policies import BanditPolicy, draw
from equipoise.retrieval import best

from . import peers
from .measure import Call, Row, side_by_side
from .world import SPACE, World, learned, world

CANDIDATES = 200
SIZES = (1_000, 10_000)


def rows(folder: Path) -> Iterator[Row]:
    for n in SIZES:
        made = world(n)
        agent = peers.shared_agent(made)
        ours = thompson(learned("thompson", made), made)
        theirs = peers.agent_decides(agent, made)
        yield side_by_side(f"Thompson, 128 draws, {n:,} items", ours, "bayesianbandits, 1 draw", theirs)
        ours = squarecb(learned("squarecb", made), made)
        for name, interactions in (("vowpalwabbit squarecb", False), ("vowpalwabbit squarecb -q", True)):
            theirs = peers.squarecb(made, interactions=interactions)
            rounds = 20 if interactions else 100
            yield side_by_side(f"SquareCB over all {n:,} items", ours, name, theirs, rounds=rounds, warm_up=5)


def thompson(policy: BanditPolicy, made: World) -> Call:
    """The 200 of all items with the highest mean, 128 draws over them, and the dice."""
    rng, names = np.random.default_rng(0), made.item_ids()

    def once(number: int) -> object:
        request = made.requests[number % len(made.requests)]
        weights = policy.weights
        assert weights is not None
        found = best(made.items @ (weights * request).astype(np.float32), CANDIDATES)
        candidates = Candidates(
            tuple([names[row] for row in found.tolist()]), made.items[found] * request, SPACE
        )
        return draw(policy.distribution(candidates, rng), 1, rng)

    return once


def squarecb(policy: BanditPolicy, made: World) -> Call:
    """The odds of every item, and the dice."""
    rng, names = np.random.default_rng(0), made.item_ids()

    def once(number: int) -> object:
        request = made.requests[number % len(made.requests)]
        candidates = Candidates(names, made.items * request, SPACE)
        return draw(policy.distribution(candidates, rng), 1, rng)

    return once
