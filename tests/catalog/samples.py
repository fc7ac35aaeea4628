"""Items of every shape, for the properties, and files of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from equipoise.catalog import Item

WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(WORDS, NUMBERS, st.booleans(), st.lists(WORDS, min_size=1, max_size=3).map(tuple))


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Any item, with every kind of attribute."""
    return Item(
        draw(WORDS.filter(lambda word: "\x00" not in word)),
        text=draw(st.text(st.characters(exclude_categories=("Cs",)), max_size=30)),
        attributes=draw(st.dictionaries(WORDS, VALUES, max_size=4)),
        published_at=draw(st.none() | NUMBERS),
    )


def write(path: Path, text: str) -> Path:
    """A UTF-8 file with exactly these characters."""
    path.write_bytes(text.encode())
    return path


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path
