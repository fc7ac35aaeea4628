"""The explorer for a known number of visitors: its two values against brute force, and what it does at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from equipoise.core import ConfigurationError
from equipoise.policies import Belief, LogitBelief, LogitNormal
from equipoise.policies.explorers import Horizon
from equipoise.policies.explorers.horizon import expected_max, knowledge, lengths, logit_odds, logit_values


def belief_of(mean, spread, *, rows=0):
    ids = tuple(f"i{at}" for at in range(len(mean)))
    return Belief(ids, np.array(mean), np.array(spread), None, rows)


def logits_of(seed: int, k: int) -> LogitNormal:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, k))
    return LogitNormal(rng.normal(-4, 0.5, k), 0.05 * root @ root.T + 0.05 * np.eye(k) + 0.3)


def test_the_closed_form_against_a_dense_sum():
    mean, moved, rivals = np.array([0.3, 0.5, 0.1]), np.array([0.2, 0.0, 0.4]), np.array([0.4, 0.3, 0.5])
    z = np.linspace(-9, 9, 200_001)
    weight = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    dense = [weight @ np.maximum(m + s * z, r) for m, s, r in zip(mean, moved, rivals, strict=True)]
    np.testing.assert_allclose(expected_max(mean, moved, rivals), dense, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 5_000))
def test_knowing_never_harms_and_more_visitors_teach_more(seed, k, n):
    logits = logits_of(seed, k)
    chances = logits.chances()
    few, many = knowledge(logits, chances, n), knowledge(logits, chances, 10 * n)
    assert (few >= 0.0).all()
    # A rule of ten nodes errs by a little where the lines cross between two nodes.
    assert (many >= few - 0.02 * chances.max()).all()


def test_the_value_of_knowing_against_clicks_drawn_one_world_after_the_other():
    """Two arms at low rates; show n = 2,000 visitors of arm 0 and see by how much the best mean rises.

    The Monte-Carlo error of 4,000 worlds is below .3 % of a rate of .018, and quadrature and Laplace add
    theirs: a tolerance of .0004 lets no factor of two pass, the gain being about .0015.
    """
    from equipoise.policies import learned

    logits = LogitNormal(np.array([-4.1, -4.0]), np.diag([0.16, 0.01]))
    chances = logits.chances()
    rng = np.random.default_rng(5)
    worlds = expit(logits.mean + rng.standard_normal((4_000, 2)) * np.sqrt(logits.variance))
    shown = np.tile([2_000.0, 0.0], (4_000, 1))
    clicks = np.stack([rng.binomial(2_000, worlds[:, 0]), np.zeros(4_000)], axis=1).astype(float)
    after = learned(logits, shown, clicks).chances()
    simulated = after.max(axis=1).mean() - after.mean(axis=0).max()
    assert knowledge(logits, chances, 2_000)[0] == pytest.approx(simulated, abs=0.0004)
    assert simulated > 0.001


def test_the_last_batch_goes_to_the_best():
    logits = logits_of(3, 5)
    odds = logit_odds(logits, left=20, batch=20)
    assert odds[np.argmax(logits.chances())] == 1.0
    assert Horizon(visitors=10).distribution(belief_of([0.2, 0.3], [0.4, 0.0], rows=10)).tolist() == [
        0.0,
        1.0,
    ]


def test_with_many_left_it_asks_about_the_unsure():
    sure_or_not = [0.50, 0.48], [0.001, 0.10]
    assert Horizon(visitors=1).distribution(belief_of(*sure_or_not)).tolist() == [1.0, 0.0]
    assert Horizon(visitors=5_000).distribution(belief_of(*sure_or_not)).tolist() == [0.0, 1.0]


def test_a_value_by_hand():
    # Two arms of mean 0, one sure, the other N(0, 1); noise 1, two visitors left, one a batch. Looking at n = 1, the mean
    # moves by 1 / sqrt(1 + 1) = .7071; E max(.7071 z, 0) = .7071 phi(0) = .2821. V = 1 x 0 + 1 x .2821.
    explorer = Horizon(visitors=2, reward_variance=1.0)
    belief = belief_of([0.0, 0.0], [1.0, 0.0])
    np.testing.assert_allclose(explorer._values(belief, 2, None), [0.2821, 0.0], atol=1e-4)


def test_lengths_end_with_everybody_left():
    assert list(lengths(400, 20)) == [20, 60, 180, 400]
    assert list(lengths(7, 20)) == [7]


def test_equal_arms_share():
    logits = LogitNormal(np.full(3, -4.0), 0.1 * np.eye(3) + 0.3)
    np.testing.assert_allclose(logit_odds(logits, left=1_000, batch=20), 1 / 3)


def test_seeds_side_by_side_are_the_same_as_alone():
    one, two = logits_of(1, 4), logits_of(2, 4)
    both = LogitNormal(np.stack([one.mean, two.mean]), np.stack([one.covariance, two.covariance]))
    values = logit_values(both, left=700, batch=20)
    for row, alone in enumerate((one, two)):
        np.testing.assert_allclose(values[row], logit_values(alone, left=700, batch=20), rtol=1e-12)


def test_those_above_get_nothing_and_change_nobody_else():
    logits = logits_of(4, 4)
    belief = LogitBelief(
        item_ids=tuple("abcd"), mean=logits.chances(), spread=None, samples=None, rows=0, logits=logits
    )
    available = np.array([True, False, True, True])
    odds = Horizon(visitors=500).distribution(belief, available)
    kept = np.flatnonzero(available)
    rest = LogitNormal(logits.mean[kept], logits.covariance[np.ix_(kept, kept)])
    assert odds[1] == 0.0
    np.testing.assert_array_equal(odds[kept], logit_odds(rest, left=500, batch=1))


@pytest.mark.parametrize(("name", "value"), [("visitors", 0), ("batch", 0), ("reward_variance", 0.0)])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ConfigurationError, match=name):
        Horizon(**{name: value})
