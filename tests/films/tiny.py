"""Films and ratings small enough to follow by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from equipoise.core import Floats
from equipoise.lab.films import FilmData, FilmsWorld, Visit
from equipoise.lab.films.data import film

Rating = tuple[int, int, float, float]
"""user, film row, stars, at"""


def data_of(n: int, ratings: Sequence[Rating]) -> FilmData:
    """n films with ids "0", "1", ..., and the ratings."""
    columns = np.array(ratings, dtype=np.float64).reshape(-1, 4)
    items = tuple(
        film(str(j), f"Film {j}", "Drama" if j % 2 else "Comedy|War", 1950 + j % 50) for j in range(n)
    )
    users, films = columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64)
    return FilmData(items, users, films, columns[:, 2], columns[:, 3])


def world_of(n: int, ratings: Sequence[Rating]) -> FilmsWorld:
    return FilmsWorld.of(data_of(n, ratings))


def watching(
    user: int, count: int, *, first: int = 0, start: float = 0.0, liked: Iterable[int] = ()
) -> list[Rating]:
    """`count` ratings of films first, first + 1, ..., a second apart; those in `liked` get 5 stars, the others 2."""
    good = set(liked)
    return [(user, first + j, 5.0 if first + j in good else 2.0, start + j) for j in range(count)]


def visit(
    films: Sequence[int], liked: Sequence[float], *, user: int = 1, at: float = 0.0, first: bool = True
) -> Visit:
    marks: Floats = np.array(liked, dtype=np.float64)
    return Visit(at, user, np.array(films, dtype=np.int64), marks, first)


def write(folder: Path, movies: str | bytes, ratings: str | bytes) -> Path:
    for name, text in (("movies.csv", movies), ("ratings.csv", ratings)):
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder
