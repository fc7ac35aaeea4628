"""Playing the wheel: references first, then what an explorer must do that greedy cannot."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import ConfigurationError, InputError
from equipoise.lab.play import Play
from equipoise.lab.wheel.players import PRIOR, choices, played, player
from equipoise.lab.wheel.run import DELTAS, regret_percent, run
from equipoise.lab.wheel.world import wheel


def watched(*_):
    """Nobody watches."""


def test_the_oracle_loses_nothing_and_uniform_all():
    outcome = run(Play(policies=("oracle", "uniform"), seeds=5, size=4_000))
    values = {(row.policy, row.metric): row for row in outcome.rows}
    assert len(values) == 2 * len(DELTAS)
    for delta in DELTAS:
        assert values["oracle", f"regret-percent-{delta:g}"].value == 0.0
        uniform = values["uniform", f"regret-percent-{delta:g}"]
        # At least 390 of 4,000 contexts are rich, each won with chance 1/5 on 5 streams: 5 sd are 5 x 1.2 %.
        assert abs(uniform.value - 100.0) < 6.0
        assert uniform.seeds == 5


def test_regret_by_hand():
    # Losses over 2 rounds: uniform's expected loss is (.16 + .16) = .32; showing a plain action loses .2.
    world = wheel(2, delta=0.999_999, rng=np.random.default_rng(0))
    assert regret_percent(world, np.array([0, 1])).tolist() == pytest.approx([0.0, 100 * 0.2 / 0.32])


def test_thompson_finds_the_rim_and_greedy_never_looks():
    world = wheel(3_000, delta=0.5, rng=np.random.default_rng(1))
    ends = {
        name: regret_percent(world, choices(name, world, np.random.default_rng(2), watched))[-1]
        for name in ("thompson", "greedy")
    }
    assert ends["thompson"] < 20.0
    assert ends["greedy"] > 50.0


def test_a_play_is_repeatable_and_tells_how_far_it_is():
    told = []
    world = wheel(4_000, delta=0.9, rng=np.random.default_rng(3))
    first = played(player("greedy-floor"), world, np.random.default_rng(4), lambda *at: told.append(at))
    again = played(player("greedy-floor"), world, np.random.default_rng(4), watched)
    np.testing.assert_array_equal(first, again)
    assert told == [(4_000, pytest.approx(world.rewards[np.arange(4_000), first].mean()))]


def test_each_action_is_first_shown_twice_in_turn():
    world = wheel(12, delta=0.5, rng=np.random.default_rng(5))
    chosen = played(player("thompson"), world, np.random.default_rng(6), watched)
    assert chosen[:10].tolist() == [0, 1, 2, 3, 4] * 2


def test_the_prior_is_the_published_one():
    # IG(6, 6): mean 6 / 5, and a = 1 + rows / 2 = 6.
    assert PRIOR["noise"] == pytest.approx(6.0 / 5.0)
    assert 1.0 + PRIOR["noise_rows"] / 2.0 == 6.0


def test_a_picture_is_drawn(tmp_path):
    picture = tmp_path / "wheel.png"
    run(Play(policies=("uniform", "oracle"), seeds=1, size=50, picture=picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_played_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="did you mean 'thompson'"):
        run(Play(policies=("tompson",), size=10))
    with pytest.raises(InputError, match="no use for label"):
        run(Play(label="class", size=10))
