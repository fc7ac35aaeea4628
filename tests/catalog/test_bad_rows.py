"""Rows and files that cannot be used: set aside one by one, or refused with what to do."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from equipoise.catalog import BadRow, Columns, Item, guess, load, read
from equipoise.catalog.dates import seconds_of
from equipoise.catalog.loading import Loaded
from equipoise.core import CatalogError, InputError

from .samples import write, write_csv

COLUMNS = Columns("id", text=("name",), attributes=("price",), published_at="at")
HEADER = "id,name,price,at\n"
GOOD = "g1,fine,1,\ng2,fine,2,\n"


def bad_of(path: Path, columns: Columns = COLUMNS) -> list[BadRow]:
    return [row for row in read(path, columns) if isinstance(row, BadRow)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",no id,1,", "no item_id"),
        ("  ,no id,1,", "no item_id"),
        ("x,short,1", "3 fields where the header has 4"),
        ("x,long,1,,", "5 fields where the header has 4"),
        ("x,words,cheap,", "column 'price': 'cheap' where a number belongs"),
        ("x,nan,NaN,", "'NaN' where a number belongs"),
        ("x,inf,inf,", "'inf' where a number belongs"),
        ("x,big,1e999,", "'1e999' where a number belongs"),
        ("x,underscore,1_0,", "'1_0' where a number belongs"),
        ("x,date,1,01/02/2024", "column 'at': '01/02/2024' is no date"),
        ("x,date,1,2024-13-01", "is no date"),
        ("g1,again,1,", "the item_id 'g1' is that of line 2, which stays"),
        ('x,"open,1,', "opened and never closed"),
        ("x," + "y" * 100_001 + ",1,", "100,001 characters: the limit is 100,000"),
        ('x,"' + "y" * 1_000_000 + '",1,', "limit"),
    ],
)
def test_one_bad_row_is_set_aside_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    path = write(tmp_path / "i.csv", f"{HEADER}{GOOD}{row}\nlast,fine,3,2024-01-02\n")
    found = list(read(path, COLUMNS))
    (bad,) = [entry for entry in found if isinstance(entry, BadRow)]
    assert bad.line == 4
    assert said in bad.reason
    assert bad.raw == row[:2000]
    assert [entry.item_id for entry in found if isinstance(entry, Item)] == ["g1", "g2", "last"]


def test_bytes_that_are_not_utf8_spoil_one_row(tmp_path: Path) -> None:
    path = tmp_path / "i.csv"
    path.write_bytes((HEADER + GOOD).encode() + b"x,caf\xe9,1,\n" + "y,café,1,\n".encode())
    (bad,) = bad_of(path)
    assert (bad.line, bad.raw) == (4, "x,caf\\xe9,1,")
    assert "UTF-8" in bad.reason


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    text = 'a,"one\ntwo\n\nthree",1,\n\nb,fine,none,\n"c\n",fine,none,\nd,fine,3,\n'
    path = write(tmp_path / "i.csv", HEADER + GOOD + text)
    found = list(read(path, COLUMNS))
    assert [row.line for row in found if isinstance(row, BadRow)] == [9, 10]
    assert Item("a", text="one\ntwo\n\nthree", attributes={"price": 1.0}) in found
    assert isinstance(found[-1], Item)


def test_a_forgotten_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = "".join(f"i{n},fine,{n},\n" for n in range(500))
    found = list(read(write(tmp_path / "i.csv", f'{HEADER}x,"open,1,\n{rows}short\n'), COLUMNS))
    assert [row.item_id for row in found if isinstance(row, Item)] == [f"i{n}" for n in range(500)]
    # the header is line 1, the open quote line 2, the items lines 3 to 502
    assert [row.line for row in found if isinstance(row, BadRow)] == [2, 503]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{half", "not JSON"),
        ("[1, 2]", "a JSON list where an object was expected"),
        ("7", "a JSON int"),
        ("[" * 100_000, "not JSON"),
        ('{"id": true}', "True is no item_id"),
        ('{"id": ["x"]}', "is no item_id"),
        ('{"id": "x", "price": NaN}', "column 'price': the value is nan"),
        ('{"id": "x", "price": "dear"}', "'dear' where a number belongs"),
        ('{"id": "x", "price": {"eur": 1}}', "column 'price'"),
        ('{"id": "x", "name": {"en": 1}}', "where text belongs"),
        ('{"id": "\\ud800"}', "half of a character"),
        ('{"id": "x", "at": "soon"}', "'soon' is no date"),
    ],
)
def test_bad_json_lines(tmp_path: Path, line: str, said: str) -> None:
    good = '{"id": "a", "name": "n", "price": 1, "at": 5}\n{"id": "b", "price": 2}\n'
    (bad,) = bad_of(write(tmp_path / "i.jsonl", f"{good}{line}\n"))
    assert bad.line == 3
    assert said in bad.reason


def test_bad_parquet_rows(tmp_path: Path) -> None:
    table = {"id": ["a", None, "c"], "price": [1.0, 2.0, float("nan")]}
    parquet.write_table(pa.table(table), tmp_path / "i.parquet")
    bad = bad_of(tmp_path / "i.parquet", Columns("id"))
    assert [(row.line, "no item_id" in row.reason, "nan" in row.reason) for row in bad] == [
        (2, True, False),
        (3, False, True),
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("i.csv", b"", "is empty"),
        ("i.csv", b"\xef\xbb\xbf\n", "is empty"),
        ("i.csv", "id,name\na,b\n".encode("utf-16"), "UTF-16.*save it as UTF-8"),
        ("i.csv", "id,name\na,b\n".encode("utf-16-le"), "save it as UTF-8"),
        ("i.csv", "id,n\xe4me\na,b\n".encode("latin-1"), "header .* not UTF-8"),
        ("i.csv", gzip.compress(b"id\n1\n"), "end its name in .gz"),
        ("i.csv", b"PK\x03\x04rest", "spreadsheet"),
        ("i.csv", b"PAR1rest", "end its name in .parquet"),
        ("i.csv.gz", b"id\n1\n", "cannot be read"),
        ("i.csv.gz", gzip.compress(b"id\n" + bytes(range(65, 91)) * 9999)[:60], "cannot be read"),
        ("i.parquet", b"no", "not a readable Parquet file"),
        ("i.parquet.gz", b"no", "expected one of"),
        ("i.xlsx", b"PK", "ends in '.xlsx': expected one of .csv"),
        ("items", b"id\n", "ends in ''"),
    ],
)
def test_files_that_cannot_be_used_at_all(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for attempt in (lambda: list(read(path, Columns("id"))), lambda: guess(path)):
        with pytest.raises(CatalogError, match=said):
            attempt()


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="there is no file"):
        read(tmp_path / "none.csv", COLUMNS)
    with pytest.raises(CatalogError, match="is a folder"):
        read(tmp_path, COLUMNS)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_unknown_column_names_the_nearest(tmp_path: Path, suffix: str) -> None:
    text = "movieId,title\n1,x\n" if suffix == "csv" else '{"movieId": 1, "title": "x"}\n'
    path = write(tmp_path / f"i.{suffix}", text)
    with pytest.raises(
        CatalogError, match=r"no column 'movieid'.*'movieId', 'title'; did you mean 'movieId'\?"
    ):
        read(path, Columns("movieid"))
    for columns in (Columns("movieId", text=("titel",)), Columns("movieId", attributes=("titel",))):
        with pytest.raises(CatalogError, match="did you mean 'title'"):
            read(path, columns)


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "i.csv", "id,tag,tag\n1,a,b\n")
    with pytest.raises(CatalogError, match="2 columns called 'tag'"):
        read(path, Columns("id"))
    assert list(read(path, Columns("id", attributes=()))) == [Item("1", text="1")]


def test_impossible_columns() -> None:
    with pytest.raises(InputError, match=r"'numbr'.*expected one of number"):
        Columns("id", kinds={"price": "numbr"})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="separator ''"):
        Columns("id", lists={"genres": ""})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1970-01-02", 86_400.0),
        ("19700102", 86_400.0),
        ("1970/1/2", 86_400.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:01Z", 1.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("1971", 365 * 86_400.0),
        ("1704067200", 1_704_067_200.0),
        ("1704067200000", 1_704_067_200.0),  # milliseconds
        (1_704_067_200_000, 1_704_067_200.0),
    ],
)
def test_dates(written: object, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.fixture
def many_bad(tmp_path: Path) -> Iterator[Path]:
    rows = [("id", "price"), *((f"i{n}", n) for n in range(2000)), *((f"b{n}", "x") for n in range(1500))]
    yield write_csv(tmp_path / "many.csv", rows)


def test_load_keeps_every_bad_row_in_a_file_and_the_first_in_memory(many_bad: Path, tmp_path: Path) -> None:
    told: list[int] = []
    rejects = tmp_path / "rejects.jsonl"
    loaded = load(many_bad, Columns("id"), rejects=rejects, progress=told.append)
    assert (len(loaded.items), len(loaded.bad), loaded.bad_count) == (2000, 1000, 1500)
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert len(kept) == 1500
    assert kept[0] == {"line": 2002, "reason": loaded.bad[0].reason, "raw": "b0,x"}
    assert told == [1000, 2000, 3000, 3500]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.csv", "rejects.jsonl"]


def test_a_clean_load_takes_the_old_rejects_away(tmp_path: Path) -> None:
    rejects = write(tmp_path / "rejects.jsonl", "old\n")
    path = write(tmp_path / "i.csv", "id\na\n")
    assert load(path, Columns("id"), rejects=rejects) == Loaded((Item("a", text="a"),), (), 0)
    assert not rejects.exists()


def test_a_load_that_fails_leaves_the_rejects_as_they_were(tmp_path: Path) -> None:
    rejects = write(tmp_path / "rejects.jsonl", "old\n")
    packed = gzip.compress(b"id,p\n,\n" + b"".join(b"i%d,%d\n" % (n, n * n) for n in range(20_000)))
    path = tmp_path / "i.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(CatalogError, match="cannot be read to its end"):
        load(path, Columns("id"), rejects=rejects)
    assert rejects.read_text() == "old\n"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["i.csv.gz", "rejects.jsonl"]


def test_rejects_that_cannot_be_written(many_bad: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"cannot be written to .*none/rejects\.jsonl"):
        load(many_bad, Columns("id"), rejects=tmp_path / "none" / "rejects.jsonl")
