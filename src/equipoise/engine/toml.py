"""A TOML file and the environment to `Settings`, with errors that say which key, what it was and what it could be."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from equipoise.core import ConfigurationError
from equipoise.engine.settings import Settings

PREFIX = "EQUIPOISE_"
FREE = {"reward", "catalog.lists", "catalog.kinds", "policy.settings"}
"""Tables whose keys are the user's own, or are checked by the part that they belong to."""


def load_settings(path: str | Path, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Read `path`; a variable EQUIPOISE_TABLE__KEY, such as EQUIPOISE_JOURNAL__PATH, wins over the file.

    Raises: ConfigurationError: no such file, broken TOML, an unknown key, a value of the wrong type or range.
    """
    file = Path(path)
    table = parsed(file)
    _overlay(table, os.environ if environment is None else environment)
    return settings_from(table, folder=str(file.parent), where=str(file))


def settings_from(table: Mapping[str, Any], *, folder: str = ".", where: str = "the settings") -> Settings:
    """A mapping of the TOML's shape to `Settings`. Raises: ConfigurationError."""
    for key, known in _unknown(table, Settings, ""):
        raise ConfigurationError(f"{where}: unknown key '{key}'{nearest(key.rpartition('.')[2], known)}")
    try:
        return msgspec.convert({**table, "folder": folder}, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{where}: {_readable(str(error))}") from error


def nearest(word: str, known: list[str]) -> str:
    """`: did you mean 'policy'?`, or the list of what is known."""
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean '{close[0]}'?" if close else f": known here are {', '.join(sorted(known))}"


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What a file is to be. absent: the sentence for one that is not there. anew: where a whole one comes from."""

    absent: str
    anew: str


CONFIGURATION = Kind(
    "no configuration at '{file}': make one with 'equipoise init CATALOG', or name one with --config",
    "run 'equipoise init' anew",
)
CHALLENGER = Kind(
    "no challenger at '{file}': write a TOML with the tables in which it differs, or let 'equipoise train' write one",
    "write it anew",
)


def parsed(file: Path, *, kind: Kind = CONFIGURATION) -> dict[str, Any]:
    """The file's tables as they are. Raises: ConfigurationError: no such file, or no whole TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(kind.absent.format(file=file)) from None
    except (IsADirectoryError, PermissionError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"'{file}' cannot be read ({error}): it must be a TOML file in UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"'{file}' is not whole TOML ({error}): it may be half-written; mend that place, or {kind.anew}"
        ) from error


def _unknown(table: Mapping[str, Any], kind: Any, prefix: str) -> Iterator[tuple[str, list[str]]]:
    """Every key that no struct knows, with those that it does know at that place."""
    fields = {name: hint for name, hint in _fields(kind).items() if name != "folder"}
    for key, value in table.items():
        path = prefix + key
        if key not in fields:
            yield path, list(fields)
        elif isinstance(value, Mapping) and path not in FREE:
            yield from _unknown(value, fields[key], path + ".")


def _fields(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind)):
        return get_type_hints(kind)
    return {}


def _overlay(table: dict[str, Any], environment: Mapping[str, str]) -> None:
    for variable, text in environment.items():
        if variable.startswith(PREFIX) and ("__" in variable or variable == PREFIX + "SEED"):
            *path, key = variable.removeprefix(PREFIX).lower().split("__")
            place: Any = table
            for step in path:
                place = place.setdefault(step, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise ConfigurationError(
                    f"{variable} names a key of '{'.'.join(path)}', which is no table: correct one"
                )
            place[key] = _value(text)


def _value(text: str) -> Any:
    """`3`, `true` and `["a"]` as TOML reads them; anything else is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _readable(message: str) -> str:
    """msgspec's `... - at `$.policy.floor`` as `policy.floor: ...`."""
    what, _, place = message.partition(" - at `$.")
    return f"{place.rstrip('`')}: {what}" if place else what
