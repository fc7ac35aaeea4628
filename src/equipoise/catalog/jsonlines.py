"""Rows of a JSONL file (one object a line), and of a plain list of names (one a line)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from equipoise.catalog.rows import BadRow, Row, Table, set_aside
from equipoise.catalog.textfile import is_utf8, lines, require_text

NAME = "name"
"""The one column of a plain list."""


def open_json_lines(path: Path) -> Table:
    """A table whose rows name their own columns. Raises: CatalogError: no text file."""
    require_text(path)
    return Table(None, True, _objects(path))


def open_names(path: Path) -> Table:
    """A table of one column, `name`. Raises: CatalogError: no text file."""
    require_text(path)
    return Table((NAME,), False, _names(path))


def _objects(path: Path) -> Iterator[Row | BadRow]:
    for line, raw in enumerate(lines(path), start=1):
        if raw.strip():
            yield _object(line, raw)


def _object(line: int, raw: str) -> Row | BadRow:
    if not is_utf8(raw):
        return _not_utf8(line, raw)
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return set_aside(line, f"not JSON: {error}", raw)
    if not isinstance(values, dict):
        return set_aside(line, f"a JSON {type(values).__name__} where an object was expected", raw)
    return Row(line, values, raw)


def _names(path: Path) -> Iterator[Row | BadRow]:
    for line, raw in enumerate(lines(path), start=1):
        if name := raw.strip():
            yield Row(line, {NAME: name}, raw) if is_utf8(raw) else _not_utf8(line, raw)


def _not_utf8(line: int, raw: str) -> BadRow:
    return set_aside(line, "bytes that are not UTF-8: save the file as UTF-8", raw)
