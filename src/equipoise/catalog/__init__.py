"""What can be recommended: items, their readers, an immutable versioned snapshot and its history."""

from equipoise.catalog.columns import Columns
from equipoise.catalog.guessing import Guess, guess
from equipoise.catalog.items import Attribute, Item
from equipoise.catalog.kinds import Kind
from equipoise.catalog.loading import Loaded, load
from equipoise.catalog.readers import read
from equipoise.catalog.rows import BadRow
from equipoise.catalog.snapshot import Snapshot
from equipoise.catalog.store import CatalogStore, Change

__all__ = [
    "Attribute",
    "BadRow",
    "CatalogStore",
    "Change",
    "Columns",
    "Guess",
    "Item",
    "Kind",
    "Loaded",
    "Snapshot",
    "guess",
    "load",
    "read",
]
