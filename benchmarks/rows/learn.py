"""One row learned at d = 128, in a call of its own and in batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from equipoise.core import Batch
from equipoise.policies import BanditPolicy
from equipoise.policies.policy import single_rows

from . import peers
from .measure import Call, Row, row, side_by_side
from .world import batch, learned, world

ITEMS = 1_000


def rows(folder: Path) -> Iterator[Row]:
    made = world(ITEMS)
    theirs = peers.agent_learns(peers.shared_agent(made), made)
    every = batch(made)
    singles = list(single_rows(every))
    for arithmetic in ("blas", "compiled"):
        policy = learned("thompson", made, arithmetic=arithmetic)
        ours = one_by_one(policy, singles)
        name = f"update, {arithmetic}"
        yield side_by_side(f"{name}, one row a call", ours, "bayesianbandits", theirs, block=20)
        ours = in_a_batch(policy, every)
        found = side_by_side(name, ours, "bayesianbandits", theirs, block=1, rounds=40)
        yield row(f"{name}, a row of a batch", found.ours_ms / len(every), found.peer, found.peer_ms)


def one_by_one(policy: BanditPolicy, singles: list[Batch]) -> Call:
    return lambda number: policy.update(singles[number % len(singles)])


def in_a_batch(policy: BanditPolicy, every: Batch) -> Call:
    return lambda number: policy.update(every)
