"""Whole plays: the engine beside the baselines, paired differences, and the picture of it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from equipoise.cli import main
from equipoise.core import ConfigurationError, InputError
from equipoise.engine import Engine
from equipoise.evaluation.charts import COLOURS
from equipoise.lab.films import (
    EnginePlayer,
    FilmsWorld,
    Played,
    Score,
    compare,
    films_settings,
    play,
    simulate,
)
from equipoise.lab.films.simulate import spread_over_users
from equipoise.lab.picture import reward_picture, sliding

from .tiny import watching, world_of, write


def small() -> FilmsWorld:
    """Three users, 40 ratings each of the same 40 films; the even films are liked."""
    ratings = [
        rating for user in range(3) for rating in watching(user, 40, start=50.0 * user, liked=range(0, 40, 2))
    ]
    return world_of(40, ratings)


def score(policy: str, rewards: list[float], users: list[int], first: list[bool]) -> Score:
    values = np.array(rewards)
    return Score(policy, values, Played(values, np.array(users), np.array(first)), 1)


def test_rows_by_hand() -> None:
    users, first = [1, 1, 2], [True, False, True]
    rows = compare(
        "films", [score("mine", [0.4, 0.6, 0.8], users, first), score("popularity", [0.2] * 3, users, first)]
    )
    assert [(row.policy, row.metric, row.value) for row in rows] == [
        ("mine", "reward", pytest.approx(0.6)),
        ("mine", "reward-popularity", pytest.approx(0.4)),  # .2, .4 and .6
        (
            "mine",
            "first-visit-popularity",
            pytest.approx(0.4),
        ),  # .2 and .6: the first visits of users 1 and 2
        ("popularity", "reward", pytest.approx(0.2)),
    ]
    assert rows[3].stderr == pytest.approx(0.0, abs=1e-12)


def test_a_paired_difference_that_is_always_the_same_is_certain() -> None:
    users, first = [1, 2, 3], [True] * 3
    rows = compare(
        "films", [score("mine", [0.3, 0.5, 0.9], users, first), score("als", [0.2, 0.4, 0.8], users, first)]
    )
    paired = next(row for row in rows if row.metric == "reward-als")
    assert paired.value == pytest.approx(0.1)
    assert paired.stderr == pytest.approx(0.0, abs=1e-12)
    assert rows[0].stderr > 0.1


def test_users_are_what_was_sampled() -> None:
    """Two users, always 1 and always 0: a resample of two has mean 0, 1/2 or 1 with chance 1/4, 1/2, 1/4, so the
    standard error is sqrt(1/8) = .354 however many visits they made. 1,000 resamples estimate it to about .007."""
    for visits in (1, 50):
        values, users = np.repeat([1.0, 0.0], visits), np.repeat([1, 2], visits)
        assert spread_over_users(values, users) == pytest.approx(np.sqrt(1 / 8), abs=0.03)
    many = np.random.default_rng(0).normal(size=400)
    assert spread_over_users(many, np.arange(400)) == pytest.approx(many.std() / 20.0, rel=0.1)


def test_the_engine_plays_and_learns_from_what_it_showed_alone() -> None:
    world = small()
    with Engine.of(films_settings("greedy", encoder={"name": "hashing"}), items=world.items) as engine:
        played = play(world, EnginePlayer(engine, world))
        assert engine.status()["settled"] == engine.status()["learned"] == len(world.visits) == 6
        assert engine.replay().identical
        for number, reward in enumerate(played.rewards.tolist(), start=1):
            why = engine.why(f"visit-{number}")
            assert why.reproduced
            assert np.mean(why.rewards or ()) == pytest.approx(reward)
        shown = [slot.item_id for number in range(1, 7) for slot in engine.why(f"visit-{number}").slots]
        assert set(engine.parts.learner.statistics.shown_ids) == set(shown)


def test_everybody_plays_in_a_copy_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int]] = []
    world = small()
    scores = simulate(
        world,
        ["oracle", "popularity", "greedy"],
        seeds=2,
        progress=lambda name, done, _: told.append((name, done)),
    )
    assert [one.policy for one in scores] == ["oracle", "popularity", "greedy"]
    assert scores[0].rewards.tolist() == [1.0] * 6
    assert told == [
        (name, done) for name in ("oracle", "popularity", "greedy") for _ in range(2) for done in range(1, 7)
    ]
    again = simulate(world, ["greedy"], seeds=2)
    assert again[0].rewards.tolist() == scores[2].rewards.tolist()


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: simulate(small(), ["popularty"]), ConfigurationError, "did you mean 'popularity'"),
        (lambda: simulate(small(), ["uniform"], seeds=0), InputError, "seeds is 0"),
        (lambda: simulate(world_of(20, []), ["uniform"]), InputError, "visit"),
    ],
)
def test_a_play_that_cannot_be(call: Callable[[], object], error: type[Exception], told: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert told in str(caught.value)


def test_a_window_slides_by_hand() -> None:
    """Rewards 0 to 19: a tenth is 2 visits; the last window holds 18 and 19, its error sqrt(1/2) / sqrt(2) = 1/2."""
    ends, means, errors = sliding(np.arange(20.0))
    assert (ends[0], means[0], ends[-1], means[-1]) == (2.0, 0.5, 20.0, 18.5)
    assert errors == pytest.approx(np.full(len(ends), 0.5))


@pytest.mark.parametrize("visits", [1, 2, 7, 300])
def test_the_picture_is_a_png_with_our_line_in_it(tmp_path: Path, visits: int) -> None:
    from matplotlib.image import imread

    rewards = np.random.default_rng(0).random(visits)
    users, first = list(range(visits)), [True] * visits
    scores = [
        score("mine", rewards.tolist(), users, first),
        score("other", (1 - rewards).tolist(), users, first),
    ]
    path = reward_picture(scores, tmp_path / "new" / "reward.any", title="Films")
    assert path == tmp_path / "new" / "reward.any"
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", raw[16:24])
    assert (1000 < width < 3000, 500 < height < 2000, len(raw) > 10_000) == (True, True, True)
    if visits > 2:
        ours = np.array([int(COLOURS[0][j : j + 2], 16) for j in (1, 3, 5)]) / 255.0
        pixels = imread(path, format="png")[..., :3]
        assert int((np.abs(pixels - ours).max(axis=2) < 0.02).sum()) > 100


def test_simulate_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        f"{user},{film},{5 - film % 2 * 3},{100 * user + film}" for user in (1, 2, 3) for film in range(40)
    ]
    movies = "movieId,title,genres\n" + "".join(f"{film},Film {film} (1999),Drama\n" for film in range(40))
    write(tmp_path, movies, "userId,movieId,rating,timestamp\n" + "\n".join(lines) + "\n")
    words = ["simulate", "films", "--data", str(tmp_path), "--policy", "uniform", "popularity", "oracle"]
    assert main([*words, "--seeds", "2", "--picture", str(tmp_path / "p.png"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {tuple(row) for row in rows} == {
        ("world", "policy", "metric", "value", "stderr", "seeds", "visitors")
    }
    assert [row["policy"] for row in rows if row["metric"] == "reward"] == ["uniform", "popularity", "oracle"]
    assert next(row["value"] for row in rows if row["policy"] == "oracle") == 1.0
    assert (tmp_path / "p.png").stat().st_size > 10_000
    assert main(words) == 0
    assert "oracle" in capsys.readouterr().out
    assert main([*words, "popularty"]) == 1
    assert "did you mean 'popularity'" in capsys.readouterr().err
