"""`equipoise why`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, one_line, opened, print_json, print_table
from equipoise.engine import Engine, Explanation


def run(
    decision_id: Annotated[str, Parameter(help="What 'recommend' answered.")],
    /,
    *,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Make a past decision again with what was known then, and say why it came out so.

    Example: equipoise why 0193f2ab
    """
    with opened(config) as engine:
        explanation = engine.why(decision_id)
        if json:
            print_json(explanation)
        else:
            show(engine, explanation)


def show(engine: Engine, explanation: Explanation) -> None:
    """Words first, then numbers."""
    print(explanation.summary)
    for reason in explanation.slots:
        print(
            f"  slot {reason.slot}, {one_line(engine.text_of(reason.item_id)) or reason.item_id}: {reason.sentence}"
        )
        if reason.parts:
            told = ", ".join(f"{part.name} {part.amount:+.3f}" for part in reason.parts)
            print(f"    set apart by {told}")
    rows = [
        (
            str(reason.slot),
            reason.item_id,
            _number(reason.mean),
            _number(reason.spread),
            _number(reason.similarity),
            f"{reason.propensity:.3f}",
            reason.source,
        )
        for reason in explanation.slots
    ]
    columns = ("slot", "item_id", "mean", "spread", "similarity", "propensity", "source")
    print_table(f"decision {explanation.decision_id}", columns, rows)
    versions = explanation.versions
    print(
        f"policy {versions.policy} after {versions.learned} settled decisions, catalog version {versions.catalog},"
    )
    print(f"encoder {versions.encoder}, pairing {versions.pairing}, seed {versions.seed}")
    if explanation.reproduced:
        print("made again from the journal: the same, bit for bit")
    else:
        print(f"made again from the journal: NOT the same: {'; '.join(explanation.differences)}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
