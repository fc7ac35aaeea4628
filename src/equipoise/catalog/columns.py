"""Which column of a file is what."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from equipoise.catalog.kinds import KINDS, Kind
from equipoise.core import CatalogError, InputError


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a catalogue file.

    item_id: what names an item. text: joined by a line break, in this order; may be empty.
    attributes: None takes all the others. published_at: dates, see `dates.seconds_of`.
    lists: attribute to the separator of its values, such as `{"genres": "|"}`.
    kinds: attribute to `number`, `yes_no`, `text` or `list` where it should not be inferred: postcodes are
        `text` though they look like numbers.
    Raises: InputError: an unknown kind, or an empty separator.
    """

    item_id: str
    text: tuple[str, ...] = ()
    attributes: tuple[str, ...] | None = None
    published_at: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict, hash=False)
    kinds: Mapping[str, Kind] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, kind in self.kinds.items():
            if kind not in KINDS or kind == "object":
                raise InputError(
                    f"column {name!r} is declared as {kind!r}: expected one of {', '.join(KINDS[:-1])}"
                )
        for name, separator in self.lists.items():
            if not separator:
                raise InputError(f"the list {name!r} has the separator '': write the text between its values")

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is named in some role, each once."""
        dated = () if self.published_at is None else (self.published_at,)
        roles = (self.item_id, *self.text, *dated, *(self.attributes or ()), *self.lists, *self.kinds)
        return tuple(dict.fromkeys(roles))


def resolved(columns: Columns, header: Sequence[str], *, where: str) -> Columns:
    """The columns with every attribute named.

    Raises: CatalogError: the header lacks a named column, or has one of them twice.
    """
    for name in columns.named:
        if name not in header:
            raise CatalogError(_unknown(name, header, where))
    if columns.attributes is None:
        taken = {columns.item_id, columns.published_at, *columns.text, ""}
        others = tuple(dict.fromkeys(name for name in header if name not in taken))
        columns = replace(columns, attributes=others)
    _require_single(columns.named, header, where)
    return columns


def _unknown(name: str, header: Sequence[str], where: str) -> str:
    known = ", ".join(repr(column) for column in header if column)
    return f"{where} has no column {name!r}: its columns are {known}{did_you_mean(name, header)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question naming the nearest of the known names, or nothing where none is near."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean {lowered[near[0]]!r}?" if near else ""


def _require_single(names: Iterable[str], header: Sequence[str], where: str) -> None:
    counts = Counter(header)
    for name in names:
        if counts[name] > 1:
            raise CatalogError(
                f"{where} has {counts[name]} columns called {name!r}: rename all but one of them"
            )
