"""The command's world: rows, picture, what it refuses, and the real questions where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import InputError
from equipoise.encoders import HashingEncoder
from equipoise.lab.play import Play
from equipoise.lab.questions import run as questions
from equipoise.lab.questions.data import Asked, QuestionData, questions_from_folder
from equipoise.lab.questions.picture import in_parts
from equipoise.lab.questions.players import played
from equipoise.lab.questions.world import world_of
from equipoise.lab.worlds import play_world

from .tiny import folder_of

METRICS = ["error-last-fifth", "error-test", "error-pass"]


@pytest.fixture
def hashed(monkeypatch, tmp_path):
    """The world encoded by hashing, which needs no model."""
    monkeypatch.setattr(
        questions,
        "world_of",
        lambda data: world_of(data, encoder=HashingEncoder(), folder=tmp_path / "vectors"),
    )


def test_a_row_for_each_metric_of_each_player_and_a_picture(hashed, tmp_path):
    heard = []
    outcome = play_world(
        "questions",
        Play(
            data=folder_of(tmp_path),
            policies=("greedy", "similarity", "oracle", "greedy"),
            seeds=2,
            picture=tmp_path / "pictures" / "questions.png",
            progress=lambda *told: heard.append(told),
        ),
    )
    assert [(row.policy, row.metric) for row in outcome.rows] == [
        (name, metric) for name in ("greedy", "similarity", "oracle") for metric in METRICS
    ]
    assert {(row.world, row.seeds, row.visitors) for row in outcome.rows} == {("questions", 2, None)}
    assert all(0.0 <= row.value <= 1.0 and row.stderr >= 0.0 for row in outcome.rows)
    assert [row.value for row in outcome.rows[-3:]] == [0.0, 0.0, 0.0]
    assert (tmp_path / "pictures" / "questions.png").read_bytes()[:4] == b"\x89PNG"


def test_size_cuts_the_pass(hashed, tmp_path):
    outcome = play_world(
        "questions", Play(data=folder_of(tmp_path), policies=("similarity",), seeds=1, size=5)
    )
    # One of five questions is the last fifth: all right or all wrong.
    assert outcome.rows[0].value in (0.0, 1.0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "needs --data: a folder with train.csv"),
        ({"train_share": 0.5}, "no use for train share"),
        ({"visitors": (3,)}, "no use for visitors"),
        ({"label": "x"}, "no use for label"),
    ],
)
def test_what_the_world_cannot_play_is_refused(asked, words):
    with pytest.raises(InputError, match=words):
        play_world("questions", Play(**asked))


def test_a_curves_points_are_means_of_what_lies_before_them():
    ends, means = in_parts(np.arange(80.0))
    # 40 parts of two: (0 + 1) / 2, (2 + 3) / 2, ...
    assert ends.tolist() == list(range(2, 81, 2))
    assert means.tolist() == [0.5 + 2 * part for part in range(40)]


def test_real_questions_are_learned_from_rewards_alone():
    folder = Path(os.environ.get("EQUIPOISE_DATA", "")) / "banking77"
    if not folder.exists():
        pytest.skip("EQUIPOISE_DATA names no folder with banking77 in it: the real questions are left out")
    world = world_of(some(questions_from_folder(folder), answers=10, train=500, test=150))
    ours, text = (
        played(world, name, seed=0, watch=lambda done, mean: None) for name in ("greedy", "similarity")
    )
    # Measured: .03 against .25 of 150 test questions; the sd of their difference is at most .04.
    assert ours.test_wrong.mean() < text.test_wrong.mean() - 0.05


def some(data: QuestionData, *, answers: int, train: int, test: int) -> QuestionData:
    """The questions of the first few answers, the first so many of them in an order by seed."""

    def few(asked: Asked, n: int) -> Asked:
        rows = np.random.default_rng(7).permutation(np.flatnonzero(asked.right < answers))[:n]
        return Asked(tuple(asked.texts[row] for row in rows), asked.right[rows])

    return QuestionData(data.answers[:answers], few(data.train, train), few(data.test, test))
