"""`equipoise init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, print_json
from equipoise.engine import write_config


def run(
    catalog: Annotated[Path, Parameter(help="The catalogue: CSV, TSV, JSONL, Parquet, or a .txt of names.")],
    /,
    *,
    force: Annotated[
        bool, Parameter(negative="", help="Replace a configuration that is already there.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Write a commented configuration for a catalogue, guessing what its columns are and saying so.

    Example: equipoise init items.csv
    """
    written = write_config(catalog, config, force=force)
    if json:
        print_json({"config": str(config), "guesses": written.reasons})
        return
    for reason in written.reasons:
        print(f"  {reason}")
    print(f'wrote {config}: read it, change what is wrong, then try: equipoise recommend --text "..."')
