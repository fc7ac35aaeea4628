"""Playing tables: references, one pass, what is told, and other people's libraries beside ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import ConfigurationError, InputError, MissingExtraError
from equipoise.lab.bakeoff.peers import PEERS, installed, library
from equipoise.lab.bakeoff.players import OURS, Setting, ours
from equipoise.lab.bakeoff.round import Shown, play_once
from equipoise.lab.bakeoff.run import run
from equipoise.lab.bakeoff.stream import Stream
from equipoise.lab.play import Play


@pytest.fixture
def ring(tmp_path) -> Path:
    """1,000 points of which those near the centre are `in`: no line tells them from the others."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1_000, 2))
    rows = (f"{x:.4f},{y:.4f},{'in' if x * x + y * y < 1.4 else 'out'}\n" for x, y in points)
    path = tmp_path / "ring.csv"
    path.write_text("x,y,class\n" + "".join(rows))
    return path


def values(outcome):
    return {row.policy: row.value for row in outcome.rows}


def test_references_and_ours(ring):
    outcome = run(Play(data=ring, policies=("ucb", "ucb-linear", "uniform", "oracle"), seeds=2))
    found = values(outcome)
    assert "ring: class 'class' (guessed), 2 classes" in outcome.caption
    assert {row.metric for row in outcome.rows} == {"error-ring"}
    assert found["oracle"] == 0.0
    # Uniform errs half of 2,000 times: 5 sd are .056. 1 - exp(-.7) = .50 are inside, so a line knows little more.
    assert abs(found["uniform"] - 0.5) < 0.056
    assert found["ucb-linear"] > 0.35
    assert found["ucb"] < 0.2


@pytest.mark.parametrize("name", OURS)
def test_every_one_of_ours_plays_a_table_of_words_and_gaps(name, tmp_path):
    rng = np.random.default_rng(1)
    words = rng.choice(["red", "green", "blue", "?"], size=320)
    path = tmp_path / "words.csv"
    path.write_text("colour,same,size,y\n" + "".join(f"{w},1,,{w[0]}\n" for w in words))
    (row,) = run(Play(data=path, policies=(name,), seeds=1)).rows
    # Three words name three classes, and a row of `?` has none: uniform would err .67, greedy may stay with a class.
    assert row.value < (0.85 if "greedy" in name else 0.45)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_every_peer_plays_and_learns(name):
    if name not in installed():
        pytest.skip(f"{name} needs the extra 'peers'")
    rng = np.random.default_rng(2)
    targets = rng.integers(2, size=300)
    contexts = np.column_stack([np.ones(300), targets == 0, targets == 1]).astype(np.float32)
    made = PEERS[name].make(Setting(2, 3, 1), PEERS[name].levels[-1], np.random.default_rng(3))
    wrong = play_once(made, Stream(contexts, targets.astype(np.int64)), lambda rows, error: None)
    assert wrong[-100:].mean() < 0.25


def test_only_the_class_shown_is_told():
    told = []

    class First:
        def choose(self, context):
            return Shown(0)

        def learn(self, context, shown, reward):
            told.append((shown.action, reward))

    watched = []
    rows = Stream(np.ones((500, 1), dtype=np.float32), np.arange(500) % 2)
    wrong = play_once(First(), rows, lambda *at: watched.append(at))
    assert wrong[:4].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert told[:3] == [(0, 1.0), (0, 0.0), (0, 1.0)]
    assert watched == [(500, 0.5)]


def test_a_play_is_repeatable():
    rng = np.random.default_rng(4)
    rows = Stream(rng.normal(size=(60, 4)).astype(np.float32), rng.integers(3, size=60))
    first, again = (
        play_once(ours("thompson", Setting(3, 4, 3), np.random.default_rng(5)), rows, lambda *_: None)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_a_picture_is_drawn_and_size_cuts(ring, tmp_path):
    picture = tmp_path / "p.png"
    outcome = run(Play(data=ring, policies=("greedy", "uniform"), seeds=1, size=30, picture=picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert all((row.value * 30) == pytest.approx(round(row.value * 30)) for row in outcome.rows)


def test_a_library_that_is_not_there_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mabwiser.mab", None)
    with pytest.raises(MissingExtraError, match=r"needs mabwiser: pip install 'equipoise\[peers\]'"):
        library("mabwiser.mab")


def test_what_cannot_be_played_is_refused(ring):
    with pytest.raises(ConfigurationError, match="did you mean 'vw-bag'"):
        run(Play(data=ring, policies=("vw-bags",)))
    with pytest.raises(InputError, match="needs --data"):
        run(Play())


def test_satellite_s_first_rows():
    folder = os.environ.get("EQUIPOISE_DATA")
    path = Path(folder or "", "uci", "satellite.csv")
    if folder is None or not path.exists():
        pytest.skip("EQUIPOISE_DATA names no folder with uci/satellite.csv")
    found = values(run(Play(data=path, policies=("ucb", "uniform"), seeds=1, size=1_500)))
    # Six classes: uniform errs 5/6 +- .05 (5 sd). The default errs .18 to .20 over the first 1,500 rows.
    assert abs(found["uniform"] - 5 / 6) < 0.05
    assert found["ucb"] < 0.26
