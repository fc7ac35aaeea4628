"""`equipoise promote`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json
from equipoise.core import InputError


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
            show(found)


def show(found: dict[str, Any]) -> None:
    """Who serves, where the promotion stands, then the steps so far; nothing is wider than 80 columns."""
    print(f"serving: {found['serving']}, {found['policy']}")
    promotion = found["promotion"]
    for line in lines(promotion):
        print(line)
    if promotion is None:
        return
    _steps(promotion["steps"])
    for step in promotion["steps"]:
        if "reason" in step:
            print(step["reason"])


def lines(promotion: dict[str, Any] | None) -> tuple[str, ...]:
    """Where a promotion stands: which two policies, and of a running one what its stage has seen."""
    if promotion is None:
        return ("none so far",)
    head = (
        f"{promotion['state'].replace('_', ' ')}: {promotion['challenger']} against {promotion['incumbent']}"
    )
    now = promotion["now"]
    if now is None:
        return (head,)
    span = f"{now['low']:+.4f} to {now['high']:+.4f}"
    return (
        head,
        f"{promotion['stage']}: {now['difference']:+.4f} a slot ({span}) after {now['n']:,} decisions",
        f"the next step comes when the low is above {promotion['margin']:+g}, the end when the high is below it",
    )


def sentence(promotion: dict[str, Any] | None) -> str:
    """The same in one line."""
    return "; ".join(lines(promotion))


def _steps(steps: Sequence[dict[str, Any]]) -> None:
    table = Table(
        title="steps", title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0, pad_edge=False
    )
    for name in ("at", "step", "share"):
        table.add_column(name, no_wrap=True)
    for name in ("decisions", "difference", "low", "high"):
        table.add_column(name, justify="right", no_wrap=True)
    for step in steps:
        table.add_row(*map(Text, _row(step)))
    Console().print(table)


def _row(step: dict[str, Any]) -> tuple[str, ...]:
    at = datetime.fromtimestamp(step["at"], tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    if "n" not in step:
        return at, _name(step), "", "", "", "", ""
    shown = (f"{step[key]:+.4f}" for key in ("difference", "low", "high"))
    return at, _name(step), step["stage"].removesuffix(" of the traffic"), f"{step['n']:,}", *shown


def _name(step: dict[str, Any]) -> str:
    return str(step["kind"]).replace("_", " ")
