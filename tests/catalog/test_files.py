"""Reading good files of every format: the same items, whatever carries them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyarrow import parquet

from equipoise.catalog import BadRow, Columns, Item, guess, load, read
from equipoise.catalog.delimited import open_delimited
from equipoise.catalog.items import to_json
from equipoise.catalog.rows import Row

from .samples import WORDS, items, write, write_csv

SHOP = Columns(
    "sku", text=("name",), attributes=("price", "sizes", "new"), published_at="at", lists={"sizes": "|"}
)
EXPECTED = [
    Item(
        "a",
        text="Tee",
        attributes={"price": 9.5, "sizes": ("S", "M"), "new": True},
        published_at=1704067200.0,
    ),
    Item("b", text="Hat", attributes={"price": 20.0, "new": False}, published_at=None),
]
FIELDS = WORDS.filter(lambda word: "\x00" not in word)
"""A file of mostly zero bytes is taken for a binary one."""

# 2024-01-01 is 19,723 days after 1970-01-01: 54 years x 365 + 13 leap days; 19,723 x 86,400 = 1,704,067,200.
CSV = "sku,name,price,sizes,new,at\na,Tee,9.5,S|M,true,2024-01-01\nb,Hat,20,,false,\n"


def read_all(path: Path, columns: Columns) -> list[Item | BadRow]:
    return list(read(path, columns))


@given(st.lists(items(), max_size=5, unique_by=lambda item: item.item_id.strip()))
def test_jsonl_brings_texts_back(given_: list[Item]) -> None:
    """Ids and texts as they were, but for blanks at their ends; an item of neither text nor attributes shows its id."""
    given_ = [item for item in given_ if item.item_id.strip()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.jsonl"
        path.write_text(
            "".join(json.dumps({"i": item.item_id, "t": item.text}) + "\n" for item in given_) or "\n{}\n"
        )
        found = read_all(path, Columns("i", text=("t",))) if given_ else []
    assert found == [Item(i.item_id.strip(), text=i.text.strip() or i.item_id.strip()) for i in given_]


@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_csv_written_then_read(rows: list[tuple[str, str]], end: str) -> None:
    """Whatever the csv module writes, quoted line breaks included, comes back field by field, line by line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("id", "text"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.csv"
        path.write_bytes(text.getvalue().encode())
        found = list(open_delimited(path).rows)
    assert all(isinstance(row, Row) for row in found)
    assert [tuple(row.values.values()) for row in found if isinstance(row, Row)] == rows


@given(st.text(st.sampled_from('a",\n'), max_size=40))
def test_a_row_ends_where_the_csv_module_says(body: str) -> None:
    """Where every quote is closed, our records are those of the csv module, however oddly they are quoted."""
    body += "\n"
    expected = [row for row in csv.reader(io.StringIO("x,y\n" + body, newline="")) if row]
    strict = csv.reader(io.StringIO("x,y\n" + body + '"end","end"\n', newline=""))
    assume([row for row in strict if row][-1] == ["end", "end"])
    with tempfile.TemporaryDirectory() as folder:
        found = list(open_delimited(write(Path(folder) / "i.csv", "x,y\n" + body)).rows)
    good = [list(row.values.values()) for row in found if isinstance(row, Row)]
    assert good == [row for row in expected[1:] if len(row) == 2]
    assert len(found) == len(expected) - 1


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".CSV"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_csv(tmp_path: Path, suffix: str, start: str) -> None:
    path = tmp_path / f"items{suffix}"
    data = (start + CSV).encode()
    path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    assert read_all(path, SHOP) == EXPECTED


@pytest.mark.parametrize(("name", "mark"), [("i.tsv", "\t"), ("i.csv", ";"), ("i.csv", "\t")])
def test_other_separators(tmp_path: Path, name: str, mark: str) -> None:
    assert read_all(write(tmp_path / name, CSV.replace(",", mark)), SHOP) == EXPECTED


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson"])
def test_json_lines(tmp_path: Path, suffix: str) -> None:
    rows = [
        {
            "sku": "a",
            "name": "Tee",
            "price": 9.5,
            "sizes": ["S", "M"],
            "new": True,
            "at": "2024-01-01T00:00:00Z",
        },
        {"sku": "b", "name": "Hat", "price": 20, "sizes": None, "new": False},
    ]
    path = write(tmp_path / f"items{suffix}", "\n\n".join(map(json.dumps, rows)))
    assert read_all(path, SHOP) == EXPECTED


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_parquet(tmp_path: Path, unit: str, zone: str | None) -> None:
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    table = pa.table(
        {
            "sku": ["a", "b"],
            "name": pa.array(["Tee", "Hat"]).dictionary_encode(),
            "price": pa.array([9.5, 20.0]),
            "sizes": [["S", "M"], []],
            "new": [True, False],
            "at": pa.array([1704067200 * factor, None], pa.timestamp(unit, tz=zone)),
        }
    )
    parquet.write_table(table, tmp_path / "items.parquet")
    assert read_all(tmp_path / "items.parquet", SHOP) == EXPECTED


def test_parquet_goes_batch_by_batch_with_true_row_numbers(tmp_path: Path) -> None:
    ids = [f"i{n}" for n in range(9000)]
    ids[8191] = ids[0]
    parquet.write_table(
        pa.table({"id": ids, "day": pa.array([1] * 9000, pa.date32())}), tmp_path / "i.parquet"
    )
    found = read_all(tmp_path / "i.parquet", Columns("id"))
    bad = [row for row in found if isinstance(row, BadRow)]
    assert [row.line for row in bad] == [8192]
    assert len(found) == 9000
    assert found[0] == Item("i0", attributes={"day": 86400.0})


def test_a_plain_list_of_names(tmp_path: Path) -> None:
    path = write(tmp_path / "arms.txt", "red button\n\n  blue button \n")
    columns = guess(path).columns
    assert columns == Columns("name", text=("name",), attributes=())
    assert read_all(path, columns) == [
        Item("red button", text="red button"),
        Item("blue button", text="blue button"),
    ]


def test_without_text_and_attributes_an_item_shows_its_id(tmp_path: Path) -> None:
    found = read_all(write(tmp_path / "i.csv", "id,name,price\na,,\nb,,3\n"), Columns("id", text=("name",)))
    assert found == [Item("a", text="a"), Item("b", attributes={"price": 3.0})]


def test_texts_are_joined_by_a_line_break_in_the_order_named(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "i.csv", [("id", "body", "title"), ("a", " long ", "short"), ("b", "", "only")]
    )
    found = read_all(path, Columns("id", text=("title", "body")))
    assert [item.text for item in found if isinstance(item, Item)] == ["short\nlong", "only"]


def test_all_the_others_are_attributes_and_an_unnamed_column_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "i.csv", ",id,name,a,b\n0,x,X,1,u\n")
    assert read_all(path, Columns("id", text=("name",))) == [
        Item("x", text="X", attributes={"a": 1.0, "b": "u"})
    ]


def test_kinds_are_inferred_from_most_values_or_declared(tmp_path: Path) -> None:
    rows = [("id", "zip", "stock"), ("a", "01234", "yes"), ("b", "02345", "no"), ("c", "99999", "YES")]
    path = write_csv(tmp_path / "i.csv", rows)
    first = next(read(path, Columns("id")))
    assert isinstance(first, Item)
    assert dict(first.attributes) == {"zip": "01234", "stock": True}
    declared = next(read(path, Columns("id", kinds={"zip": "number", "stock": "text"})))
    assert isinstance(declared, Item)
    assert dict(declared.attributes) == {"zip": 1234.0, "stock": "yes"}


def test_a_single_zero_byte_harms_nothing(tmp_path: Path) -> None:
    found = read_all(write(tmp_path / "i.csv", "id,name\na,one\x00two\n"), Columns("id", text=("name",)))
    assert found == [Item("a", text="one\x00two")]


def test_numbers_as_ids_lose_their_point(tmp_path: Path) -> None:
    path = write(tmp_path / "i.jsonl", '{"id": 12}\n{"id": 13.0}\n{"id": 1.5}\n')
    assert [to_json(i) for i in read_all(path, Columns("id")) if isinstance(i, Item)] == [
        '{"item_id":"12","text":"12"}',
        '{"item_id":"13","text":"13"}',
        '{"item_id":"1.5","text":"1.5"}',
    ]


def test_nested_data_is_left_out_unless_named(tmp_path: Path) -> None:
    path = write(tmp_path / "i.jsonl", '{"id": "a", "p": 1, "o": {"x": 1}}\n')
    assert read_all(path, Columns("id")) == [Item("a", attributes={"p": 1.0})]
    (bad,) = read_all(path, Columns("id", attributes=("o",)))
    assert isinstance(bad, BadRow)
    assert "column 'o'" in bad.reason


@pytest.mark.skipif(
    "EQUIPOISE_DATA" not in os.environ, reason="EQUIPOISE_DATA is not set: no MovieLens at hand"
)
def test_movielens() -> None:
    path = Path(os.environ["EQUIPOISE_DATA"]) / "movielens-small" / "movies.csv"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    guessed = guess(path)
    assert guessed.columns == Columns(
        "movieId", text=("title",), attributes=("genres",), lists={"genres": "|"}
    )
    loaded = load(path, guessed.columns)
    assert (len(loaded.items), loaded.bad_count) == (9742, 0)
    assert loaded.items[1].attributes["genres"] == ("Adventure", "Children", "Fantasy")
