"""The contract of an estimator, for each of ours, and laws that hold for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import Baseline, Estimator, InputError, PropensityError
from equipoise.evaluation.estimators import (
    ESTIMATORS,
    NEEDS_BASELINE,
    AdaptiveDr,
    ClippedIps,
    OptimisticDr,
    SubGaussianDr,
    SubGaussianIps,
    SwitchDr,
    Tuned,
    WeightedIps,
    difference,
    estimator,
)
from equipoise.evaluation.estimators.rows import BLOCK
from equipoise.lab.contracts import EstimatorCase, laws

from .world import thrown

CONSISTENT = {"replay", "clipped_ips", "snips", "sndr", "sg_ips", "sg_dr", "dros", "switch_dr"}

WORLDS = 150
"""Half of the usual number: the spread is then known within 6 %, still a fifth of what its law allows."""

CASES = {
    **{
        name: EstimatorCase(
            made(),
            worlds=WORLDS,
            consistent=name in CONSISTENT,
            leans="true" if name == "dm" else "wrong" if name in NEEDS_BASELINE else "none",
        )
        for name, made in ESTIMATORS.items()
        if not isinstance(made(), Tuned)
    },
    "clipped_ips": EstimatorCase(ClippedIps(ceiling=5.0), worlds=WORLDS),
    "sg_ips": EstimatorCase(SubGaussianIps(shrinkage=1e-3), consistent=True, worlds=WORLDS),
    "switch_dr": EstimatorCase(SwitchDr(ceiling=5.0), leans="wrong", worlds=WORLDS),
    "dros": EstimatorCase(OptimisticDr(shrinkage=3000.0), consistent=True, leans="wrong", worlds=WORLDS),
    "sg_dr": EstimatorCase(SubGaussianDr(shrinkage=1e-3), consistent=True, leans="wrong", worlds=WORLDS),
    "weighted_ips": EstimatorCase(WeightedIps(logger=np.arange(400) % 2), consistent=True, worlds=WORLDS),
    "adaptive_dr": EstimatorCase(AdaptiveDr(), worlds=WORLDS),
}
"""Clipped weights and SWITCH have their ceiling above the known world's largest weight, 4, so nothing is cut."""

LAWS = [
    (name, law)
    for name in CASES
    for law in laws("estimator")
    # It trusts loggers by their variances, not by their rows, so it gives no plain mean.
    if (name, law.name) != ("weighted_ips", "the_logging_policy_earns_the_plain_mean")
]


@pytest.mark.parametrize(("name", "law"), LAWS, ids=lambda part: str(part))
def test_contract(name, law):
    law(CASES[name])


def arguments(n=300, seed=0):
    log = thrown(n, seed)
    rng = np.random.default_rng(seed)
    return (*log.columns, Baseline(rng.random(n), rng.random(n)))


@pytest.fixture(params=[*ESTIMATORS, "adaptive_dr"])
def any_estimator(request):
    return AdaptiveDr() if request.param == "adaptive_dr" else estimator(request.param)


def test_it_is_an_estimator(any_estimator):
    assert isinstance(any_estimator, Estimator)


def test_terms_carry_the_estimate(any_estimator):
    """The mean of the terms is the value and their spread its standard error, over one block and over several."""
    for n in (300, BLOCK + 1):
        log = arguments(n)
        found, terms = any_estimator.estimate(*log), any_estimator.terms(*log)
        assert terms.shape == (n,)
        assert terms.mean() == pytest.approx(found.value, abs=1e-12)
        assert terms.std(ddof=1) / np.sqrt(n) == pytest.approx(found.stderr, rel=1e-9)


def test_it_changes_nothing_that_it_is_given(any_estimator):
    log = arguments()
    kept = [column.copy() for column in (*log[:3], log[3].shown, log[3].expected)]
    any_estimator.estimate(*log)
    any_estimator.terms(*log)
    for column, before in zip((*log[:3], log[3].shown, log[3].expected), kept, strict=True):
        assert np.array_equal(column, before)


def test_rewards_in_other_units_move_the_estimate_along(any_estimator):
    """Rewards times 100 give 100 times the value and error: nothing depends on their unit."""
    rewards, propensities, target, baseline = arguments()
    plain = any_estimator.estimate(rewards, propensities, target, baseline)
    larger = Baseline(100 * baseline.shown, 100 * baseline.expected)
    scaled = any_estimator.estimate(100 * rewards, propensities, target, larger)
    assert scaled.value == pytest.approx(100 * plain.value, rel=1e-9)
    assert scaled.stderr == pytest.approx(100 * plain.stderr, rel=1e-9)


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {"replay"}))
@given(seed=st.integers(0, 10_000), n=st.integers(2, 60))
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_changes_nothing(name, seed, n):
    """But for replay, whose dice are thrown row by row."""
    made = estimator(name)
    rewards, propensities, target, baseline = arguments(n, seed)
    order = np.random.default_rng(seed).permutation(n)
    one = made.estimate(rewards, propensities, target, baseline)
    mixed = Baseline(baseline.shown[order], baseline.expected[order])
    other = made.estimate(rewards[order], propensities[order], target[order], mixed)
    assert other.value == pytest.approx(one.value, abs=1e-9)
    assert other.stderr == pytest.approx(one.stderr, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    rewards=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30),
    shift=st.floats(-1e6, 1e6),
    seed=st.integers(0, 1_000),
)
def test_self_normalised_weights_stay_in_range_and_move_along(rewards, shift, seed):
    """SNIPS lies between the least and the most reward, and moves by what is added to every reward."""
    rng = np.random.default_rng(seed)
    given_rewards, n = np.array(rewards), len(rewards)
    propensities, target = rng.uniform(0.1, 1.0, n), rng.uniform(0.1, 1.0, n)
    snips = estimator("snips")
    value = snips.estimate(given_rewards, propensities, target).value
    assert given_rewards.min() - 1e-6 <= value <= given_rewards.max() + 1e-6
    moved = snips.estimate(given_rewards + shift, propensities, target).value
    assert moved == pytest.approx(value + shift, abs=1e-5)


@pytest.mark.parametrize("wrong", [0.0, -0.2, 1.5, float("nan"), float("inf")])
def test_what_is_no_propensity_is_refused_with_its_row(any_estimator, wrong):
    rewards, propensities, target, baseline = arguments(BLOCK + 50)
    propensities[BLOCK + 7] = wrong
    with pytest.raises(PropensityError, match=rf"the propensity in row {BLOCK + 7} is"):
        any_estimator.estimate(rewards, propensities, target, baseline)
    with pytest.raises(PropensityError, match=rf"row {BLOCK + 7} "):
        any_estimator.terms(rewards, propensities, target, baseline)


@pytest.mark.parametrize("wrong", [-0.1, 1.2, float("nan")])
def test_what_is_no_target_probability_is_refused(any_estimator, wrong):
    rewards, propensities, target, baseline = arguments()
    target[5] = wrong
    with pytest.raises(PropensityError, match=r"target probability in row 5"):
        any_estimator.estimate(rewards, propensities, target, baseline)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_reward_that_is_no_number_is_refused(any_estimator, wrong):
    rewards, propensities, target, baseline = arguments()
    rewards[3] = wrong
    with pytest.raises(InputError, match="the reward in row 3"):
        any_estimator.estimate(rewards, propensities, target, baseline)


def test_texts_and_lengths_and_nothing_are_refused(any_estimator):
    rewards, propensities, target, baseline = arguments(20)
    with pytest.raises(InputError, match="rewards must be numbers"):
        any_estimator.estimate(np.array(["a"] * 20), propensities, target, baseline)
    with pytest.raises(InputError, match=r"must all be \(n,\)"):
        any_estimator.estimate(rewards[1:], propensities, target, baseline)
    nothing = np.zeros(0)
    with pytest.raises(InputError, match="at least 1"):
        any_estimator.estimate(nothing, nothing, nothing, Baseline(nothing, nothing))


@pytest.mark.parametrize("name", sorted(NEEDS_BASELINE))
def test_a_missing_model_is_said(name):
    with pytest.raises(InputError, match="leans on a reward model but got no baseline"):
        estimator(name).estimate(*arguments(20)[:3])


def test_a_minus_zero_is_a_zero():
    rewards, propensities, target, _ = arguments(20)
    target[3] = 0.0
    plain = estimator("ips").estimate(rewards, propensities, target)
    target[3] = -0.0
    assert estimator("ips").estimate(rewards, propensities, target) == plain


def test_a_forecast_that_is_no_number_is_refused():
    rewards, propensities, target, baseline = arguments(20)
    baseline.shown[4] = np.nan
    with pytest.raises(InputError, match="the forecast in row 4"):
        estimator("dr").estimate(rewards, propensities, target, baseline)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(InputError, match="choose one of replay, ips, clipped_ips"):
        estimator("ipw")


def test_one_row_says_nothing_of_its_spread():
    one = np.ones(1)
    found = estimator("ips").estimate(one, one, one)
    assert (found.value, found.stderr, found.n) == (1.0, np.inf, 1)


@pytest.mark.parametrize("name", ["snips", "sndr"])
def test_a_target_that_never_shows_what_was_shown_has_no_ratio(name):
    rewards, propensities, _, baseline = arguments(20)
    with pytest.raises(InputError, match="this log cannot say"):
        estimator(name).estimate(rewards, propensities, np.zeros(20), baseline)
    assert estimator("ips").estimate(rewards, propensities, np.zeros(20)).n_effective == 0.0


def test_a_policy_earns_as_much_as_itself(any_estimator):
    rewards, propensities, target, baseline = arguments()
    found = difference(any_estimator, rewards, propensities, target, target, baseline, baseline)
    assert (found.value, found.stderr) == (0.0, 0.0)
