"""`equipoise replay`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json


def run(
    *,
    rebuild: Annotated[
        bool,
        Parameter(negative="", help="Learn the journal again in a new feature space and keep the result."),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Rebuild the policy from the journal and compare it with what is in use, bit for bit.

    Example: equipoise replay
    """
    with opened(config, rebuild=rebuild) as engine:
        replayed = engine.replay(keep=rebuild)
    if json:
        print_json(replayed)
    else:
        print(f"{replayed.decisions} settled decisions replayed in {replayed.seconds:.2f} s")
        print(f"identical {'true' if replayed.identical else 'false'}")
    return 0 if replayed.identical or rebuild else 1
