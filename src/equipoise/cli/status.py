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
        print_table("status", ("what", "value"), [(name, str(value)) for name, value in status.items()])
