"""What every posterior, and the explorer that learns, keep about rows that count for more or less than one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import Batch, FeatureSpace, InputError
from equipoise.policies import build
from equipoise.policies.campaigns.campaign import campaign
from equipoise.policies.campaigns.related import RelatedArms
from equipoise.policies.registry import POSTERIORS

SPACE = FeatureSpace("toy", "1", 4)
EVERY = [*POSTERIORS, "campaign"]
every_kind = pytest.mark.parametrize("kind", EVERY)
every_explorer = pytest.mark.parametrize("explorer", ["greedy", "softmax"])


def policy_of(kind, explorer="greedy", **settings):
    if kind == "campaign":
        return campaign(RelatedArms.of(SPACE), visitors=1000)
    # A learning explorer is told which feature is the similarity: else it learns from the forecast before the row,
    # which the second of two equal rows has changed.
    return build(explorer, SPACE, posterior=kind, similarity=0, **settings)


def strangers(rows):
    """Without users: a user's offset is learned by assumed density filtering, which cares how rows are parted."""
    return replace(rows, user_ids=(None,) * len(rows))


def doubled(rows):
    """Each row twice, one after the other."""
    at = np.repeat(np.arange(len(rows)), 2)
    return Batch(
        item_ids=tuple(rows.item_ids[row] for row in at),
        user_ids=tuple(rows.user_ids[row] for row in at),
        features=rows.features[at],
        rewards=rows.rewards[at],
        propensities=rows.propensities[at],
        space=rows.space,
    )


def same(state, other):
    assert state.keys() == other.keys()
    for key, array in state.items():
        np.testing.assert_array_equal(array, other[key], err_msg=key, strict=True)


def assert_alike(one, other, asked, tolerance=1e-9):
    left = one.posterior.believe(asked, spread=True, draws=64, rng=np.random.default_rng(4))
    right = other.posterior.believe(asked, spread=True, draws=64, rng=np.random.default_rng(4))
    np.testing.assert_allclose(left.mean, right.mean, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(left.spread, right.spread, rtol=tolerance, atol=tolerance)
    # draws are float32: as near as that can tell
    np.testing.assert_allclose(left.samples, right.samples, rtol=1e-4, atol=1e-4)
    assert left.rows == right.rows
    rng = np.random.default_rng
    np.testing.assert_allclose(one.distribution(asked, rng(5)), other.distribution(asked, rng(5)), atol=1e-7)


@every_explorer
@every_kind
def test_weight_two_is_the_row_twice(kind, explorer, batch, candidates):
    rows = strangers(batch(40))
    weighted, twice = policy_of(kind, explorer), policy_of(kind, explorer)
    weighted.update(replace(rows, weights=np.full(40, 2.0)))
    twice.update(doubled(rows))
    # A kernel's own rows are 0 apart only as far as float32 can tell.
    assert_alike(weighted, twice, candidates(9), tolerance=1e-7 if kind == "kernel" else 1e-9)


@pytest.mark.parametrize("kind", ["mixed", "kernel"])
def test_with_users_weight_two_is_nearly_the_row_twice(kind, batch, candidates):
    # The correlation between weights and a user's offset is dropped once a row, so once or twice. With 40 rows of 3
    # users the means then differ by less than a tenth of their spread.
    rows = batch(40)
    weighted, twice = policy_of(kind), policy_of(kind)
    weighted.update(replace(rows, weights=np.full(40, 2.0)))
    twice.update(doubled(rows))
    left = weighted.posterior.believe(candidates(9), spread=True)
    right = twice.posterior.believe(candidates(9), spread=True)
    assert (np.abs(left.mean - right.mean) < 0.1 * left.spread).all()
    assert left.rows == right.rows == 80


@every_explorer
@every_kind
def test_weight_zero_is_no_row(kind, explorer, batch, part):
    rows, left = batch(40), np.flatnonzero(np.arange(40) % 3)
    weighted, without = policy_of(kind, explorer), policy_of(kind, explorer)
    weighted.update(replace(rows, weights=(np.arange(40) % 3 > 0).astype(np.float64)))
    without.update(part(rows, left.tolist()))
    same(weighted.state(), without.state())
    weighted.update(replace(batch(3), weights=np.zeros(3)))
    same(weighted.state(), without.state())


@pytest.mark.parametrize("discount", [1.0, 0.9])
@every_explorer
@pytest.mark.parametrize("kind", POSTERIORS)
def test_no_weights_are_ones_bit_for_bit(kind, explorer, discount, batch):
    rows = batch(40)
    plain, ones = (policy_of(kind, explorer, discount=discount) for _ in range(2))
    plain.update(rows)
    ones.update(replace(rows, weights=np.ones(40)))
    same(plain.state(), ones.state())


def test_no_weights_are_ones_for_a_campaign_too(batch):
    plain, ones = policy_of("campaign"), policy_of("campaign")
    plain.update(batch(40))
    ones.update(replace(batch(40), weights=np.ones(40)))
    same(plain.state(), ones.state())


def test_compiled_arithmetic_learns_ones_as_no_weights(batch):
    pytest.importorskip("numba", reason="numba is not installed: it is the extra 'fast'")
    plain, ones = (policy_of("linear", arithmetic="compiled") for _ in range(2))
    plain.update(batch(40))
    ones.update(replace(batch(40), weights=np.ones(40)))
    same(plain.state(), ones.state())


@pytest.mark.parametrize("discount", [1.0, 0.9])
@every_explorer
@pytest.mark.parametrize("kind", POSTERIORS)
def test_one_weighted_batch_equals_its_rows_and_its_state_round_trips(kind, explorer, discount, batch, part):
    rows, weights = batch(40), np.random.default_rng(6).gamma(1.0, size=40)
    whole, single, twin = (policy_of(kind, explorer, discount=discount) for _ in range(3))
    whole.update(replace(rows, weights=weights))
    for row in range(40):
        single.update(replace(part(rows, [row]), weights=weights[row : row + 1]))
    same(whole.state(), single.state())
    twin.restore(whole.state())
    whole.update(batch(5, seed=8))
    twin.update(batch(5, seed=8))
    same(whole.state(), twin.state())


@settings(max_examples=15, deadline=None)
@given(weight=st.floats(0.05, 20.0), seed=st.integers(0, 1000))
def test_a_linear_posterior_is_weighted_least_squares(weight, seed):
    # With prior precision 1 and mean 0:  mean = (I + X'WX)^-1 X'W r,  S = (I + X'WX)^-1.
    rng = np.random.default_rng(seed)
    x, rewards = rng.normal(size=(20, 4)).astype(np.float32), rng.random(20)
    weights = weight * rng.random(20)
    learned = policy_of("linear")
    rows = Batch(("a",) * 20, (None,) * 20, x, rewards, np.ones(20), SPACE, weights)
    learned.update(rows)
    wide = x.astype(np.float64)
    precision = np.eye(4) + (wide.T * weights) @ wide
    np.testing.assert_allclose(
        learned.weights, np.linalg.solve(precision, wide.T @ (weights * rewards)), atol=1e-9
    )
    # Noise: (guess .25 x 10 rows + weighted squares that are left, the prior's pull among them) / (10 + sum w).
    squares = float(weights @ rewards**2) - float(learned.weights @ precision @ learned.weights)
    expected = (2.5 + squares) / (10.0 + weights.sum())
    assert learned.posterior.noise.variance == pytest.approx(expected, rel=1e-9)


def test_beta_counts_by_hand(candidates):
    # Prior worth 2 rows of .5: 1 success, 1 failure. 3.5 rows of reward 1 and 0.5 of reward 0 leave
    # (1 + 3.5) / (2 + 4) = .75, and 4 rows.
    policy = policy_of("beta", text=False)
    asked = replace(candidates(1), item_ids=("a",))
    rows = np.zeros((2, 4), dtype=np.float32)
    policy.update(
        Batch(("a", "a"), (None,) * 2, rows, np.array([1.0, 0.0]), np.ones(2), SPACE, np.array([3.5, 0.5]))
    )
    belief = policy.posterior.believe(asked)
    assert belief.mean[0] == pytest.approx(0.75)
    assert belief.rows == 4


def test_a_fraction_of_a_logistic_row_lies_between_none_and_one(candidates, batch):
    asked, means = candidates(4), []
    for weight in (0.0, 0.3, 0.7, 1.0, 1.5, 2.0):
        policy = policy_of("logistic")
        row = replace(batch(1), rewards=np.ones(1), features=asked.features[:1], weights=np.array([weight]))
        policy.update(row)
        means.append(policy.posterior.believe(asked).mean[0])
    assert (np.diff(means) > 0.01).all()
    assert means[0] == 0.5


BAD_WEIGHTS = {
    "negative": (np.array([1.0, -0.5, 1.0]), r"row 1 has weight -0\.5 .* finite and 0 or more"),
    "NaN": (np.array([np.nan, 1.0, 1.0]), "row 0 has weight nan"),
    "infinite": (np.array([1.0, 1.0, np.inf]), "row 2 has weight inf"),
    "too few": (np.ones(2), r"shape \(2,\) but there are 3 rows: give one a row, or None"),
    "too wide": (np.ones((3, 1)), r"shape \(3, 1\)"),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_weights_that_cannot_be_are_refused(case, batch):
    weights, words = BAD_WEIGHTS[case]
    with pytest.raises(InputError, match=words):
        replace(batch(3), weights=weights)


@pytest.mark.parametrize(("kind", "explorer"), [("logistic", "greedy"), ("linear", "softmax")])
def test_what_learns_copy_by_copy_refuses_a_mountain_of_them_and_learns_nothing(kind, explorer, batch):
    policy = policy_of(kind, explorer)
    before = policy.state()
    with pytest.raises(InputError, match=r"row 1 weighs 1e\+06: scale the weights to a mean of 1"):
        policy.update(replace(batch(3), weights=np.array([1.0, 1e6, 1.0])))
    same(policy.state(), before)
