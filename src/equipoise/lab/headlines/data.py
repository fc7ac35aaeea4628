"""Randomised headline tests from any folder with a `tests.csv` or `tests.csv.gz`.

Made for the Upworthy Research Archive: Matias, Munger, Le Quere and Ebersole, Scientific Data 2021. The fair replay
of a recorded experiment: Li et al. 2011; here the recorded rates themselves are the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from equipoise.catalog.textfile import lines, require_text
from equipoise.core import CatalogError, Floats, InputError

NEEDED = ("test_id", "headline", "impressions", "clicks")
FILES = ("tests.csv.gz", "tests.csv")


@dataclass(frozen=True, slots=True, eq=False)
class HeadlineTest:
    """One randomised test: k headlines, each shown to visitors split at random.

    headlines: (k,) distinct. impressions: (k,) visitors, 1 or more each. clicks: (k,) of them who clicked.
    """

    test_id: str
    headlines: tuple[str, ...]
    impressions: Floats
    clicks: Floats

    def __len__(self) -> int:
        return len(self.headlines)

    @property
    def rates(self) -> Floats:
        """(k,) recorded click rates: the truth of the world."""
        return self.clicks / self.impressions


def read_tests(folder: Path) -> tuple[HeadlineTest, ...]:
    """Every test with a choice, by its first week and then by test_id; without a column `week`, as in the file.

    Rows of one headline in one test are added up; headlines that nobody saw are left out, and so are tests with
    fewer than two headlines.
    Raises: CatalogError: no such file, a column is missing, or a number is not one. InputError: no test is left.
    """
    path = _file(folder)
    arms: dict[str, dict[str, Floats]] = {}
    weeks: dict[str, float] = {}
    for line, row in _rows(path):
        counts = _counts(row, f"'{path}' line {line}")
        headlines = arms.setdefault(row["test_id"], {})
        headlines[row["headline"]] = headlines.get(row["headline"], np.zeros(2)) + counts
        week = _week(row, f"'{path}' line {line}")
        weeks[row["test_id"]] = min(week, weeks.get(row["test_id"], week))
    tests = tuple(
        _test(test_id, arms[test_id]) for test_id in (_order(weeks) if any(weeks.values()) else arms)
    )
    playable = tuple(test for test in tests if len(test) > 1)
    if not playable:
        raise InputError(f"'{path}' has no test of two headlines that were shown: there is nothing to choose")
    return playable


def split(
    tests: Sequence[HeadlineTest], share: float
) -> tuple[Sequence[HeadlineTest], Sequence[HeadlineTest]]:
    """The first `share` of the tests, rounded down, and the rest.

    Raises: InputError: one of the two is empty.
    """
    cut = int(share * len(tests) + 1e-9)
    if not 0 < cut < len(tests):
        raise InputError(
            f"a train share of {share:g} leaves {cut} of {len(tests)} tests to learn from and"
            f" {len(tests) - cut} to play: both must be 1 or more"
        )
    return tests[:cut], tests[cut:]


def _file(folder: Path) -> Path:
    for name in FILES:
        if (folder / name).is_file():
            return folder / name
    raise CatalogError(f"'{folder}' has no {' or '.join(FILES)}: name a folder of headline tests with --data")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    require_text(path)
    reader = csv.DictReader(lines(path))
    try:
        for name in NEEDED:
            if name not in (reader.fieldnames or ()):
                raise CatalogError(f"'{path}' has no column '{name}': it needs {', '.join(NEEDED)}")
        for row in reader:
            if any(row[name] is None for name in NEEDED):
                raise CatalogError(
                    f"'{path}' line {reader.line_num} is cut short: it needs {', '.join(NEEDED)}"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise CatalogError(f"'{path}' line {reader.line_num} is not CSV ({error}): write it again") from error


def _counts(row: Mapping[str, str], where: str) -> Floats:
    """(2,) impressions and clicks."""
    counts = np.array([_number(row[name], name, where) for name in ("impressions", "clicks")])
    if not 0.0 <= counts[1] <= counts[0]:
        raise CatalogError(
            f"{where}: {counts[1]:g} clicks of {counts[0]:g} impressions; clicks must lie between 0 and impressions"
        )
    return counts


def _week(row: Mapping[str, str], where: str) -> float:
    """The week as a number that rises, such as 201305; 0 where the table has none."""
    return _number(row["week"], "week", where) if row.get("week") else 0.0


def _number(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise CatalogError(f"{where}: {name} is {text!r} but must be a number") from error
    if not np.isfinite(value):
        raise CatalogError(f"{where}: {name} is {text!r} but must be finite")
    return value


def _order(weeks: Mapping[str, float]) -> list[str]:
    return sorted(weeks, key=lambda test_id: (weeks[test_id], test_id))


def _test(test_id: str, arms: Mapping[str, Floats]) -> HeadlineTest:
    seen = {headline: counts for headline, counts in arms.items() if counts[0] > 0.0}
    counts = np.array(list(seen.values())).reshape(len(seen), 2)
    return HeadlineTest(test_id, tuple(seen), counts[:, 0], counts[:, 1])
