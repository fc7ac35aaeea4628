"""`equipoise status`."""

from __future__ import annotations

from equipoise.cli.promote import sentence
from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json, print_table


def run(*, config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """What is being served, what has been decided, and what has been learned.

    Example: equipoise status --json
    """
    with opened(config) as engine:
        status = engine.status()
    if json:
        print_json(status)
    else:
        status["promotion"] = sentence(status["promotion"])
        print_table("status", ("what", "value"), [(name, _told(value)) for name, value in status.items()])


def _told(value: object) -> str:
    """Lists and tables in words; numbers as people write them."""
    if isinstance(value, dict):
        return ", ".join(f"{_told(count)} {name}" for name, count in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
