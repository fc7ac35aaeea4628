"""`equipoise import`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json


def run(
    catalog: Annotated[
        Path,
        Parameter(
            help="CSV, TSV, JSONL or Parquet with the columns of [catalog]; '-' reads CSV or JSONL.",
            allow_leading_hyphen=True,
        ),
    ],
    /,
    *,
    replace: Annotated[bool, Parameter(negative="", help="Remove what the file does not have.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Add or update items from a file; rows that cannot be used are set aside and counted.

    Example: equipoise import new-items.csv
    """
    with opened(config) as engine, _file(catalog) as path:
        done = engine.import_file(path, replace=replace)
    if json:
        print_json(done)
        return
    print(
        f"catalog version {done.version}: {done.added} added, {done.changed} changed, {done.unchanged} unchanged,"
    )
    print(
        f"{done.removed} removed, {done.bad} bad rows set aside" + (f" in {done.rejects}" if done.bad else "")
    )


@contextmanager
def _file(catalog: Path) -> Iterator[Path]:
    """The file itself, or what stands on standard input as one; a line that begins with a brace makes it JSONL."""
    if str(catalog) != "-":
        yield catalog
        return
    told = sys.stdin.buffer.read()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("stdin.jsonl" if told.lstrip().startswith(b"{") else "stdin.csv")
        path.write_bytes(told)
        yield path
