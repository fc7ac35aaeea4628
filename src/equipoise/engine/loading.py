"""From the settings' catalogue table to items: columns named or guessed, bad rows set aside beside the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from equipoise.catalog import Columns, Item, Loaded, Snapshot, guess, load
from equipoise.catalog.kinds import Kind
from equipoise.core import CatalogError
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


def loaded_of(settings: Settings, items: Iterable[Item] | None) -> Loaded | None:
    """The items given by code, or those of the catalogue file, or None where there is neither."""
    if items is not None:
        return Loaded(tuple(items), (), 0)
    return None if settings.catalog.path is None else load_catalog(settings)


def load_catalog(settings: Settings, path: Path | None = None, *, like: Snapshot | None = None) -> Loaded:
    """Read a catalogue file, that of the settings if None.

    like: the items that it adds to; their attributes say what kind of value a column holds.
    Raises: CatalogError: it cannot be read at all, or has no row that can be used: then the old items stay.
    """
    file = settings.at(settings.catalog.path or "") if path is None else path
    columns = columns_of(settings, file)
    if like is not None:
        columns = replace(columns, kinds={**kinds_of(like, columns), **columns.kinds})
    loaded = load(file, columns, rejects=rejects_path(settings, path))
    if not loaded.items:
        why = f": line {loaded.bad[0].line} has {loaded.bad[0].reason}" if loaded.bad else ""
        raise CatalogError(f"'{file}' has no row that can be used of {loaded.bad_count:,}{why}")
    return loaded


def columns_of(settings: Settings, path: Path) -> Columns:
    """The columns as named in [catalog]; where item_id is not named, as guessed from the catalogue's own file."""
    table = settings.catalog
    if table.item_id is None:
        return guess(path if table.path is None else settings.at(table.path)).columns
    return Columns(
        item_id=table.item_id,
        text=table.text,
        attributes=table.attributes,
        published_at=table.published_at,
        lists=table.lists,
        kinds=table.kinds,
    )


def kinds_of(snapshot: Snapshot, columns: Columns) -> dict[str, Kind]:
    """What kind of value each attribute holds: a file of three rows says less of that than the catalogue."""
    types: dict[str, set[type]] = {}
    for item in snapshot:
        for name, value in item.attributes.items():
            types.setdefault(name, set()).add(type(value))
    known: dict[frozenset[type], Kind] = {
        frozenset({float}): "number",
        frozenset({bool}): "yes_no",
        frozenset({str}): "text",
    }
    held = {name: known.get(frozenset(types.get(name, ()))) for name in columns.attributes or ()}
    return {name: kind for name, kind in held.items() if kind is not None and name not in columns.lists}


def rejects_path(settings: Settings, file: Path | None = None) -> Path | None:
    """Where bad rows are kept: beside the journal, those of an imported `file` apart from the catalogue's own."""
    if settings.in_memory:
        return None
    path = settings.at(settings.journal.path)
    whose = "" if file is None else f".{file.stem}"
    return path.with_name(f"{path.stem}{whose}.rejects.jsonl")
