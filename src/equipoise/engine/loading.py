"""From the settings' catalogue table to items: columns named or guessed, bad rows set aside beside the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from equipoise.catalog import Columns, Item, Loaded, guess, load
from equipoise.engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file changed. bad: rows that could not be used, kept in the file `rejects` with line and reason."""

    version: int
    added: int
    changed: int
    unchanged: int
    removed: int
    bad: int
    rejects: str | None


def items_of(settings: Settings, items: Iterable[Item] | None) -> tuple[Item, ...] | None:
    """The items given by code, or those of the catalogue file, or None where there is neither."""
    if items is not None:
        return tuple(items)
    if settings.catalog.path is None:
        return None
    return load_catalog(settings).items


def load_catalog(settings: Settings, path: Path | None = None) -> Loaded:
    """Read a catalogue file, that of the settings if None. Raises: CatalogError: it cannot be read at all."""
    path = settings.at(settings.catalog.path or "") if path is None else path
    return load(path, columns_of(settings, path), rejects=rejects_path(settings))


def columns_of(settings: Settings, path: Path) -> Columns:
    """The columns as named in [catalog]; guessed where item_id is not named."""
    table = settings.catalog
    if table.item_id is None:
        return guess(path).columns
    return Columns(
        item_id=table.item_id,
        text=table.text,
        attributes=table.attributes,
        published_at=table.published_at,
        lists=table.lists,
    )


def rejects_path(settings: Settings) -> Path | None:
    """Where bad rows are kept: beside the journal."""
    if settings.in_memory:
        return None
    path = settings.at(settings.journal.path)
    return path.with_name(path.stem + ".rejects.jsonl")
