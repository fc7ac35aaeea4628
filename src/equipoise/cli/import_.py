"""`equipoise import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json


def run(
    catalog: Annotated[Path, Parameter(help="CSV, TSV, JSONL or Parquet with the columns of [catalog].")],
    /,
    *,
    replace: Annotated[bool, Parameter(negative="", help="Remove what the file does not have.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Add or update items from a file; rows that cannot be used are set aside and counted.

    Example: equipoise import new-items.csv
    """
    with opened(config) as engine:
        done = engine.import_file(catalog, replace=replace)
    if json:
        print_json(done)
        return
    print(
        f"catalog version {done.version}: {done.added} added, {done.changed} changed, {done.unchanged} unchanged,"
    )
    print(
        f"{done.removed} removed, {done.bad} bad rows set aside" + (f" in {done.rejects}" if done.bad else "")
    )
