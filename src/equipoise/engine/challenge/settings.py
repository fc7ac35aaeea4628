"""A challenger's TOML: the incumbent's configuration with some tables of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from equipoise.core import ConfigurationError
from equipoise.engine.settings import Settings
from equipoise.engine.toml import CHALLENGER, parsed, settings_from

OWN = ("policy", "pairing", "statistics", "encoder", "retrieval")
"""The tables in which a challenger may differ. Catalogue, journal, rewards and seed are the experiment itself."""


def challenger_settings(path: str | Path, incumbent: Settings, *, itself: bool = True) -> Settings:
    """The incumbent's settings with the tables of `OWN` that the TOML at `path` names.

    A table that is named counts whole: a key that it leaves out stands at its default, not at the incumbent's value.
    The environment's variables, which the incumbent's settings already hold, do not touch these tables.
    itself: whether a file without any table, which is the incumbent itself, will do.
    Raises: ConfigurationError: broken TOML, an unknown key, or another value in a table that both must share.
    """
    file = Path(path)
    tables = parsed(file, kind=CHALLENGER)
    if not tables and not itself:
        raise ConfigurationError(
            f"'{file}' has no table in it, so it would be the incumbent itself: it may be half-written; write the tables "
            f"in which the challenger differs, of {', '.join(OWN)}"
        )
    return challenger_tables(tables, incumbent, where=str(file))


def challenger_tables(
    tables: Mapping[str, Any], incumbent: Settings, *, where: str = "the challenger"
) -> Settings:
    """The same from a mapping of the TOML's shape."""
    own = settings_from(tables, folder=incumbent.folder, where=where)
    for name in tables:
        if name not in OWN and getattr(own, name) != getattr(incumbent, name):
            raise ConfigurationError(
                f"{where}: '{name}' is not the incumbent's, but a challenger shares it: leave it out, or write what "
                f"the incumbent has (a challenger may differ in {', '.join(OWN)})"
            )
    return msgspec.structs.replace(incumbent, **{name: getattr(own, name) for name in OWN if name in tables})
