"""A promotion as plain values, for `status` and for whoever looks at the JSON."""

from __future__ import annotations

from typing import Any

from equipoise.engine.promotion.record import Promotion
from equipoise.evaluation.gate import SHADOW, Step


def told(promotion: Promotion, step: Step | None = None) -> dict[str, Any]:
    """state, both policies, the rules, the tables in which they differ, and every step with its numbers.

    `margin` is that of the current stage. step: where the current stage stands; None once the promotion has ended.
    """
    started = promotion.started
    return {
        "state": promotion.state,
        "challenger": started["challenger"]["policy"],
        "incumbent": started["incumbent"]["policy"],
        "since": promotion.events[0].at,
        "margin": promotion.rules.margin_of(SHADOW + 1 if step is None else step.stage),
        "level": promotion.rules.level,
        "shares": list(promotion.rules.shares),
        "tables": {
            name: table
            for name, table in started["challenger"]["tables"].items()
            if table != started["incumbent"]["tables"][name]
        },
        "stage": None if step is None else stage_name(promotion, step.stage),
        "now": None if step is None else numbers(step),
        "steps": [
            {"at": event.at, "kind": event.kind.removeprefix("promotion_"), **_shown(promotion, event.detail)}
            for event in promotion.events
        ],
    }


def stage_name(promotion: Promotion, stage: int) -> str:
    """`shadow`, or the share of the traffic such as `10 %`."""
    return "shadow" if stage == SHADOW else f"{promotion.rules.share(stage):.3g} of the traffic"


def numbers(step: Step) -> dict[str, Any]:
    """The challenger minus the incumbent in reward per slot, and how many decisions say so."""
    return {"n": step.n, "difference": step.difference, "low": step.low, "high": step.high}


def _shown(promotion: Promotion, detail: Any) -> dict[str, Any]:
    """Of an event what a person wants to see: the stage that ended with its numbers, or the reason."""
    if "reason" in detail:
        return {"reason": detail["reason"]}
    if "verdict" not in detail:
        return {}
    kept = {name: detail[name] for name in ("n", "difference", "low", "high")}
    return {"stage": stage_name(promotion, int(detail["stage"])), **kept}
