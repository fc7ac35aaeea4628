"""A first guess of which column is what, said in words, for a person to correct."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from equipoise.catalog.columns import Columns
from equipoise.catalog.profile import Profile, profile
from equipoise.catalog.readers import keys_of, open_table
from equipoise.catalog.rows import BadRow, Row
from equipoise.core import CatalogError

SAMPLE_ROWS = 500

IDENTIFIERS = ("id", "sku", "asin", "isbn", "ean", "gtin", "upc", "uuid", "guid", "key", "slug", "code")
TITLES = ("title", "name", "headline", "label", "question")
PROSE = ("description", "summary", "text", "body", "content", "abstract", "overview", "plot", "answer")
BIRTHS = ("published", "publish", "release", "released", "created", "added", "launch", "launched")
LINKS = ("url", "uri", "link", "image", "img", "thumbnail", "picture", "photo", "poster")
PROSE_CHARACTERS = 40

KIND_WORDS = {"number": "numbers", "yes_no": "yes or no", "list": "a list"}


@dataclass(frozen=True, slots=True)
class Guess:
    """reasons: a sentence for each column, `role or name: what and why`."""

    columns: Columns
    reasons: tuple[str, ...]


def guess(path: Path | str) -> Guess:
    """Look at the first 500 rows.

    Raises: CatalogError: the file cannot be read, or has no usable row.
    """
    path = Path(path)
    table = open_table(path)
    first = list(islice(table.rows, SAMPLE_ROWS))
    rows = [row for row in first if isinstance(row, Row)]
    if not rows:
        why = next(
            (f", since line {row.line} has {row.reason}" for row in first if isinstance(row, BadRow)), ""
        )
        raise CatalogError(
            f"'{path}' has no usable row{why}: expected at least one item to guess its columns from"
        )
    names = tuple(dict.fromkeys(name for name in table.header or keys_of(rows) if name))
    return guessed([profile(name, rows, typed=table.typed) for name in names])


def guessed(profiles: Sequence[Profile]) -> Guess:
    """The guess for columns that look like this; there is at least one."""
    named = _identifier(profiles)
    reasons = [f"item_id: column '{named.name}', {_uniqueness(named)}"]
    rest = [column for column in profiles if column is not named]
    rest, published = _without_births(rest, reasons)
    rest = [column for column in rest if not _left_out(column, reasons)]
    texts = _texts(rest, named, reasons)
    attributes = [column for column in rest if column not in texts]
    lists = {column.name: column.mark for column in attributes if column.mark is not None}
    reasons += map(_attribute_reason, attributes)
    columns = Columns(
        item_id=named.name,
        text=tuple(column.name for column in texts),
        attributes=tuple(column.name for column in attributes),
        published_at=published,
        lists=lists,
    )
    return Guess(columns, tuple(reasons))


def _identifier(profiles: Sequence[Profile]) -> Profile:
    """An identifier by its name, or else the first column that names rows, or else the least repeating one."""
    return max(profiles, key=lambda column: (_id_score(column), column.distinct / max(1, column.filled)))


def _id_score(column: Profile) -> float:
    by_name = bool(column.words) and column.words[-1] in IDENTIFIERS
    mostly = column.filled >= 0.5 * column.rows and column.distinct >= 0.5 * column.filled
    if by_name and mostly:
        return 4.0 if column.names_rows else 3.0
    plausible = column.names_rows and column.kind in ("text", "number") and column.length <= PROSE_CHARACTERS
    if plausible and not column.dated and not column.linked and column.mark is None:
        return 2.0 if column.kind == "text" else 1.0
    return 0.0


def _uniqueness(column: Profile) -> str:
    if column.names_rows:
        return "all values distinct"
    missing, again = column.rows - column.filled, column.filled - column.distinct
    return f"though {missing} of {column.rows} rows have none and {again} repeat one: those are set aside"


def _without_births(rest: list[Profile], reasons: list[str]) -> tuple[list[Profile], str | None]:
    """Dates describe no item: the one that looks like its birth is kept, others are left out."""
    dated = [column for column in rest if column.dated]
    if not dated:
        return rest, None
    chosen = max(dated, key=lambda column: bool(set(column.words) & set(BIRTHS)))
    reasons.append(f"published_at: column '{chosen.name}', dates")
    reasons += [f"{column.name}: left out, a second date" for column in dated if column is not chosen]
    return [column for column in rest if not column.dated], chosen.name


LEFT_OUT: tuple[tuple[str, Callable[[Profile], bool]], ...] = (
    ("empty in the rows looked at", lambda column: not column.filled),
    ("links or images", lambda column: column.linked or _ends_in(column, LINKS)),
    ("nested data", lambda column: column.kind == "object"),
    ("another identifier", lambda column: _ends_in(column, IDENTIFIERS) and _nearly_distinct(column)),
)
"""Why a column says nothing of what is like what."""


def _left_out(column: Profile, reasons: list[str]) -> bool:
    why = next((why for why, applies in LEFT_OUT if applies(column)), None)
    if why is not None:
        reasons.append(f"{column.name}: left out, {why}")
    return why is not None


def _ends_in(column: Profile, words: Sequence[str]) -> bool:
    return bool(column.words) and column.words[-1] in words


def _nearly_distinct(column: Profile) -> bool:
    return column.distinct >= 0.95 * column.filled


def _texts(rest: Sequence[Profile], named: Profile, reasons: list[str]) -> list[Profile]:
    """Titles, then prose; the item_id itself where there is neither and it is made of words."""
    found = sorted((column for column in rest if _text_reason(column)), key=_text_rank)
    reasons += [f"text: column '{column.name}', {_text_reason(column)}" for column in found]
    if not found and (_is_words(named) or not rest):
        reasons.append(f"text: column '{named.name}' again, as there is no other text")
        return [named]
    if not found:
        reasons.append("text: none found, items are known by their attributes")
    return found


def _text_reason(column: Profile) -> str:
    """Why a column is text; empty if it is not."""
    if column.kind != "text" or column.mark is not None:
        return ""
    if set(column.words) & {*TITLES, *PROSE} and (column.distinct > 1 or column.rows == 1):
        return "by its name"
    long = column.length >= PROSE_CHARACTERS and column.sentences >= 0.5
    return (
        f"{column.length:.0f} characters on average" if long and 2 * column.distinct > column.filled else ""
    )


def _text_rank(column: Profile) -> int:
    return 0 if set(column.words) & set(TITLES) else 1


def _is_words(column: Profile) -> bool:
    return column.kind == "text" and (column.sentences > 0 or bool(set(column.words) & set(TITLES)))


def _attribute_reason(column: Profile) -> str:
    if column.mark is not None:
        return f"{column.name}: a list separated by '{column.mark}'"
    if column.kind == "text":
        return f"{column.name}: {column.distinct} different values"
    return f"{column.name}: {KIND_WORDS[column.kind]}"
