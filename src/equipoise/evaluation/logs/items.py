"""The items that there are, from a plain list."""

from __future__ import annotations

from pathlib import Path

from equipoise.core import InputError


def read_items(path: Path) -> frozenset[str]:
    """One item_id a line. Raises: InputError: no such file, not UTF-8, or empty."""
    try:
        found = frozenset(filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' is no list of items ({error}): expected one id a line") from error
    if not found:
        raise InputError(f"'{path}' has no item in it: expected one id a line")
    return found
