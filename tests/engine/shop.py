"""A small shop that the tests of this room share: 40 items of shoes, boots and socks, and an engine on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.catalog import Item
from equipoise.core import Decision, Request
from equipoise.engine import Engine, settings_from

START = 1_800_000_000.0
"""When the first decision of a test is made: everything counts from here, so that no test depends on the clock."""

KINDS = ("shoes", "boots", "socks")


def items(n: int = 40) -> tuple[Item, ...]:
    """Item i<j> has category KINDS[j % 3], price 10 + j, and was published j days after the first."""
    grounds = ("trail", "road", "wet", "soft")
    return tuple(
        Item(
            f"i{j}",
            text=f"{grounds[j % 4]} {KINDS[j % 3]} number {j}",
            attributes={"category": KINDS[j % 3], "price": 10.0 + j, "tags": ("new",) if j % 2 else ("old",)},
            published_at=1_700_000_000.0 + 86_400.0 * j,
        )
        for j in range(n)
    )


def opened(path: Path | str = ":memory:", *, n: int = 40, **tables: Any) -> Engine:
    """An engine on the shop, with the hashing encoder unless told otherwise."""
    table = {
        "journal": {"path": str(path), "window_seconds": 100.0},
        "encoder": {"name": "hashing"},
        **tables,
    }
    return Engine.of(settings_from(table), items=items(n))


def visit(engine: Engine, number: int, *, click: int | None = 0, settle: bool = True) -> Decision:
    """Decision d<number>: asked by one of three users, 10 seconds after the last, clicked and settled."""
    at = START + 10.0 * number
    request = Request(
        text="wet shoes" if number % 2 else None,
        user_id=f"u{number % 3}",
        attributes={"hour": number % 24, "device": ("phone", "desk")[number % 2]},
    )
    decision = engine.recommend(request, slots=3, decision_id=f"d{number}", at=at)
    if click is not None:
        engine.feedback(decision.decision_id, slot=click, kind="click", at=at + 1.0)
    if settle:
        engine.settle(decision.decision_id, at=at + 2.0)
    return decision


def shown(decision: Decision) -> tuple[str, ...]:
    return tuple(slot.item_id for slot in decision.slots)
