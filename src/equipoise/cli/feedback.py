"""`equipoise feedback`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json
from equipoise.core import InputError


def run(
    decision_id: Annotated[str, Parameter(help="What 'recommend' answered.")],
    /,
    *,
    slot: Annotated[int, Parameter(help="Which slot, counted from 0.")] = 0,
    kind: Annotated[
        str | None, Parameter(help="A kind of the [reward] table, such as click; none: only settle.")
    ] = None,
    value: Annotated[float, Parameter(help="Its amount; 1 for a plain event.")] = 1.0,
    feedback_id: Annotated[
        str | None, Parameter(help="Your own id, so that a repeated call counts once.")
    ] = None,
    settle: Annotated[
        bool, Parameter(negative="", help="Nothing more will come: learn from it now.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Tell what the user did with a slot.

    Example: equipoise feedback 0193f2ab --slot 2 --kind click --settle
    """
    if kind is None and not settle:
        raise InputError("nothing was told: name what the user did with --kind click, or --settle, or both")
    with opened(config) as engine:
        receipt = None
        if kind is not None:
            receipt = engine.feedback(decision_id, slot=slot, kind=kind, value=value, feedback_id=feedback_id)
        position = engine.settle(decision_id) if settle else None
    if json:
        print_json(
            {
                "decision_id": decision_id,
                "status": None if receipt is None else receipt.status,
                "detail": None if receipt is None else receipt.detail,
                "position": position,
            }
        )
        return
    if receipt is not None:
        print(f"{receipt.status}: {receipt.detail}")
    if position is not None:
        print(f"settled at position {position}; the policy has learned from it")
