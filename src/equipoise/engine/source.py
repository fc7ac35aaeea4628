"""The catalogue's source between two openings: what it says anew is taken over, what was imported meanwhile stays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from equipoise.catalog import CatalogStore, Item
from equipoise.catalog.items import to_json
from equipoise.core import CatalogError, fingerprint

Told = Mapping[str, str]
"""Item_id to a fingerprint of what the source said of it."""


def follow(store: CatalogStore, items: Sequence[Item], record: Path | None) -> None:
    """Bring what the source says now into the store.

    An item is taken over where the source says something else of it than at the last opening, and taken out where the
    source named it then and no longer does. An empty store takes everything.
    record: the file that remembers what was said; None forgets it.
    Raises: CatalogError: the store or the record cannot be written.
    """
    told = {item.item_id: fingerprint(to_json(item)) for item in items}
    before = None if record is None or not len(store.snapshot) else _read(record)
    if before is None:
        store.replace(items)
    else:
        store.upsert(item for item in items if before.get(item.item_id) != told[item.item_id])
        store.remove(item_id for item_id in before if item_id not in told)
    if record is not None and told != before:
        _write(record, told)


def _read(record: Path) -> Told | None:
    """What was said at the last opening; None where nothing readable is kept."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _write(record: Path, told: Told) -> None:
    part = record.with_suffix(".part")
    try:
        part.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        part.replace(record)
    except OSError as error:
        raise CatalogError(
            f"'{record}' cannot be written ({error.strerror}): check the folder's permissions and space"
        ) from error
