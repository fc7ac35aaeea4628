"""What the first rows of a file show of each column: the facts that a guess rests on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.catalog.dates import is_date
from equipoise.catalog.kinds import Kind, is_missing, kind_of
from equipoise.catalog.rows import Row

LINK = re.compile(r"(https?:)?//\S+|www\.\S+|data:\S+|\S+\.(jpe?g|png|gif|webp|svg|avif)", re.IGNORECASE)

MARKS = {"|": 0.05, ";": 0.2, ",": 0.5}
"""The least share of values that must hold a separator: a comma is at home in sentences too."""

ENTRY_CHARACTERS = 40

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Profile:
    """One column of r rows.

    filled: values that are there. distinct: different ones among them. kind: what most are.
    dated, linked: all values are dates written as such; links or image files.
    length: mean number of characters. sentences: share of the values with a blank in them.
    mark: what separates the entries of a list, None if it is none.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    kind: Kind
    dated: bool
    linked: bool
    length: float
    sentences: float
    mark: str | None

    @property
    def names_rows(self) -> bool:
        """Every row has a value of its own."""
        return self.filled == self.rows == self.distinct

    @property
    def words(self) -> tuple[str, ...]:
        """The column's name in small words: `movieId` is movie, id."""
        return tuple(word.lower() for word in _WORDS.findall(self.name))


def profile(name: str, rows: Sequence[Row], *, typed: bool) -> Profile:
    """Look at one column."""
    values = [value for row in rows if not is_missing(value := row.values.get(name))]
    texts = [str(value).strip() for value in values]
    kind = kind_of(values, typed=typed)
    written = bool(texts) and kind == "text"
    return Profile(
        name=name,
        rows=len(rows),
        filled=len(values),
        distinct=len(set(texts)),
        kind=kind,
        dated=bool(texts) and kind in ("text", "number") and all(map(is_date, texts)),
        linked=written and all(LINK.fullmatch(text) for text in texts),
        length=sum(map(len, texts)) / max(1, len(texts)),
        sentences=sum(" " in text for text in texts) / max(1, len(texts)),
        mark=_mark(texts) if written else None,
    )


def _mark(texts: Sequence[str]) -> str | None:
    """The separator that cuts enough of the values into short entries; all but a bar must give few, recurring ones."""
    for mark, share in MARKS.items():
        cut = [text for text in texts if mark in text.strip(mark)]
        if cut and len(cut) >= share * len(texts) and _recurring(texts, mark):
            return mark
    return None


def _recurring(texts: Sequence[str], mark: str) -> bool:
    entries = Counter(entry.strip() for text in texts for entry in text.split(mark) if entry.strip())
    if any(len(entry) > ENTRY_CHARACTERS for entry in entries):
        return False
    again = sum(count for count in entries.values() if count > 1)
    return mark == "|" or (len(entries) < len(texts) and 2 * again > entries.total())
