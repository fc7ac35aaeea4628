"""The page stands alone, shows everything, and never hides a warning; the JSON has its keys and no others."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import Estimate, InputError
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.report.page import page, write_page
from equipoise.evaluation.report.rows import KEYS, Comparison, Row, cells, number

from ..test_evaluation import slates, world


@pytest.fixture(scope="module")
def found() -> Comparison:
    return Evaluation(world(), options=Options(by=("country",), over_time=True)).compare(["new", "uniform"])


@pytest.fixture(scope="module")
def written(found: Comparison) -> str:
    return page(found)


class Reader(HTMLParser):
    """Collects what a browser would fetch, and whether what is opened is closed."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if (
                name in ("src", "href", "xlink:href", "srcset", "data")
                and value
                and not value.startswith("#")
            ):
                self.fetched.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


def test_the_page_fetches_nothing(written: str) -> None:
    reader = Reader()
    reader.feed(written)
    assert reader.fetched == []
    assert reader.open == []
    assert "http" not in written
    assert "<script" not in written
    assert not re.findall(r"url\((?!#)", written)
    assert "@import" not in written


def test_every_picture_is_there(written: str) -> None:
    """Estimates, differences, weights, two exposures, time and one attribute."""
    assert written.count("<svg") == 7
    for heading in ("Can this log answer?", "Weights", "Values", "Differences", "Over time", "By country"):
        assert heading in written


def test_inner_names_of_pictures_do_not_meet(written: str) -> None:
    clips = re.findall(r'<clipPath id="([^"]+)"', written)
    assert len(set(clips)) == len(clips)


def test_every_number_is_there(found: Comparison, written: str) -> None:
    for section in found.sections:
        for row in section.rows:
            assert number(row.estimate.value) in written


def test_the_page_prints(written: str) -> None:
    assert "@media print" in written
    assert "break-inside: avoid" in written


def test_a_forced_page_is_stamped() -> None:
    log = world()
    found = Evaluation(log, options=Options(force=True)).compare([("never", np.zeros(2_000)), "new"])
    written = page(found)
    assert 'class="stamp"' in written
    assert "this log cannot answer that" in written
    assert "Of never, this log cannot answer that." in written
    assert found.row("never", "snips").as_dict()["value"] is None
    assert 'class="stamp"' not in page(Evaluation(log).compare(["new"]))


def test_names_are_shown_as_they_are() -> None:
    log = world()
    written = page(Evaluation(log).compare([("<b>&new</b>", log.targets["new"])]))
    assert "&lt;b&gt;&amp;new&lt;/b&gt;" in written
    assert "<b>&new" not in written


def test_slates_have_a_page() -> None:
    log = slates()
    assert "its slots (at most 2) added up" in page(Evaluation(log).compare(["uniform"]))


def test_the_same_comparison_gives_the_same_page(found: Comparison, written: str) -> None:
    assert page(found) == written


def test_a_page_goes_into_a_folder_of_its_own(found: Comparison, tmp_path: Path) -> None:
    path = write_page(found, tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="name another file"):
        write_page(found, tmp_path / "file" / "report.html")


def test_json_has_its_keys_and_no_others(found: Comparison) -> None:
    rows = json.loads(found.json())
    assert rows
    for row in rows:
        assert tuple(row) == KEYS
        assert isinstance(row["warnings"], list)
    assert {"new", "uniform", "logged", "new - logged", "new - uniform"} <= {row["policy"] for row in rows}


def test_numbers_that_are_none_are_null() -> None:
    row = Row("p", "ips", Estimate(1.0, math.inf, -math.inf, math.inf, 1, 1.0))
    told = json.loads(json.dumps(row.as_dict()))
    assert (told["value"], told["stderr"], told["low"], told["high"]) == (1.0, None, None, None)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0000"),
        (0.004553, "0.004553"),
        (0.12345, "0.1235"),
        (-12.3456, "-12.35"),
        (1234.5, "1,234"),
        (1e-9, "1.000e-09"),
        (math.nan, "unknown"),
        (math.inf, "unknown"),
    ],
)
def test_numbers_as_people_read_them(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_value_with_a_warning_carries_a_mark() -> None:
    estimate = Estimate(0.5, 0.1, 0.3, 0.7, 10, 4.0)
    assert cells(Row("p", "ips", estimate, ("few",)))[2] == "0.5000 !"
    assert cells(Row("p", "ips", estimate))[2] == "0.5000"


def test_warnings_name_the_rows_that_they_belong_to() -> None:
    """A part of 60 rows, a quarter of them effective, says so by its own name; a difference repeats nobody."""
    found = Evaluation(world(100), options=Options(over_time=True)).compare(["new"])
    told = found.warnings
    assert told
    assert len(set(told)) == len(told)
    assert any(line.startswith("new [from = ") and "effective rows only" in line for line in told)
    assert not any(" - " in line.partition(": ")[0] for line in told)


def test_paper_cuts_off_no_column(written: str) -> None:
    """Wide tables scroll on a screen, and paper cannot."""
    assert ".wide { overflow: visible; }" in written.partition("@media print")[2]
