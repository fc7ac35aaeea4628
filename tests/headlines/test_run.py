"""`equipoise simulate headlines`, on made data and, where there is some, on real data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import ConfigurationError, InputError
from equipoise.lab.headlines.run import run
from equipoise.lab.play import Play

WORDS = ("cats", "you will never guess", "budget report", "heartwarming", "minutes of the meeting", "wow")


@pytest.fixture
def made(tmp_path, monkeypatch):
    """12 tests of 2 to 4 headlines; some words are clicked more."""
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    lines = ["test_id,headline,impressions,clicks"]
    for test in range(12):
        for word in rng.choice(6, int(rng.integers(2, 5)), replace=False):
            clicks = rng.binomial(2000, (0.01, 0.04, 0.01, 0.03, 0.005, 0.02)[word])
            lines.append(f"t{test},{WORDS[word]} {test},2000,{clicks}")
    (tmp_path / "tests.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_every_player_has_its_rows_and_the_references_theirs(made):
    told = run(Play(data=made, seeds=2, visitors=(40, 100), picture=made / "p.png"))
    rows = {(row.policy, row.visitors, row.metric): row for row in told.rows}
    for visitors in (40, 100):
        assert rows["oracle", visitors, "captured"].value == pytest.approx(1.0)
        assert abs(rows["uniform", visitors, "captured"].value) < 0.6
        assert ("campaign", visitors, "captured-text_300") in rows
    assert (made / "p.png").stat().st_size > 10_000
    assert "learned from 8 tests, played 4" in told.caption


def test_again_gives_the_same_rows(made):
    asked = Play(data=made, seeds=2, visitors=(60,), policies=("campaign", "text_300_thompson"))
    assert run(asked) == run(asked)


def test_what_cannot_be_played_is_refused(made):
    with pytest.raises(InputError, match="--data"):
        run(Play())
    with pytest.raises(ConfigurationError, match="did you mean 'campaign'"):
        run(Play(data=made, policies=("campain",)))
    with pytest.raises(InputError, match="label"):
        run(Play(data=made, label="x"))


def test_on_the_archive_the_first_tests_alone():
    folder = os.environ.get("EQUIPOISE_DATA")
    if folder is None or not (Path(folder) / "upworthy").is_dir():
        pytest.skip("EQUIPOISE_DATA names no folder with 'upworthy'")
    told = run(
        Play(
            data=Path(folder) / "upworthy", size=120, visitors=(200,), seeds=2, policies=("campaign", "text")
        )
    )
    # 36 tests of 120: an error of about .12, so that between the worst and the oracle is all that can be asked.
    assert -1.0 < next(row.value for row in told.rows if row.metric == "captured") < 1.0
