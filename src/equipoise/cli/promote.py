"""`equipoise promote`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json, print_table
from equipoise.core import InputError
from equipoise.engine import Engine


def run(
    challenger: Annotated[
        Path | None, Parameter(help="Its TOML: only the tables in which it differs are needed.")
    ] = None,
    /,
    *,
    status: Annotated[bool, Parameter(negative="", help="Only show where the promotion stands.")] = False,
    cancel: Annotated[
        bool,
        Parameter(negative="", help="End the running promotion, or take a promoted challenger back."),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Let a challenger try for the incumbent's place: in the shadow, in a share of the traffic, then in all.

    Every further step is taken by itself while feedback settles.

    Example: equipoise promote challenger.toml
    """
    if (challenger is not None) + status + cancel != 1:
        raise InputError("name one thing to do: a challenger's TOML to start with, or --status, or --cancel")
    with opened(config) as engine:
        if challenger is not None:
            engine.promote(challenger)
        elif cancel:
            engine.cancel_promotion()
        found = {name: engine.status()[name] for name in ("serving", "policy", "promotion")}
        if json:
            print_json(found)
        else:
            show(engine, found)


def show(engine: Engine, found: dict[str, Any]) -> None:
    """Who serves, then the steps so far."""
    print(f"serving: {found['serving']}, {found['policy']}")
    print(sentence(found["promotion"]))
    if found["promotion"] is not None:
        rows = [_row(step) for step in found["promotion"]["steps"]]
        print_table("steps", ("at", "step", "stage", "decisions", "difference", "low", "high"), rows)


def sentence(promotion: dict[str, Any] | None) -> str:
    """Where a promotion stands, in one line."""
    if promotion is None:
        return "none so far"
    who = f"{promotion['challenger']} against {promotion['incumbent']}"
    now = promotion["now"]
    if now is None:
        return f"{promotion['state'].replace('_', ' ')}: {who}"
    return (
        f"{who}, {promotion['stage']}: {now['difference']:+.4f} a slot ({now['low']:+.4f} to {now['high']:+.4f}) after "
        f"{now['n']} decisions; on above {promotion['margin']:+g}, back below"
    )


def _row(step: dict[str, Any]) -> tuple[str, ...]:
    at = datetime.fromtimestamp(step["at"], tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    name = step["kind"].replace("_", " ")
    if "n" not in step:
        return at, name, step.get("reason", ""), "", "", "", ""
    shown = (f"{step[key]:+.4f}" for key in ("difference", "low", "high"))
    return at, name, step["stage"], str(step["n"]), *shown
