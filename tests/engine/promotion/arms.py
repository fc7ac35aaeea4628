"""Five arms of which one pays: an incumbent that never learns, and challengers that do, or that refuse to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.core import Decision, Request
from equipoise.engine import Engine
from equipoise.engine.challenge import challenger_tables

from ..shop import START, opened

ARMS = ("i0", "i1", "i2", "i3", "i4")
BEST = "i2"

QUICK = {"least": 20, "level": 0.8, "shares": [0.5]}
"""A gate that is content with little, so that a test takes few decisions."""

UNIFORM = {"name": "uniform"}
GREEDY = {"name": "greedy", "posterior": "beta", "floor": 0.02}


def serving(path: Path | str = ":memory:", **tables: Any) -> Engine:
    """An engine whose incumbent shows every arm alike, unless told otherwise."""
    return opened(path, n=5, **{"policy": UNIFORM, "promotion": QUICK, **tables})


def challenge(engine: Engine, policy: dict[str, Any] = GREEDY, *, at: float = START, **tables: Any) -> None:
    engine.promote(challenger_tables({"policy": policy, **tables}, engine.parts.settings), at=at)


def visit(engine: Engine, number: int, *, pays: str = BEST, settle: bool = True) -> Decision:
    """One slot of five arms, which is liked if it shows the one that pays."""
    at = START + number
    decision = engine.recommend(
        Request(items=ARMS, text="wet" if number % 3 else None, user_id=f"u{number % 4}"),
        slots=1,
        decision_id=f"d{number}",
        at=at,
    )
    if decision.slots[0].item_id == pays:
        engine.feedback(decision.decision_id, slot=0, kind="like", at=at)
    if settle:
        engine.settle(decision.decision_id, at=at)
    return decision


def kinds(engine: Engine) -> list[str]:
    """Every step so far."""
    return [event.kind.removeprefix("promotion_") for event in engine.parts.journal.events()]


def state(engine: Engine) -> str:
    promotion = engine.status()["promotion"]
    return "none" if promotion is None else str(promotion["state"])


def play(engine: Engine, start: int, *, most: int = 400, pays: str = BEST) -> int:
    """Visits from `start` on until the promotion ends, or changes its stage; returns the next number."""
    steps = len(engine.status()["promotion"]["steps"])
    for number in range(start, start + most):
        visit(engine, number, pays=pays)
        if len(engine.status()["promotion"]["steps"]) > steps:
            return number + 1
    return start + most
