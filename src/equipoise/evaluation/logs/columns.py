"""Which of somebody's columns is what."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from equipoise.core import ConfigurationError, InputError


@dataclass(frozen=True, slots=True)
class LogColumns:
    """Names of a log's columns; None where it has none.

    reward: what a shown slot earned, a number. propensity: the probability with which the shown item was drawn,
    given the slots above it. decision_id: equal in the rows of one slate; without it every row is a decision.
    slot: place in the slate; the least number in the file is the top. at: when, as ISO 8601 or seconds since
    1970. item_id: what was shown. user_id: to whom. logger: which policy chose. attributes: facts of the moment,
    to group by and for a policy to learn from. target_probability: policy to the column with its probability of
    the shown item, given the slots above it. logger_probability: each logger of the log to the column with what it would
    have given to the shown item, whoever chose it.
    """

    reward: str
    propensity: str | None = None
    decision_id: str | None = None
    slot: str | None = None
    at: str | None = None
    item_id: str | None = None
    user_id: str | None = None
    logger: str | None = None
    attributes: tuple[str, ...] = ()
    target_probability: Mapping[str, str] = field(default_factory=dict, hash=False)
    logger_probability: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is named in some role, each once."""
        single = (getattr(self, role) for role in ROLES if role not in _MANY)
        tables = (*self.target_probability.values(), *self.logger_probability.values())
        every = (*single, *self.attributes, *tables)
        return tuple(dict.fromkeys(name for name in every if name is not None))

    def role_of(self, column: str) -> str:
        """What the column is used for, in the words of the columns file."""
        for role in ("target_probability", "logger_probability"):
            if column in getattr(self, role).values():
                return role
        return next((role for role in ROLES if getattr(self, role) == column), "attributes")


ROLES = tuple(entry.name for entry in fields(LogColumns))


def read_columns(path: Path | str) -> LogColumns:
    """The columns file: TOML, one key a role, at its top or in a table `[columns]`.

    Raises: ConfigurationError: not there, not TOML, or see `columns_from`.
    """
    path = Path(path)
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no columns file '{path}': write one, or check the path"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ConfigurationError(f"'{path}' is not TOML ({error}): correct it") from error
    return columns_from(told.get("columns", told), where=f"'{path}'")


def columns_from(told: Mapping[str, Any], *, where: str = "the columns") -> LogColumns:
    """The same from a mapping.

    Raises: ConfigurationError: a misspelt key, something that is no name of a column, or no reward.
    """
    for key in told:
        if key not in ROLES:
            raise ConfigurationError(
                f"{where} has the key {key!r}: expected one of {', '.join(ROLES)}{near(key, ROLES)}"
            )
    if "reward" not in told:
        raise ConfigurationError(f'{where} names no reward: write reward = "the column with what was earned"')
    taken = {key: _column(key, value, where) for key, value in told.items() if key not in _MANY}
    return LogColumns(
        **taken,
        attributes=_names(told.get("attributes", ()), where),
        target_probability=_by_policy("target_probability", told.get("target_probability", {}), where),
        logger_probability=_by_policy("logger_probability", told.get("logger_probability", {}), where),
    )


_MANY = ("attributes", "target_probability", "logger_probability")


def _column(key: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{where} has {key} = {value!r}: expected the name of a column, in quotes")
    return value


def _names(value: Any, where: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)):
        raise ConfigurationError(
            f'{where} has attributes = {value!r}: expected a list of columns, ["country"]'
        )
    return tuple(_column("attributes", entry, where) for entry in listed)


def _by_policy(role: str, value: Any, where: str) -> dict[str, str]:
    """A column, a list of columns (each the name of its policy too), or a table of policy to column."""
    if isinstance(value, Mapping):
        return {str(name): _column(role, column, where) for name, column in value.items()}
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)):
        raise ConfigurationError(f"{where} has {role} = {value!r}: expected a column, or several")
    return {_column(role, column, where): column for column in listed}


def require_columns(columns: LogColumns, header: Sequence[str], *, where: str) -> None:
    """Raises: InputError: the file lacks a column that is named, or has it twice."""
    for name in columns.named:
        if name not in header:
            known = ", ".join(repr(column) for column in header if column)
            raise InputError(
                f"{where} has no column {name!r}, which the columns file takes for {columns.role_of(name)}: "
                f"its columns are {known}{near(name, header)}"
            )
        if list(header).count(name) > 1:
            raise InputError(f"{where} has several columns called {name!r}: rename all but one of them")


def near(name: str, known: Iterable[str]) -> str:
    """A question naming the nearest of the known names, or nothing where none is near."""
    lowered = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean {lowered[found[0]]!r}?" if found else ""
