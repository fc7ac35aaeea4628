"""The linear world: its law, its references, and that text makes many items no harder than few."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import ConfigurationError, InputError
from equipoise.lab.linear.players import MOST, Searcher, regret_of
from equipoise.lab.linear.run import ITEMS, run
from equipoise.lab.linear.world import DIM, linear_world, slope
from equipoise.lab.play import Play


def made(items=50, rounds=200, *, text=True, seed=0):
    return linear_world(items, rounds, text=text, rng=np.random.default_rng(seed))


def quiet(done, mean):
    """Nobody watches."""


@pytest.mark.parametrize("text", [True, False])
def test_means_are_chances_linear_in_what_is_said(text):
    world = made(text=text)
    means = world.means(3)
    assert ((means >= 0.0) & (means <= 1.0)).all()
    weights = np.append(0.5, world.theta / 2.0)
    forecast = world.features(3, np.arange(50)) @ weights
    assert np.allclose(forecast, means, atol=1e-6) is text
    assert (means == world.means(4)).all() is np.bool_(not text)


def test_items_and_requests_are_what_they_say():
    world = made(items=300)
    np.testing.assert_allclose(np.linalg.norm(world.vectors, axis=1), 1.0, rtol=1e-5)
    assert set(np.unique(world.requests)) == {-1.0, 1.0}
    assert world.features(0, np.array([4, 7])).shape == (2, DIM + 1)


def test_slope_by_hand():
    rounds = np.arange(1, 1_001)
    assert slope(3.0 * rounds**0.5) == pytest.approx(0.5)
    assert slope(0.2 * rounds) == pytest.approx(1.0)
    assert np.isnan(slope(np.zeros(100)))


def test_the_oracle_loses_nothing_and_uniform_the_mean_gap():
    world = made(rounds=2_000)
    rng = np.random.default_rng(1)
    assert (regret_of("oracle", world, rng, quiet) == 0.0).all()
    gaps = np.array([world.means(at).max() - world.means(at).mean() for at in range(2_000)])
    # The sum of 2,000 chances of sd at most .18: 5 sd are 40.
    assert abs(regret_of("uniform", world, rng, quiet)[-1] - gaps.sum()) < 40.0


def test_thompson_loses_less_the_longer_it_plays_where_text_helps():
    world = made(items=30, rounds=1_200)
    regret = regret_of("thompson", world, np.random.default_rng(2), quiet)
    uniform = regret_of("uniform", world, np.random.default_rng(2), quiet)
    assert regret[-1] < 0.5 * uniform[-1]
    assert regret[-1] - regret[-300] < 0.6 * regret[299]


def test_many_items_come_as_the_best_of_a_draw_and_of_the_mean():
    world = made(items=3_000, rounds=40)
    player = Searcher.of("thompson", world)
    rng = np.random.default_rng(3)
    for at in range(30):
        player.play(at, world.means(at), rng)
    found = player.candidates(30, rng)
    assert len(set(found.tolist())) == len(found) <= MOST
    weights = player.policy.weights
    best = int((world.features(30, np.arange(3_000)) @ weights).argmax())
    assert best in found.tolist()
    assert set(list(player.earned)[:1]) <= set(range(3_000))


def test_few_items_are_all_candidates():
    player = Searcher.of("greedy", made(items=MOST))
    assert player.candidates(0, np.random.default_rng(0)).tolist() == list(range(MOST))


def test_a_play_has_rows_for_six_worlds_and_a_picture(tmp_path):
    picture = tmp_path / "linear.png"
    outcome = run(Play(policies=("uniform", "oracle"), seeds=1, size=40, picture=picture))
    metrics = {row.metric for row in outcome.rows if row.policy == "uniform"}
    assert metrics == {f"{m}-{t}-{n}" for m in ("regret", "slope") for t in ("text", "plain") for n in ITEMS}
    assert {row.metric for row in outcome.rows if row.policy == "oracle"} == {
        f"regret-{t}-{n}" for t in ("text", "plain") for n in ITEMS
    }
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_played_is_refused():
    with pytest.raises(ConfigurationError, match="did you mean 'oracle'"):
        run(Play(policies=("oracl",), size=5))
    with pytest.raises(InputError, match="no use for label"):
        run(Play(label="class"))
