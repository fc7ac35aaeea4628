"""One row learned at d = 128, in a call of its own and in batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from equipoise.core import Batch
from equipoise.policies import BanditPolicy
from equipoise.policies.policy import single_rows

from . import peers
from .measure import Call, Row, side_by_side
from .world import batch, learned, world

ITEMS, LONG = 1_000, 1_000


def rows(folder: Path) -> Iterator[Row]:
    made = world(ITEMS)
    agent = peers.shared_agent(made)
    theirs = peers.agent_learns(agent, made)
    policy = learned("thompson", made)
    every = batch(made)
    singles = list(single_rows(every))
    yield side_by_side("update, one row a call", one_by_one(policy, singles), "bayesianbandits", theirs)


def one_by_one(policy: BanditPolicy, singles: list[Batch]) -> Call:
    return lambda number: policy.update(singles[number % len(singles)])
