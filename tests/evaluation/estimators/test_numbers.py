"""Numbers that a reader can check by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from equipoise.core import Baseline, Estimate, InputError, PropensityError
from equipoise.evaluation.estimators import (
    AdaptiveDr,
    BalancedIps,
    ClippedIps,
    Dm,
    Dr,
    Ips,
    Loggers,
    OptimisticDr,
    Replay,
    Sndr,
    Snips,
    SubGaussianDr,
    SubGaussianIps,
    SwitchDr,
    Tuned,
    WeightedIps,
    clustered,
    marginalised,
    of_shown,
)
from equipoise.evaluation.estimators.tuning import _by_error

REWARDS = np.array([1.0, 0.0, 1.0, 1.0])
PROPENSITIES = np.array([0.5, 0.5, 0.25, 0.8])
TARGET = np.array([0.5, 0.25, 0.75, 0.4])
# The weights are 1, 1/2, 3, 1/2; their sum is 5, of squares 10.5.
BASELINE = Baseline(np.array([0.5, 0.5, 0.5, 0.0]), np.array([0.4, 0.4, 0.6, 0.2]))
# The residuals are 1/2, -1/2, 1/2, 1; weighted 1/2, -1/4, 3/2, 1/2, sum 2.25. Expected: sum 1.6, mean 0.4.


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (Ips(), (1 + 0 + 3 + 0.5) / 4),
        (ClippedIps(ceiling=2.0), (1 + 0 + 2 + 0.5) / 4),
        (Snips(), (1 + 0 + 3 + 0.5) / 5),
        # w / (1 - 1/2 + w / 2): 1, 1/2 / (3/4) = 2/3, 3 / 2, 2/3
        (SubGaussianIps(shrinkage=0.5), (1 + 0 + 1.5 + 2 / 3) / 4),
        (SubGaussianIps(shrinkage=1.0), 3 / 4),
        (Dm(), 0.4),
        (Dr(), 0.4 + 2.25 / 4),
        (Sndr(), 0.4 + 2.25 / 5),
        # the weight 3 is above 2: its row trusts the model; 1/2 - 1/4 + 1/2 is left
        (SwitchDr(ceiling=2.0), 0.4 + 0.75 / 4),
        (SwitchDr(ceiling=0.0), 0.4),
        # 3 w / (w^2 + 3): 3/4, 6/13, 3/4, 6/13
        (OptimisticDr(shrinkage=3.0), 0.4 + (0.375 - 3 / 13 + 0.375 + 6 / 13) / 4),
        (OptimisticDr(shrinkage=0.0), 0.4),
        (SubGaussianDr(shrinkage=0.5), 0.4 + (0.5 - 1 / 3 + 0.75 + 2 / 3) / 4),
    ],
)
def test_values(made, value):
    assert made.estimate(REWARDS, PROPENSITIES, TARGET, BASELINE).value == pytest.approx(value, abs=1e-12)


def test_the_worth_and_error_of_ips():
    """Terms 1, 0, 3, 1/2 with mean 9/8: squared distances 1/64 + 81/64 + 225/64 + 25/64 = 332/64, over 3 x 4."""
    found = Ips().estimate(REWARDS, PROPENSITIES, TARGET)
    assert found.n_effective == pytest.approx(25 / 10.5)
    assert found.stderr == pytest.approx(math.sqrt(332 / 64 / 12))
    assert found.high - found.value == pytest.approx(1.959964 * found.stderr, rel=1e-6)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_the_error_of_a_ratio():
    """SNIPS: w (r - 0.9) / mean w = 0.1, -0.45, 0.3, 0.05 over 1.25; mean 0, squares .305 / 1.5625, over 3 x 4."""
    found = Snips().estimate(REWARDS, PROPENSITIES, TARGET)
    assert found.stderr == pytest.approx(math.sqrt(0.305 / 1.5625 / 12))
    assert Snips().terms(REWARDS, PROPENSITIES, TARGET) == pytest.approx(
        0.9 + np.array([0.08, -0.36, 0.24, 0.04])
    )


def test_another_level_widens_the_interval():
    narrow, wide = (Ips(level=level).estimate(REWARDS, PROPENSITIES, TARGET) for level in (0.5, 0.99))
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(2.575829 / 0.674490, rel=1e-5)
    with pytest.raises(InputError, match=r"level is 95"):
        Ips(level=95).estimate(REWARDS, PROPENSITIES, TARGET)


def test_replay_keeps_the_matches_under_even_logging():
    """Li et al. 2011: a deterministic target over 4 items logged evenly: rows 0, 2 and 3 match, two of them paid."""
    rewards, target = np.array([1.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 1.0])
    found = Replay(seed=3).estimate(rewards, np.full(4, 0.25), target)
    assert found.value == pytest.approx(2 / 3)
    assert found.n_effective == pytest.approx(3.0)
    assert Replay(seed=3).kept(np.full(4, 0.25), target).tolist() == [True, False, True, True]


def test_replay_refuses_a_weight_above_its_ceiling():
    with pytest.raises(InputError, match="a weight is 3 but the ceiling of Replay is 2"):
        Replay(ceiling=2.0).estimate(REWARDS, PROPENSITIES, TARGET)


@pytest.mark.parametrize("make", [lambda x: ClippedIps(ceiling=x), lambda x: OptimisticDr(shrinkage=x)])
@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_a_ceiling_is_at_least_0(make, bad):
    with pytest.raises(InputError, match="at least 0"):
        make(bad)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_a_share_lies_in_0_to_1(bad):
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        SubGaussianIps(shrinkage=bad)


LOGGERS = Loggers(np.array([0, 0, 0, 1]), np.array([[0.5, 0.1], [0.5, 0.1], [0.25, 0.9], [0.4, 0.8]]))


def test_balanced_weights():
    """Logger 0 wrote 3 of 4 rows: the mixture is .75 p0 + .25 p1 = .4, .4, .4125, .5."""
    assert LOGGERS.mixture() == pytest.approx([0.4, 0.4, 0.4125, 0.5])
    found = BalancedIps(loggers=LOGGERS).estimate(REWARDS, PROPENSITIES, TARGET)
    assert found.value == pytest.approx((0.5 / 0.4 + 0.75 / 0.4125 + 0.4 / 0.5) / 4)


def test_weighted_loggers_count_by_the_inverse_of_their_variance():
    """Gains 0, 2 by logger 0 (variance 2), 1, 2 by logger 1 (variance 1/2): they count 1/5 and 4/5."""
    ones = np.ones(4)
    found = WeightedIps(logger=np.array([0, 0, 1, 1])).estimate(np.array([0.0, 2.0, 1.0, 2.0]), ones, ones)
    assert found.value == pytest.approx(0.2 * 1.0 + 0.8 * 1.5)


def test_a_logger_that_is_trusted_more_is_no_noise():
    """Gains that hardly differ: the errors are of each logger's own spread, .001, and not of the trust in it."""
    gains = np.array([1.0, 1.002, 1.0, 1.02])
    found = WeightedIps(logger=np.array([0, 0, 1, 1])).estimate(gains, np.ones(4), np.ones(4))
    assert found.value == pytest.approx(1.001, abs=2e-4)
    assert found.stderr < 0.002


def test_loggers_that_do_not_fit_are_refused():
    odds = np.full((2, 2), 0.5)
    with pytest.raises(InputError, match="one column for each logger"):
        Loggers(np.array([0, 2]), odds)
    with pytest.raises(PropensityError, match=r"row 1 are \[0\.5, 0\.0\]"):
        Loggers(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.0]]))
    with pytest.raises(InputError, match="whole numbers from 0"):
        Loggers(np.array([0.0, 1.0]), odds)
    with pytest.raises(InputError, match="loggers has 4 rows but the log has 3"):
        BalancedIps(loggers=LOGGERS).estimate(REWARDS[:3], PROPENSITIES[:3], TARGET[:3])
    with pytest.raises(InputError, match="logger 1 wrote 1 row"):
        WeightedIps(logger=np.array([0, 0, 0, 1])).estimate(REWARDS, PROPENSITIES, TARGET)


def test_marginal_weights():
    """Items 0 and 1 are one cluster: item 0 was shown, and both policies' probabilities of the cluster count."""
    logging, target = np.array([[0.1, 0.4, 0.5]]), np.array([[0.3, 0.3, 0.4]])
    pair = marginalised(logging, target, np.array([0]), clusters=np.array([0, 0, 1]))
    assert np.allclose(pair, [[0.5], [0.6]])
    own = marginalised(logging, target, np.array([0]), clusters=np.array([[0, 1, 0]]))
    assert np.allclose(own, [[0.6], [0.7]])
    with pytest.raises(InputError, match=r"clusters \(1, 2\)"):
        marginalised(logging, target, np.array([0]), clusters=np.array([0, 1]))


def test_clusters_are_the_groups_that_are_there():
    rng = np.random.default_rng(0)
    vectors = np.repeat(np.eye(3), 20, axis=0) + 0.05 * rng.standard_normal((60, 3))
    found = clustered(vectors, 3, seed=1)
    groups = found.reshape(3, 20)
    assert np.ptp(groups, axis=1).tolist() == [0, 0, 0] and len(set(groups[:, 0])) == 3
    assert np.array_equal(found, clustered(vectors, 3, seed=1))
    assert len(set(clustered(np.ones((4, 2)), 2).tolist())) == 1  # equal vectors cannot be told apart
    with pytest.raises(InputError, match="a count in"):
        clustered(vectors, 61)


def test_adaptive_weights_by_hand():
    """Spread 1 and 4: weights 1 and 1/2. Scores 2 and 0: (1 x 2 + 1/2 x 0) / 1.5."""
    found = AdaptiveDr(spread=np.array([1.0, 4.0])).estimate(
        np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([1.0, 1.0])
    )
    assert found.value == pytest.approx(4 / 3)
    with pytest.raises(InputError, match="spread must be finite and above 0"):
        AdaptiveDr(spread=np.zeros(4)).estimate(REWARDS, PROPENSITIES, TARGET)
    with pytest.raises(InputError, match="spread has 3 rows"):
        AdaptiveDr(spread=np.ones(3)).estimate(REWARDS, PROPENSITIES, TARGET)


def tuned(method="slope"):
    return Tuned(family=lambda at: ClippedIps(ceiling=at), grid=(math.inf, 2.0, 1.0), method=method)


def said(value, stderr):
    return Estimate(value, stderr, 0.0, 0.0, 10, 10.0)


def test_slope_goes_on_while_the_estimates_agree():
    """With z = 1.96: 0.5 +- .196 and 0.45 agree, 0.1 +- .0196 is .4 from the first: .0196 + 1.449 x .196 = .304."""
    assert tuned()._by_slope([said(0.5, 0.1), said(0.45, 0.05), said(0.1, 0.01)]) == 1
    assert tuned()._by_slope([said(0.5, 0.1), said(0.45, 0.05), said(0.3, 0.01)]) == 2
    assert tuned()._by_slope([said(0.5, 0.1), said(0.0, 0.05), said(0.5, 0.01)]) == 0


def test_least_error_weighs_bias_against_variance():
    rng = np.random.default_rng(0)
    wild = rng.normal(0.0, 10.0, 1_000)
    wild -= wild.mean()
    assert _by_error([wild, 0.1 * wild]) == 1  # the same mean, a tenth of the error
    assert _by_error([0.01 * wild, 0.01 * wild + 5.0, 0.0 * wild + 9.0]) == 0  # far too biased


def test_a_tuned_one_is_the_one_it_chooses():
    log = REWARDS, PROPENSITIES, TARGET
    for method in ("slope", "mse"):
        made = tuned(method)
        chosen = made.chosen(*log)
        assert made.estimate(*log) == chosen.estimate(*log)
        assert np.array_equal(made.terms(*log), chosen.terms(*log))
    with pytest.raises(InputError, match="the grid of a tuned estimator is empty"):
        Tuned(family=lambda at: Ips(), grid=())
    with pytest.raises(InputError, match="'slope' or 'mse'"):
        Tuned(family=lambda at: Ips(), grid=(1.0,), method="lepski")


def test_large_offsets_cost_no_digits():
    """Rewards near 1e9 with a spread of 1: the error is that of the spread, to 6 digits."""
    rng = np.random.default_rng(0)
    small = rng.random(30_000)
    ones = np.ones(30_000)
    plain, moved = Ips().estimate(small, ones, ones), Ips().estimate(small + 1e9, ones, ones)
    assert moved.stderr == pytest.approx(plain.stderr, rel=1e-6)


def test_what_a_policy_gives_to_the_shown_action():
    odds, shown = np.array([[0.1, 0.9], [0.7, 0.3], [0.5, 0.5]]), np.array([1, 0, 1])
    assert of_shown(odds, shown).tolist() == [0.9, 0.7, 0.5]
    assert of_shown(np.asfortranarray(odds), shown).tolist() == [0.9, 0.7, 0.5]
    for bad in (np.array([0, 2, 1]), np.array([0, -1, 1])):
        with pytest.raises(InputError, match=r"must lie in \[0, 2\)"):
            of_shown(odds, bad)
    with pytest.raises(InputError, match="whole numbers"):
        of_shown(odds, shown[:2])
