"""Reading tables with a class column: headings, separators, missing values, guesses, and what is refused."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from equipoise.core import CatalogError, InputError
from equipoise.lab.bakeoff.table import Categories, Numbers, read_table, tables


def written(tmp_path, text, name="toy.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_words_and_classes(tmp_path):
    table = read_table(written(tmp_path, "\ufeffsize,colour,Class\n1,red,b\n2.5,blue,a\n?,,b\n"))
    assert (table.name, table.label, table.guessed) == ("toy", "Class", True)
    assert table.classes == ("a", "b")
    assert table.targets.tolist() == [1, 0, 1]
    size, colour = table.columns
    assert isinstance(size, Numbers)
    np.testing.assert_array_equal(size.values, [1.0, 2.5, np.nan])
    assert isinstance(colour, Categories)
    assert colour.values == ("red", "blue", "")


def test_a_file_without_heading_has_numbered_columns_and_a_class_where_one_looks_like_it(tmp_path):
    first = read_table(written(tmp_path, "p,x,1\ne,y,2\np,x,3\ne,x,1\n"))
    assert (first.label, first.classes, len(first)) == ("1", ("e", "p"), 4)
    last = read_table(written(tmp_path, "5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,2.0,other\n"))
    assert (last.label, last.classes) == ("3", ("other", "setosa"))


@pytest.mark.parametrize(("label", "found"), [("b", "b"), ("2", "b"), ("-2", "b"), ("c", "c")])
def test_a_label_is_a_heading_or_a_number(tmp_path, label, found):
    table = read_table(written(tmp_path, "a;b;c\n1;x;u\n2;y;v\n"), label=label)
    assert (table.label, table.guessed) == (found, False)


def test_rows_without_a_class_or_of_another_width_are_left_out(tmp_path):
    table = read_table(written(tmp_path, "a,b\n1,x\n2,?\n3,y\n4\n5,x,z\n\n"))
    assert table.targets.tolist() == [0, 1]


def test_one_number_misread_in_a_hundred_is_missing_and_three_make_words(tmp_path):
    def column(bad):
        cells = "".join(f"{'n.k.' if row < bad else row},{'xy'[row % 2]}\n" for row in range(100))
        return read_table(written(tmp_path, "a,b\n" + cells)).columns[0]

    assert np.isnan(column(1).values[0])
    assert isinstance(column(3), Categories)


def test_row_numbers_under_an_empty_heading_are_left_out(tmp_path):
    table = read_table(written(tmp_path, ",size,kind\n0,1.5,x\n1,2.5,y\n2,,x\n"))
    assert (table.label, [column.name for column in table.columns], len(table)) == ("kind", ["size"], 3)


def test_a_heading_of_numbers_with_a_word_above_numbers_is_one(tmp_path):
    table = read_table(written(tmp_path, "0,1,target\n5,6,0\n7,8,1\n9,9,1\n"))
    assert (table.label, table.classes, len(table)) == ("target", ("0", "1"), 3)


def test_a_first_row_with_a_gap_is_a_row(tmp_path):
    assert len(read_table(written(tmp_path, "5,?,a\n6,7,b\n8,9,a\n"))) == 3


def test_a_folder_gives_its_tables_by_name_and_gzip_is_read(tmp_path):
    written(tmp_path, "a,b\n1,x\n2,y\n", "z.csv")
    (tmp_path / "m.data.gz").write_bytes(gzip.compress(b"a\tb\n1\tx\n2\ty\n"))
    written(tmp_path, "no table", "SOURCE.md")
    assert [table.name for table in tables(tmp_path)] == ["m", "z"]


def test_quoted_cells_keep_their_commas_and_lines(tmp_path):
    table = read_table(written(tmp_path, 'a,b\n"x, y",u\n"two\nlines",v\n'))
    assert table.columns[0].values == ("x, y", "two\nlines")


@pytest.mark.parametrize(
    ("text", "label", "error", "words"),
    [
        ("a,b\n1,x\n2,x\n", None, InputError, "1 different values"),
        ("a,b\n1,x\n2,y\n", "colour", InputError, "no column 'colour': name one of a, b"),
        ("a,b\n" + "".join(f"1,{row}\n" for row in range(300)), None, InputError, "300 different values"),
        ("only\n1\n", None, CatalogError, "a class and a feature"),
    ],
)
def test_what_is_no_class_table_is_refused(tmp_path, text, label, error, words):
    with pytest.raises(error, match=words):
        read_table(written(tmp_path, text), label=label)


def test_an_empty_folder_says_what_to_give(tmp_path):
    with pytest.raises(CatalogError, match="has no table"):
        tables(tmp_path)
