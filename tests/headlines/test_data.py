"""Reading headline tests: what is added up, left out, ordered and refused."""

from __future__ import annotations

import gzip

import pytest

from equipoise.core import CatalogError, InputError
from equipoise.lab.headlines.data import read_tests, split

HEADER = "week,test_id,headline,impressions,clicks\n"


def folder(tmp_path, text, name="tests.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_by_the_first_week_and_then_test_id(tmp_path):
    text = HEADER + "".join(
        f"{week},{test},{headline},100,{clicks}\n"
        for week, test, headline, clicks in [
            (201305, "b", "b1", 1),
            (201303, "c", "c1", 2),
            (201305, "a", "a1", 3),
            (201304, "b", "b2", 4),
            (201305, "c", "c2", 5),
            (201305, "a", "a2", 6),
        ]
    )
    tests = read_tests(folder(tmp_path, text))
    # First weeks: c 201303, b 201304 (its second row), a 201305.
    assert [test.test_id for test in tests] == ["c", "b", "a"]
    assert tests[0].rates.tolist() == [0.02, 0.05]


def test_without_weeks_as_in_the_file(tmp_path):
    text = "test_id,headline,impressions,clicks\nz,one,10,1\nz,two,10,2\na,one,10,0\na,two,10,0\n"
    assert [test.test_id for test in read_tests(folder(tmp_path, text))] == ["z", "a"]


def test_one_headline_twice_is_added_up_and_unseen_ones_are_left_out(tmp_path):
    text = HEADER + "1,a,same,100,1\n1,a,same,300,7\n1,a,other,50,0\n1,a,unseen,0,0\n1,b,alone,9,1\n"
    (test,) = read_tests(folder(tmp_path, text))
    # "b" has one headline and so no choice; "unseen" has no rate. 1 + 7 clicks of 100 + 300.
    assert test.headlines == ("same", "other")
    assert test.rates.tolist() == [0.02, 0.0]


def test_gzipped_too(tmp_path):
    (tmp_path / "tests.csv.gz").write_bytes(gzip.compress((HEADER + "1,a,x,5,1\n1,a,y,5,2\n").encode()))
    assert len(read_tests(tmp_path)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("week,test_id,headline,clicks\n1,a,x,1\n", "no column 'impressions'"),
        (HEADER + "1,a,x,5,6\n", "6 clicks of 5"),
        (HEADER + "1,a,x,5,-1\n", "-1 clicks"),
        (HEADER + "1,a,x,many,1\n", "impressions is 'many'"),
        (HEADER + "1,a,x,inf,1\n", "must be finite"),
        (HEADER + "soon,a,x,5,1\n", "week is 'soon'"),
        (HEADER + "1,a,x\n", "cut short"),
        ("", "empty"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, text, message):
    with pytest.raises(CatalogError, match=message):
        read_tests(folder(tmp_path, text))


def test_a_folder_without_the_file_is_refused(tmp_path):
    with pytest.raises(CatalogError, match=r"no tests\.csv\.gz or tests\.csv"):
        read_tests(tmp_path)


def test_nothing_to_choose_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing to choose"):
        read_tests(folder(tmp_path, HEADER + "1,a,x,5,1\n1,b,y,5,1\n"))


def test_a_share_is_rounded_down_and_leaves_both_parts_something(tmp_path):
    text = HEADER + "".join(f"1,t{n:02},x,10,1\n1,t{n:02},y,10,2\n" for n in range(10))
    tests = read_tests(folder(tmp_path, text))
    past, played = split(tests, 0.7)
    assert (len(past), len(played)) == (7, 3)
    assert past[-1].test_id == "t06"
    with pytest.raises(InputError, match=r"leaves 0 of 10"):
        split(tests, 0.05)
