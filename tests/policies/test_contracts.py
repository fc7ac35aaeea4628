"""The laws that every posterior, every explorer and every pair of them keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import (
    Batch,
    Candidates,
    FeatureSpace,
    FeatureSpaceError,
    InputError,
    NoCandidatesError,
    Policy,
    PropensityError,
)
from equipoise.policies import build
from equipoise.policies.registry import EXPLORERS, POSTERIORS

PAIRS = [(name, posterior) for posterior in POSTERIORS for name in EXPLORERS]
every_pair = pytest.mark.parametrize(("name", "posterior"), PAIRS)
every_posterior = pytest.mark.parametrize("posterior", POSTERIORS)
every_discount = pytest.mark.parametrize("discount", [1.0, 0.9])


def rng(seed=0):
    return np.random.default_rng(seed)


def shuffled(candidates, order):
    return replace(
        candidates,
        item_ids=tuple(candidates.item_ids[at] for at in order),
        features=candidates.features[order],
        vectors=candidates.vectors[order],
    )


def same(state, other):
    assert state.keys() == other.keys()
    for key, array in state.items():
        np.testing.assert_array_equal(array, other[key], err_msg=key, strict=True)


@every_pair
def test_a_policy_is_one(name, posterior, space):
    assert isinstance(build(name, space, posterior=posterior), Policy)


@every_pair
def test_distribution_sums_to_one_above_the_floor_before_and_after_learning(
    name, posterior, space, batch, candidates
):
    policy = build(name, space, posterior=posterior, floor=0.003)
    for rows in (0, 40):
        policy.update(batch(rows))
        for k in (1, 2, 9):
            odds = policy.distribution(candidates(k), rng())
            assert odds.shape == (k,)
            assert odds.dtype == np.float64
            assert abs(odds.sum() - 1.0) < 1e-9
            assert odds.min() >= 0.003


@every_pair
def test_a_slate_leaves_out_what_lies_above(name, posterior, space, batch, candidates):
    policy = build(name, space, posterior=posterior, floor=0.01)
    policy.update(batch(40))
    asked = candidates(7)
    slate = policy.slate(asked, rng(3))
    np.testing.assert_array_equal(slate.given(()), policy.distribution(asked, rng(3)))
    above: list[int] = []
    for position in (4, 0, 6, 2, 1, 5):
        above.append(position)
        odds = slate.given(above)
        left = np.delete(np.arange(7), above)
        assert (odds[above] == 0.0).all()
        assert (odds[left] >= 0.01).all()
        assert abs(odds.sum() - 1.0) < 1e-9
    with pytest.raises(InputError, match="none left"):
        slate.given(range(7))


@every_pair
def test_asking_changes_nothing(name, posterior, space, batch, candidates):
    policy = build(name, space, posterior=posterior)
    policy.update(batch(30))
    before = policy.state()
    policy.slate(candidates(9), rng()).given((1,))
    policy.believe(candidates(9), rng())
    same(policy.state(), before)
    np.testing.assert_array_equal(
        policy.distribution(candidates(9), rng()), policy.distribution(candidates(9), rng())
    )


@every_pair
def test_permuting_rows_permutes_entries(name, posterior, space, batch, candidates):
    policy = build(name, space, posterior=posterior)
    policy.update(batch(30))
    asked, order = candidates(9), rng(8).permutation(9)
    odds = policy.distribution(asked, rng())
    np.testing.assert_allclose(policy.distribution(shuffled(asked, order), rng()), odds[order], atol=1e-9)


@every_pair
def test_candidates_that_are_alike_have_the_same_odds(name, posterior, space):
    alike = Candidates(("a", "b", "c"), np.ones((3, 4), dtype=np.float32), space)
    odds = build(name, space, posterior=posterior).distribution(alike, rng())
    # Where items draw for themselves, 128 draws decide: 1/3 +- 5 sd of .042, a false alarm in 2 million.
    own_draws = posterior in ("mixed", "beta", "arms", "averaged", "kernel") and name in (
        "thompson",
        "top_two",
    )
    np.testing.assert_allclose(odds, np.full(3, 1 / 3), atol=0.21 if own_draws else 1e-9)


@every_discount
@every_posterior
def test_one_batch_equals_its_rows_bit_for_bit(posterior, discount, space, batch, part):
    rows = batch(50)
    whole, single, halves = (
        build("softmax", space, posterior=posterior, discount=discount) for _ in range(3)
    )
    whole.update(rows)
    for row in range(50):
        single.update(part(rows, [row]))
    halves.update(part(rows, range(17)))
    halves.update(part(rows, range(17, 50)))
    same(whole.state(), single.state())
    same(whole.state(), halves.state())


@every_discount
@every_posterior
def test_state_round_trips_bit_for_bit(posterior, discount, space, batch, candidates):
    policy, twin = (build("softmax", space, posterior=posterior, discount=discount) for _ in range(2))
    policy.update(batch(40))
    twin.restore(policy.state())
    same(twin.state(), policy.state())
    more = batch(20, items=40, seed=9)
    policy.update(more)
    twin.update(more)
    same(twin.state(), policy.state())
    np.testing.assert_array_equal(
        twin.distribution(candidates(9), rng()), policy.distribution(candidates(9), rng())
    )


@every_posterior
def test_a_state_is_a_copy(posterior, space, batch):
    policy = build("softmax", space, posterior=posterior)
    policy.update(batch(20))
    early = policy.state()
    kept = {key: array.copy() for key, array in early.items()}
    policy.update(batch(20, seed=5))
    same(early, kept)


@every_posterior
def test_learning_finds_the_best_item(posterior, space):
    # Items a to d in one-hot features, of which c pays 1 and the others 0: 200 rows leave no doubt.
    ids, features = ("a", "b", "c", "d"), np.eye(4, dtype=np.float32)
    policy = build("greedy", space, posterior=posterior)
    rows = rng(2).integers(0, 4, 200)
    policy.update(
        Batch(
            tuple(ids[row] for row in rows),
            (None,) * 200,
            features[rows],
            (rows == 2).astype(np.float64),
            np.full(200, 0.25),
            space,
        )
    )
    asked = Candidates(ids, features, space)
    belief = policy.believe(asked, rng())
    assert policy.distribution(asked, rng()).argmax() == 2
    assert belief.mean[2] > 0.8
    assert (belief.mean[[0, 1, 3]] < 0.2).all()


@every_posterior
def test_spread_shrinks_with_rows(posterior, space, batch, candidates):
    policy = build("ucb", space, posterior=posterior)
    asked = candidates(6)
    before = policy.believe(asked, rng()).spread
    policy.update(batch(300))
    after = policy.believe(asked, rng()).spread
    assert (after > 0.0).all()
    assert (after < before).all()


@every_posterior
def test_draws_are_given_only_where_asked(posterior, space, batch, candidates):
    believer = build("greedy", space, posterior=posterior).posterior
    believer.update(batch(10))
    plain = believer.believe(candidates(5))
    assert plain.spread is None
    assert plain.samples is None
    assert plain.rows == 10
    odd = believer.believe(candidates(5), draws=7, rng=rng())
    assert odd.samples.shape == (7, 5)
    with pytest.raises(InputError, match="random generator"):
        believer.believe(candidates(5), draws=1)


BAD_BATCHES = {
    "NaN feature": (
        lambda b: replace(b, features=np.full_like(b.features, np.nan)),
        InputError,
        "nan as feature 0",
    ),
    "wrong width": (lambda b: replace(b, features=b.features[:, :3]), InputError, r"\(5, 3\).*\(5, 4\)"),
    "NaN reward": (lambda b: replace(b, rewards=np.full(5, np.nan)), InputError, "reward nan of row 0"),
    "too few rewards": (lambda b: replace(b, rewards=b.rewards[:4]), InputError, "4 rewards"),
    "propensity 0": (
        lambda b: replace(b, propensities=np.zeros(5)),
        PropensityError,
        "row 0 with propensity 0.0",
    ),
    "propensity 1.5": (lambda b: replace(b, propensities=np.full(5, 1.5)), PropensityError, "propensity 1.5"),
    "other space": (
        lambda b: replace(b, space=FeatureSpace("toy", "2", 4)),
        FeatureSpaceError,
        r"policy 'softmax' works in toy@1 \(d=4\) but got features in toy@2 \(d=4\): .*rebuild",
    ),
}


@every_posterior
@pytest.mark.parametrize("case", BAD_BATCHES)
def test_a_bad_batch_is_refused_and_nothing_learned(posterior, case, space, batch):
    spoil, error, words = BAD_BATCHES[case]
    policy = build("softmax", space, posterior=posterior)
    policy.update(batch(20))
    before = policy.state()
    with pytest.raises(error, match=words):
        policy.update(spoil(batch(5)))
    same(policy.state(), before)


BAD_ROWS = {
    "NaN feature": (
        "features",
        np.array([[0.0, 0.0, np.nan, 1.0]], np.float32),
        InputError,
        "nan as feature 2",
    ),
    "infinite": (
        "features",
        np.array([[np.inf, -np.inf, 0.0, 1.0]], np.float32),
        InputError,
        "inf as feature 0",
    ),
    "two rows": ("features", np.ones((2, 4), np.float32), InputError, r"\(2, 4\).*\(1, 4\)"),
    "too wide": ("features", np.ones((1, 5), np.float32), InputError, r"\(1, 5\).*\(1, 4\)"),
    "flat": ("features", np.ones(4, np.float32), InputError, r"\(4,\).*\(1, 4\)"),
    "reward NaN": ("rewards", np.array([np.nan]), InputError, "reward nan of row 0"),
    "reward infinite": ("rewards", np.array([-np.inf]), InputError, "reward -inf of row 0"),
    "rewards": ("rewards", np.ones(2), InputError, "2 rewards"),
    "users": ("user_ids", (), InputError, "0 user_ids"),
    "propensities": ("propensities", np.ones(0), InputError, "0 propensities"),
    "propensity NaN": ("propensities", np.array([np.nan]), PropensityError, "propensity nan"),
    "propensity 0": ("propensities", np.zeros(1), PropensityError, "propensity 0.0"),
    "propensity above 1": ("propensities", np.array([1.25]), PropensityError, "propensity 1.25"),
    "space": ("space", FeatureSpace("toy", "2", 4), FeatureSpaceError, "toy@2"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused_and_nothing_learned(case, space, batch):
    """A batch of one row is checked by a way of its own, so each of its fields is spoiled here."""
    field, value, error, words = BAD_ROWS[case]
    policy = build("softmax", space, posterior="linear")
    policy.update(batch(20))
    before = policy.state()
    with pytest.raises(error, match=words):
        policy.update(replace(batch(1), **{field: value}))
    same(policy.state(), before)


@pytest.mark.parametrize(
    "features",
    [
        np.array([[3e38, 3e38, -3e38, 0.0]], np.float32) * np.float32(1.0),
        np.array([[0.5, 1e-3, -2.0, 0.0]]),
        np.arange(8, dtype=np.float32).reshape(1, 8)[:, ::2],
    ],
    ids=["sizes whose sum is infinite", "float64", "strided"],
)
def test_a_finite_row_is_learned_however_it_comes(features, space, batch):
    policy = build("softmax", space, posterior="linear")
    policy.update(replace(batch(1), features=features))
    assert policy.posterior.rows == 1


@pytest.mark.parametrize("posterior", ["beta", "logistic"])
@pytest.mark.parametrize("reward", [-0.1, 1.1])
def test_a_reward_that_is_no_chance_is_refused_and_nothing_learned(posterior, reward, space, batch):
    policy = build("softmax", space, posterior=posterior)
    before = policy.state()
    rows = batch(5)
    with pytest.raises(InputError, match=rf"reward {reward} of row 3: it must lie in \[0, 1\]"):
        policy.update(replace(rows, rewards=np.array([0.0, 1.0, 0.5, reward, 0.0])))
    same(policy.state(), before)


def test_too_many_arms_are_refused_and_nothing_learned(space, batch):
    policy = build("greedy", space, posterior="arms", most_arms=3)
    before = policy.state()
    with pytest.raises(InputError, match="'most_arms' is 3"):
        policy.update(batch(60, items=6))
    same(policy.state(), before)


@every_posterior
def test_bad_candidates_are_refused(posterior, space, candidates):
    policy = build("greedy", space, posterior=posterior)
    with pytest.raises(NoCandidatesError, match="no candidates"):
        policy.distribution(Candidates((), np.zeros((0, 4), dtype=np.float32), space), rng())
    with pytest.raises(FeatureSpaceError, match="rebuild"):
        policy.distribution(replace(candidates(3), space=FeatureSpace("other", "1", 4)), rng())
    spoiled = candidates(3).features.copy()
    spoiled[1, 2] = np.inf
    with pytest.raises(InputError, match="inf as feature 2 of row 1"):
        policy.distribution(replace(candidates(3), features=spoiled), rng())


@every_posterior
def test_a_foreign_state_is_refused_and_nothing_lost(posterior, space, batch):
    policy = build("softmax", space, posterior=posterior)
    policy.update(batch(20))
    before = policy.state()
    elsewhere = build("softmax", FeatureSpace("toy", "2", 4), posterior=posterior).state()
    with pytest.raises(FeatureSpaceError, match=r"toy@2"):
        policy.restore(elsewhere)
    for key in before:
        with pytest.raises(InputError, match="rebuild it from the journal"):
            policy.restore({other: array for other, array in before.items() if other != key})
    same(policy.state(), before)
