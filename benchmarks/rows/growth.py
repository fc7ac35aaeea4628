"""The points of `scaling.py`: one thing measured at several sizes, all else held at its usual size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from equipoise.core import Batch, Candidates, Decision, FeatureSpace
from equipoise.journal import SqliteJournal
from equipoise.policies import BanditPolicy, build, draw
from equipoise.policies.policy import single_rows
from equipoise.retrieval import best

from . import decide
from .journal import decisions
from .measure import Call, processor_ms
from .world import World, batch, learned, world

LARGEST = 100_000
"""Items up to which every item is weighed; a million are searched by `search` of speed.py."""


@dataclass(frozen=True, slots=True)
class Point:
    """what: was measured. against, size: what grew, and how large it was. ms: of one call. mb: what it holds on to."""

    what: str
    against: str
    size: int
    ms: float
    mb: float


def slope(curve: Sequence[Point]) -> float:
    """Of log time against log size, over the larger half of the sizes, by least squares."""
    upper = curve[len(curve) // 2 - (len(curve) % 2 == 0) :]
    sizes, times = (np.log([getattr(point, name) for point in upper]) for name in ("size", "ms"))
    return float(np.polyfit(sizes, times, 1)[0])


def shortest(call: Call, *, budget_ms: float = 400.0) -> float:
    """Processor milliseconds of one call: the shortest of as many as the budget allows, at least 3."""
    call(0)
    spent = [processor_ms(call, number) for number in range(3)]
    rounds = int(min(300, budget_ms / max(min(spent), 1e-3)))
    return min(spent + [processor_ms(call, number) for number in range(rounds)])


def items() -> Iterator[Point]:
    """A decision by the number of items, d = 128: 200 of them drawn over, or all of them weighed."""
    for n in (100, 1_000, 10_000, 100_000, 1_000_000):
        made, held = world(n), n * 128 * 4 / 1e6
        policy = learned("thompson", made)
        yield Point("Thompson, best 200", "items", n, shortest(decide.thompson(policy, made)), held)
        policy = learned("squarecb", made)
        yield Point("SquareCB, all items", "items", n, shortest(decide.squarecb(policy, made)), held)
        query = decide.directed(policy, made.requests[0])
        yield Point(
            "search alone", "items", n, shortest(lambda _, m=made, q=query: best(m.items @ q, 200)), held
        )


def features() -> Iterator[Point]:
    """Deciding and learning by the number of features, 1,000 items."""
    for d in (16, 32, 64, 128, 256, 512):
        space, made = FeatureSpace("growth", "1", d), world(1_000, dim=d)
        held = d * d * 8 / 1e6
        policy = learned("thompson", made, space=space)
        yield Point("Thompson, best 200", "features", d, shortest(over(policy, made, space, 200)), held)
        singles = list(single_rows(batch(made, space)))
        for posterior in ("linear", "mixed", "logistic"):
            policy = build("thompson", space, posterior=posterior)
            call = learning(policy, singles)
            yield Point(f"update, {posterior}", "features", d, shortest(call), held)
        policy = learned("thompson", made, space=space)
        yield Point("update and a new root", "features", d, shortest(rooting(policy, singles)), held)


def candidates() -> Iterator[Point]:
    """A decision by the number of candidates that are drawn over, d = 128."""
    made = world(4_000)
    for explorer in ("thompson", "squarecb", "ucb"):
        policy = learned(explorer, made)
        for k in (10, 50, 200, 1_000, 4_000):
            call = over(policy, made, policy.space, k)
            yield Point(explorer, "candidates", k, shortest(call), k * 128 * 4 / 1e6)


def slots() -> Iterator[Point]:
    """A slate by its length, 200 candidates, d = 128."""
    made = world(1_000)
    for explorer in ("thompson", "squarecb"):
        policy = learned(explorer, made)
        for m in (1, 3, 10, 30, 100):
            yield Point(explorer, "slots", m, shortest(over(policy, made, policy.space, 200, slots=m)), 0.0)


def journal() -> Iterator[Point]:
    """By the decisions that are there already: the next one, its settlement, and reading all of it."""
    made = decisions(20, 1, 100_400)
    for n in (1_000, 10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder, SqliteJournal.open(Path(folder) / "j.db") as opened:
            for start in range(0, n, 1_000):
                opened.decided_many(made[start : start + 1_000])
            opened.settle_due(made[n - 1].window_closes_at)
            held = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
            for what, ms in grown(opened, made[100_000:]).items():
                yield Point(what, "decisions", n, ms, held)


def grown(opened: SqliteJournal, further: list[Decision]) -> dict[str, float]:
    """Milliseconds of what a journal is asked for most, as long as it now is."""

    def decided(number: int) -> None:
        opened.decided(further[number])

    def closed(number: int) -> None:
        opened.closed(further[number].decision_id, now=1e9)

    def read(number: int) -> None:
        for _ in opened.batches():
            pass

    return {
        "one more decision": min(processor_ms(decided, number) for number in range(len(further))),
        "one more settlement": min(processor_ms(closed, number) for number in range(len(further))),
        "counts": shortest(lambda _: opened.counts(), budget_ms=30.0),
        "all of it as columns": shortest(read, budget_ms=0.0),
    }


def over(policy: BanditPolicy, made: World, space: FeatureSpace, k: int, *, slots: int = 1) -> Call:
    """The first k items as candidates: their odds, and the dice for each slot."""
    rng, names = np.random.default_rng(0), made.item_ids()[:k]

    def once(number: int) -> object:
        features = made.items[:k] * made.requests[number % len(made.requests)]
        return draw(policy.slate(Candidates(names, features, space), rng), slots, rng)

    return once


def learning(policy: BanditPolicy, singles: list[Batch]) -> Call:
    return lambda number: policy.update(singles[number % len(singles)])


def rooting(policy: BanditPolicy, singles: list[Batch]) -> Call:
    """What a decision right after an update pays once: the root of the new covariance."""

    def once(number: int) -> object:
        policy.update(singles[number % len(singles)])
        return policy.draw_weights(number)

    return once
