"""The wheel's rules, by what can be worked out of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import InputError
from equipoise.lab.wheel.world import ACTIONS, DEVIATION, expected, quadrants, wheel


def made(size=20_000, delta=0.5, seed=0):
    return wheel(size, delta=delta, rng=np.random.default_rng(seed))


def test_contexts_fill_the_disk_evenly():
    radius = np.linalg.norm(made().contexts, axis=1)
    assert radius.max() <= 1.0
    # P(radius <= r) = r^2: each share within 5 sd of a binomial of 20,000, a false alarm in a million.
    for r in (0.3, 0.5, 0.9):
        assert abs((radius <= r).mean() - r * r) < 5 * np.sqrt(r * r * (1 - r * r) / 20_000)


def test_means_by_hand():
    # Inside .5 the first action pays 1.2 and the rest 1; outside, the owner of the quadrant pays 50.
    contexts = np.array([[0.1, 0.1], [0.6, 0.1], [0.6, -0.1], [-0.6, -0.1], [-0.6, 0.1]])
    assert expected(contexts, 0.5).tolist() == [
        [1.2, 1.0, 1.0, 1.0, 1.0],
        [1.2, 50.0, 1.0, 1.0, 1.0],
        [1.2, 1.0, 50.0, 1.0, 1.0],
        [1.2, 1.0, 1.0, 50.0, 1.0],
        [1.2, 1.0, 1.0, 1.0, 50.0],
    ]


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.05, 0.95))
def test_one_action_is_best_and_the_safe_one_where_nothing_is_rich(x, y, delta):
    means = expected(np.array([[x, y]]), delta)[0]
    assert np.count_nonzero(means == means.max()) == 1
    assert (means.argmax() == 0) == (np.hypot(x, y) <= delta)


def test_each_quadrant_has_an_owner_clockwise_from_the_north_east():
    around = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
    assert quadrants(around).tolist() == [1, 2, 3, 4]


def test_rewards_stray_by_a_hundredth():
    world = made()
    strayed = (world.rewards - world.means).ravel() / DEVIATION
    # Mean and variance of 100,000 standard normals: 5 sd of .0032 and of .0045.
    assert abs(strayed.mean()) < 0.016
    assert abs(strayed.var() - 1.0) < 0.023


def test_losses_are_what_the_best_would_have_added():
    world = made(size=100)
    assert (world.losses >= 0.0).all()
    assert (world.losses.min(axis=1) == 0.0).all()
    assert world.losses.shape == (100, len(ACTIONS))


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.5, float("nan")])
def test_a_delta_outside_the_disk_is_refused(delta):
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        made(size=3, delta=delta)
