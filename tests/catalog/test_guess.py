"""What is guessed of the catalogues that people have, and how it is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from equipoise.catalog import Columns, Guess, Item, guess, read
from equipoise.core import CatalogError

from .samples import write, write_csv

SHOP_HEADER = (
    "sku",
    "name",
    "description",
    "category",
    "price",
    "in_stock",
    "created_at",
    "image",
    "updated_at",
)


def shop(tmp_path: Path, rows: int = 30) -> Path:
    lines = [
        (
            f"A-{n:03}",
            f"Shoe number {n}",
            f"A light shoe for wet trails, made in lot {n} of this year's series",
            ("shoes", "boots")[n % 2],
            f"{20 + n / 2:.2f}",
            ("true", "false")[n % 2],
            f"2024-01-{n % 28 + 1:02}T08:00:00Z",
            f"https://shop.example/{n}.jpg",
            f"2024-03-{n % 28 + 1:02}",
        )
        for n in range(rows)
    ]
    return write_csv(tmp_path / "shop.csv", [SHOP_HEADER, *lines])


def test_a_shop(tmp_path: Path) -> None:
    found = guess(shop(tmp_path))
    assert found.columns == Columns(
        "sku",
        text=("name", "description"),
        attributes=("category", "price", "in_stock"),
        published_at="created_at",
    )
    assert found.reasons == (
        "item_id: column 'sku', all values distinct",
        "published_at: column 'created_at', dates",
        "updated_at: left out, a second date",
        "image: left out, links or images",
        "text: column 'name', by its name",
        "text: column 'description', by its name",
        "category: 2 different values",
        "price: numbers",
        "in_stock: yes or no",
    )


def test_films_with_a_list_of_genres(tmp_path: Path) -> None:
    rows = [
        ("movieId", "title", "genres"),
        (1, "Toy Story (1995)", "Animation|Comedy"),
        (2, "Heat (1995)", "Action"),
    ]
    found = guess(write_csv(tmp_path / "movies.csv", rows))
    assert found.columns == Columns("movieId", text=("title",), attributes=("genres",), lists={"genres": "|"})
    assert found.reasons[-1] == "genres: a list separated by '|'"


def test_the_guessed_columns_read_the_whole_file(tmp_path: Path) -> None:
    path = shop(tmp_path)
    items = list(read(path, guess(path).columns))
    assert len(items) == 30
    assert all(isinstance(item, Item) for item in items)


def test_numbers_without_text(tmp_path: Path) -> None:
    rows = [("wine_id", "acidity", "sugar"), *((n, n / 7, n % 3) for n in range(20))]
    found = guess(write_csv(tmp_path / "wines.csv", rows))
    assert found.columns == Columns("wine_id", attributes=("acidity", "sugar"))
    assert "text: none found, items are known by their attributes" in found.reasons


@pytest.mark.parametrize("column", ["name", "arm", "id", "whatever"])
def test_one_column_of_names(tmp_path: Path, column: str) -> None:
    path = write(tmp_path / "arms.csv", f"{column}\nred\nblue\ngreen\n")
    assert guess(path).columns == Columns(column, text=(column,), attributes=())
    assert next(read(path, guess(path).columns)) == Item("red", text="red")


def test_names_with_numbers_and_no_id(tmp_path: Path) -> None:
    rows = [("price", "name"), (3, "red cup"), (4, "blue cup"), (3, "green cup")]
    assert guess(write_csv(tmp_path / "i.csv", rows)).columns == Columns(
        "name", text=("name",), attributes=("price",)
    )


def test_json_lists_need_no_separator(tmp_path: Path) -> None:
    rows = [
        {"id": n, "title": f"film {n}", "tags": ["a", "b"], "extra": {"x": n}, "year": 1990 + n}
        for n in range(5)
    ]
    found = guess(write(tmp_path / "i.jsonl", "\n".join(map(json.dumps, rows))))
    assert found.columns == Columns("id", text=("title",), attributes=("tags", "year"))
    assert "extra: left out, nested data" in found.reasons
    assert "tags: a list" in found.reasons


def test_other_ids_empty_columns_and_sentences_with_commas(tmp_path: Path) -> None:
    rows = [
        ("movieId", "imdbId", "title", "nothing", "note", "colours"),
        *(
            (n, 1000 + n, f"T {n}", "", f"this one, number {n}, is fine", "red, blue" if n % 2 else "red")
            for n in range(9)
        ),
    ]
    found = guess(write_csv(tmp_path / "i.csv", rows))
    assert found.columns.item_id == "movieId"
    assert "imdbId: left out, another identifier" in found.reasons
    assert "nothing: left out, empty in the rows looked at" in found.reasons
    assert found.columns.attributes == ("note", "colours")
    # 4 of 9 values of `colours` hold a comma: under half, so one cannot say
    assert found.columns.lists == {}


def test_a_comma_separates_a_list_only_where_few_entries_recur(tmp_path: Path) -> None:
    rows = [("id", "name", "tags"), *((n, f"N {n}", "red, blue" if n % 3 else "blue, new") for n in range(9))]
    assert guess(write_csv(tmp_path / "i.csv", rows)).columns.lists == {"tags": ","}


def test_an_id_that_repeats_is_still_the_id_and_it_is_said(tmp_path: Path) -> None:
    rows = [
        ("item_id", "title"),
        ("a", "x one"),
        ("a", "x two"),
        ("b", "x three"),
        ("c", "x four"),
        ("", "x five"),
    ]
    found = guess(write_csv(tmp_path / "i.csv", rows))
    assert found.columns.item_id == "item_id"
    assert found.reasons[0] == (
        "item_id: column 'item_id', though 1 of 5 rows have none and 1 repeat one: those are set aside"
    )


def test_long_sentences_are_text_whatever_their_name(tmp_path: Path) -> None:
    rows = [("id", "x"), *((n, f"The quick brown fox jumps over {n} lazy dogs today") for n in range(8))]
    found = guess(write_csv(tmp_path / "i.csv", rows))
    # "The quick brown fox jumps over " is 31 characters, the digit 1, " lazy dogs today" 16: 48
    assert found.reasons[1] == "text: column 'x', 48 characters on average"


def test_nothing_to_guess_from(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no usable row"):
        guess(write(tmp_path / "i.csv", "id,name\n"))


def test_a_guess_is_plain_data(tmp_path: Path) -> None:
    found = guess(write(tmp_path / "i.csv", "id\n1\n"))
    assert found == Guess(found.columns, found.reasons)
    assert all(isinstance(reason, str) for reason in found.reasons)
