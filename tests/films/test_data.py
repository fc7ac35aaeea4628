"""MovieLens folders, good and bad, and the set of the package."""

from __future__ import annotations

import calendar
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import CatalogError
from equipoise.lab.films import films_from_folder, films_from_package
from equipoise.lab.films.data import film

from .tiny import write

MOVIES = (
    "movieId,title,genres\n"
    "1,Toy Story (1995),Adventure|Animation\n"
    '2,"American President, The (1995)",Drama\n'
    "3,Untitled,(no genres listed)\n"
)
RATINGS = "userId,movieId,rating,timestamp\n7,1,4.0,100\n7,2,3.5,50\n8,9,5.0,60\n8,3,0.5,70\n"


def test_a_folder_by_hand(tmp_path: Path) -> None:
    data = films_from_folder(write(tmp_path, MOVIES, RATINGS))
    assert [item.text for item in data.items] == [
        "Toy Story (1995). Adventure, Animation",
        "American President, The (1995). Drama",
        "Untitled",
    ]
    assert data.items[0].attributes["genres"] == ("Adventure", "Animation")
    assert "genres" not in data.items[2].attributes
    assert data.items[0].published_at == calendar.timegm((1995, 1, 1, 0, 0, 0))
    assert data.items[2].published_at is None
    assert data.users.tolist() == [7, 7, 8]  # the rating of film 9, which nobody knows, is left out
    assert data.films.tolist() == [0, 1, 2]
    assert data.stars.tolist() == [4.0, 3.5, 0.5]
    assert data.at.tolist() == [100.0, 50.0, 70.0]


def test_further_columns_any_order_and_a_byte_order_mark(tmp_path: Path) -> None:
    movies = "\ufeffgenres,x,movieId,title\nDrama,?,a1,Film (1999)\n"
    ratings = "\ufefftimestamp,rating,note,movieId,userId\n5,4,?,a1,3\n"
    data = films_from_folder(write(tmp_path, movies, ratings))
    assert (data.items[0].item_id, data.users.tolist(), data.at.tolist()) == ("a1", [3], [5.0])


def test_a_film_rated_twice_by_a_user_counts_once(tmp_path: Path) -> None:
    ratings = "userId,movieId,rating,timestamp\n7,1,4.0,100\n8,1,1.0,100\n7,1,2.0,200\n"
    data = films_from_folder(write(tmp_path, MOVIES, ratings))
    assert (data.users.tolist(), data.stars.tolist()) == ([7, 8], [4.0, 1.0])


def test_a_year_stands_once_in_the_text() -> None:
    assert film("1", "Heat (1995)", "Crime", 1995).text == "Heat (1995). Crime"
    assert film("1", "Heat", "Crime", 1995).text == "Heat (1995). Crime"
    assert film("1", "Heat", "", None).text == "Heat"


@pytest.mark.parametrize(
    ("movies", "ratings", "told"),
    [
        (MOVIES.replace("genres", "kinds", 1), RATINGS, "no column 'genres'"),
        (MOVIES, RATINGS.replace("rating,", "stars,", 1), "no column 'rating'"),
        ("", RATINGS, "no column 'movieId'"),
        (MOVIES + "4,Cut short\n", RATINGS, "line 5 is cut short"),
        (MOVIES + "1,Again (2000),War\n", RATINGS, "movieId '1' twice"),
        (MOVIES, RATINGS + "7,3,good,80\n", "line 6"),
        (MOVIES, RATINGS + "7,3,nan,80\n", "line 6"),
        (MOVIES, RATINGS + "7,3,4.0,inf\n", "line 6"),
        (MOVIES, RATINGS + "ann,3,4.0,80\n", "line 6"),
        (MOVIES, RATINGS + "7,3\n", "line 6 is cut short"),
        (MOVIES.encode() + b"4,Am\xe9lie (2001),Drama\n", RATINGS, "UTF-8"),
        (MOVIES, RATINGS.encode("utf-16"), "UTF-8"),
    ],
)
def test_a_folder_that_cannot_be_read(tmp_path: Path, movies: str, ratings: str, told: str) -> None:
    with pytest.raises(CatalogError) as caught:
        films_from_folder(write(tmp_path, movies, ratings))
    assert told in str(caught.value)


def test_no_folder_and_no_file(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(CatalogError, match=r"movies\.csv"):
            films_from_folder(folder)
    (tmp_path / "movies.csv").write_text(MOVIES)
    with pytest.raises(CatalogError, match=r"ratings\.csv"):
        films_from_folder(tmp_path)


def test_the_set_of_the_package() -> None:
    """100,004 ratings by 671 users of 9,066 films (GroupLens, ml-latest-small of 2016-10)."""
    data = films_from_package()
    assert (len(data.items), len(data.stars), len(np.unique(data.users))) == (9_066, 100_004, 671)
    assert len({item.item_id for item in data.items}) == 9_066
    assert set(np.unique(data.stars).tolist()) <= {half / 2.0 for half in range(1, 11)}
    toys = next(item for item in data.items if item.item_id == "1")
    assert toys.text.startswith("Toy Story (1995). Adventure, Animation")
