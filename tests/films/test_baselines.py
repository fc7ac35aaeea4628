"""The baselines on worlds of a few films, each number by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from equipoise.lab.films import BASELINES, REFERENCES, FilmsWorld, Player, play
from equipoise.lab.films import baselines as module
from equipoise.lab.films.baselines import Bias, Popularity, Similarity, best

from .tiny import visit, watching, world_of


@pytest.fixture
def rng() -> Iterator[np.random.Generator]:
    yield np.random.default_rng(3)


def test_best_is_best_and_ties_are_thrown_for(rng: np.random.Generator) -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.5])
    firsts = {tuple(best(scores, 3, rng).tolist()) for _ in range(40)}
    assert firsts == {(1, 2, 3), (1, 3, 2)}  # missed by 2 of 2**40 seeds


def test_popularity_is_shrunk_by_ten_visits(rng: np.random.Generator) -> None:
    """Film 0 liked in 2 of 2 shows, film 1 in 0 of 1; all of them 2 / 3. So (2 + 10 x 2/3) / 12, (0 + 20/3) / 11."""
    player = Popularity(3, rng)
    player.learn(visit([0, 1, 2], [1.0, 0.0, 1.0]), np.array([0, 1]))
    player.learn(visit([0, 2], [1.0, 0.0]), np.array([0]))
    scores = player.scores(np.array([0, 1, 2]))
    assert scores == pytest.approx([(2 + 20 / 3) / 12, (20 / 3) / 11, 2 / 3])
    assert player.choose(visit([1, 0, 2], [0.0] * 3), 2).tolist() == [1, 2]


def test_bias_counts_a_reward_by_how_far_it_lies_above_what_the_user_gives(rng: np.random.Generator) -> None:
    """Visit 1: level 1/2, the user is unknown, so expected 1/2: films 0 and 1 stand at +1/2 and -1/2 of 1 + 10.
    Visit 2 of the same user: level 3/4, of 2 answers 1 was liked: expected 3/4 + (1 - 2 x 3/4) / 12."""
    player = Bias(4, rng)
    player.learn(visit([0, 1, 2, 3], [1.0, 0.0, 0.0, 0.0]), np.array([0, 1]))
    player.learn(visit([2, 3], [1.0, 1.0]), np.array([0, 1]))
    above = 1.0 - (0.75 - 0.5 / 12)
    assert player.scores(np.arange(4)) == pytest.approx([0.5 / 11, -0.5 / 11, above / 11, above / 11])


def test_similarity_looks_near_to_what_was_liked_and_shown(rng: np.random.Generator) -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6], [0.6, 0.8]], dtype=np.float32)
    player = Similarity(vectors, rng)
    player.learn(visit([0, 1], [1.0, 1.0]), np.array([0]))  # film 1 is liked too, but was not shown
    assert player.choose(visit([3, 2, 1], [0.0] * 3), 3).tolist() == [1, 0, 2]
    seen = {tuple(player.choose(visit([3, 2, 1], [0.0] * 3, user=9), 2).tolist()) for _ in range(60)}
    assert (
        len(seen) == 6
    )  # a stranger gets any of the 3 x 2 slates; one is missed by 6 x (5/6)**60 = .0001 of seeds


def two_tastes() -> FilmsWorld:
    """Users 0 to 3 like films 0 to 9, users 4 to 7 films 10 to 19; each has two visits of 20 films."""
    ratings = []
    for user in range(8):
        liked = range(10) if user < 4 else range(10, 20)
        again = [film + 20 for film in liked]
        ratings += watching(user, 40, start=100.0 * user, liked=[*liked, *again])
    return world_of(40, ratings)


def test_factors_tell_two_tastes_apart(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr(module, "REFIT", 8)
    world = two_tastes()
    player = BASELINES["als"](world, np.zeros((0, 0), dtype=np.float32), rng)
    for user in range(8):
        liked = [float((film < 10) == (user < 4)) for film in range(20)]
        player.learn(visit(range(20), liked, user=user), np.arange(20))
    for user in range(8):
        chosen = player.choose(visit(range(20), [0.0] * 20, user=user), 10)
        assert set(chosen.tolist()) == set(range(10) if user < 4 else range(10, 20))
    stranger = player.choose(visit(range(20), [0.0] * 20, user=7), 5)
    assert len(set(stranger.tolist())) == 5


def played(name: str, world: FilmsWorld, seed: int = 0) -> float:
    make = {**BASELINES, **REFERENCES}[name]
    vectors = np.eye(len(world.items), dtype=np.float32)
    player: Player = make(world, vectors, np.random.default_rng(seed))
    return play(world, player).mean


def test_the_oracle_gets_all_and_uniform_its_share() -> None:
    """A quarter of 40 x 8 ratings is liked; 16 visits of 5 slots: standard error sqrt(.25 x .75 / 80) = .048 a run,
    .011 over 20 seeds (less, since a slate draws without replacement); four of them are passed by all but .006 %."""
    world = two_tastes()
    assert played("oracle", world) == 1.0
    rewards = [played("uniform", world, seed) for seed in range(20)]
    shares = [visit.liked.mean() for visit in world.visits]
    assert np.mean(rewards) == pytest.approx(np.mean(shares), abs=0.05)


def test_hindsight_knows_every_rating_from_the_start(rng: np.random.Generator) -> None:
    """Film 3 is liked by all five users, no other film by anyone: hindsight shows it to the very first."""
    ratings = [rating for user in range(5) for rating in watching(user, 20, start=100.0 * user, liked=[3])]
    world = world_of(20, ratings)
    vectors = np.zeros((0, 0), dtype=np.float32)
    player = REFERENCES["hindsight"](world, vectors, rng)
    assert 3 in player.choose(world.visits[0], 1).tolist()


def test_earlier_ratings_are_those_until_the_next_visit_and_no_later_ones(rng: np.random.Generator) -> None:
    """User 0 has two visits; what was shown at the first is gone from the second, yet each rating counts once."""
    world = world_of(60, [*watching(0, 40, liked=range(40)), *watching(1, 20, first=40, start=999.0)])
    vectors = np.zeros((0, 0), dtype=np.float32)
    player = REFERENCES["earlier-ratings"](world, vectors, rng)
    play(world, player)
    assert isinstance(player, Popularity)
    assert player.counts.tolist() == [1.0] * 60
    assert player.sums.tolist() == [1.0] * 40 + [0.0] * 20
