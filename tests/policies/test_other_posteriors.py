"""The beta, logistic and per-arm posteriors by hand and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import Batch, Candidates, FeatureSpace
from equipoise.policies.base import Prior
from equipoise.policies.posteriors.arms import PerArmPosterior
from equipoise.policies.posteriors.beta import BetaPosterior, BetaSettings
from equipoise.policies.posteriors.linear import LinearPosterior
from equipoise.policies.posteriors.logistic import LogisticPosterior, LogisticSettings, mode_of_row, sigmoid

ONE = FeatureSpace("one", "1", 1)


def rows(item_ids, rewards, features=None):
    n = len(item_ids)
    made = np.ones((n, 1)) if features is None else np.array(features).reshape(n, -1)
    return Batch(
        tuple(item_ids), (None,) * n, made.astype(np.float32), np.array(rewards, float), np.ones(n), ONE
    )


def ask(*item_ids, feature=1.0):
    return Candidates(item_ids, np.full((len(item_ids), 1), feature, dtype=np.float32), ONE)


def test_beta_without_text_by_hand():
    # Prior worth 4 rows of mean .25: Beta(1, 3). Rewards 1, .5 give Beta(2.5, 3.5): mean 2.5/6, variance
    # (2.5 x 3.5) / (36 x 7).
    posterior = BetaPosterior(ONE, settings=BetaSettings(text=False, prior_mean=0.25, prior_rows=4.0))
    posterior.update(rows("aa", [1.0, 0.5]))
    belief = posterior.believe(ask("a", "new"), spread=True)
    np.testing.assert_allclose(belief.mean, [2.5 / 6, 0.25])
    np.testing.assert_allclose(belief.spread**2, [2.5 * 3.5 / 252, 0.25 * 0.75 / 5])


def test_beta_prior_from_text_by_hand():
    # The regression learns r - .5 = .5, .5 with precision 2: weight 1 / (2 + 2) = .25, so a new item of
    # feature 1 begins at .75, and one of feature 9 at 1 - least.
    posterior = BetaPosterior(ONE, settings=BetaSettings(precision=2.0, least=0.05))
    posterior.update(rows("ab", [1.0, 1.0]))
    assert posterior.believe(ask("new")).mean[0] == pytest.approx(0.75)
    assert posterior.believe(ask("new", feature=9.0)).mean[0] == pytest.approx(0.95)


def test_beta_takes_a_prior_as_it_is():
    posterior = BetaPosterior(ONE, prior=Prior(np.array([0.3]), np.ones(1)))
    assert posterior.believe(ask("new")).mean[0] == pytest.approx(0.3)


def test_beta_forgets_by_every_row():
    # Prior worth 2 of mean .5; a's reward of 1 is one row old, so worth .5: (1 + .5) / (2 + .5) = .6.
    posterior = BetaPosterior(ONE, settings=BetaSettings(text=False, discount=0.5))
    posterior.update(rows("ab", [1.0, 0.0]))
    assert posterior.believe(ask("a")).mean[0] == pytest.approx(0.6)


def test_beta_draws_have_their_moments():
    posterior = BetaPosterior(ONE, settings=BetaSettings(text=False))
    posterior.update(rows("aab", [1.0, 1.0, 0.0]))
    belief = posterior.believe(ask("c", "a", "b"), draws=20_000, spread=True, rng=np.random.default_rng(0))
    # 5 sd of a mean of 20,000, a false alarm in 2 million for each of three.
    assert (np.abs(belief.samples.mean(axis=0) - belief.mean) < 5 * belief.spread / math.sqrt(20_000)).all()
    # A variance errs by at most sqrt(2 / 20,000) = 1 % here (a beta's kurtosis is below a normal's).
    np.testing.assert_allclose(belief.samples.std(axis=0), belief.spread, rtol=0.05)


@given(mean=st.floats(-30, 30), variance=st.floats(1e-6, 1e4), reward=st.floats(0.0, 1.0))
def test_the_mode_of_a_row_solves_its_equation(mean, variance, reward):
    mode = mode_of_row(mean, variance, reward)
    excess = mode - mean - variance * (reward - sigmoid(mode))
    # The excess moves 1 + variance x slope times as fast as the mode does.
    assert abs(excess) <= 1e-9 * (1.0 + abs(mode)) * (1.0 + variance)


def test_logistic_first_row_is_the_laplace_approximation():
    # One feature of 1, prior N(0, 1), reward 1: the mode solves t = 1 - sigmoid(t), so t = .4011; the
    # precision is 1 + sigmoid(t) (1 - sigmoid(t)) = 1 + .5989 x .4011 = 1.2402.
    posterior = LogisticPosterior(ONE)
    posterior.update(rows("a", [1.0]))
    mode = posterior.weights[0]
    assert mode == pytest.approx(0.4011, abs=1e-4)
    assert mode == pytest.approx(1.0 - sigmoid(mode), abs=1e-10)
    variance = 1.0 / (1.0 + sigmoid(mode) * (1.0 - sigmoid(mode)))
    assert variance == pytest.approx(1 / 1.2402, abs=1e-4)
    belief = posterior.believe(ask("a"), spread=True)
    assert belief.mean[0] == pytest.approx(sigmoid(mode / math.sqrt(1 + math.pi * variance / 8)))
    assert belief.spread[0] == pytest.approx(belief.mean[0] * (1 - belief.mean[0]) * math.sqrt(variance))


def test_logistic_begins_at_the_prior_mean():
    posterior = LogisticPosterior(ONE, settings=LogisticSettings(prior_mean=0.02, precision=1e9))
    assert posterior.believe(ask("a")).mean[0] == pytest.approx(0.02, rel=1e-6)


def test_logistic_finds_a_low_rate():
    # 5,000 rows of chance .02: 100 successes expected, sd 10. The estimate is within .005, 2.5 sd, for this seed.
    posterior = LogisticPosterior(ONE, settings=LogisticSettings(precision=0.01))
    rewards = (np.random.default_rng(4).random(5_000) < 0.02).astype(float)
    posterior.update(rows(["a"] * 5_000, rewards))
    belief = posterior.believe(ask("a"), spread=True)
    assert belief.mean[0] == pytest.approx(0.02, abs=0.005)
    # A proportion's standard error, .002, is what the spread should say.
    assert belief.spread[0] == pytest.approx(math.sqrt(0.02 * 0.98 / 5_000), rel=0.25)


def test_logistic_stays_near_the_full_posterior_mode():
    rng = np.random.default_rng(6)
    features = rng.normal(size=(400, 3))
    truth = np.array([1.0, -1.0, 0.5])
    rewards = (rng.random(400) < 1 / (1 + np.exp(-features @ truth))).astype(float)
    space = FeatureSpace("three", "1", 3)
    posterior = LogisticPosterior(space)
    single = features.astype(np.float32)
    posterior.update(Batch(("a",) * 400, (None,) * 400, single, rewards, np.ones(400), space))
    mode = np.zeros(3)
    for _ in range(20):  # Newton's method on all rows at once
        chance = 1 / (1 + np.exp(-features @ mode))
        hessian = np.eye(3) + features.T @ (features * (chance * (1 - chance))[:, None])
        mode += np.linalg.solve(hessian, features.T @ (rewards - chance) - mode)
    # One pass errs by less than half a posterior standard deviation.
    assert (np.abs(posterior.weights - mode) < 0.5 * np.sqrt(np.diag(np.linalg.inv(hessian)))).all()


def test_logistic_draws_are_chances():
    posterior = LogisticPosterior(ONE)
    belief = posterior.believe(ask("a"), draws=20_000, rng=np.random.default_rng(0))
    assert belief.samples.min() > 0.0
    assert belief.samples.max() < 1.0
    # sigmoid(N(0, 1)) has mean .5 and standard deviation .2083; 5 sd of 20,000.
    assert abs(float(belief.samples.mean()) - 0.5) < 5 * 0.2083 / math.sqrt(20_000)
    assert float(belief.samples.std()) == pytest.approx(0.2083, rel=0.03)


def test_arms_are_linear_posteriors_apart(space, batch, candidates, part):
    learned, asked = batch(60, items=4), candidates(6)
    posterior = PerArmPosterior(space)
    posterior.update(learned)
    belief = posterior.believe(asked, spread=True)
    for at, item_id in enumerate(asked.item_ids):
        alone = LinearPosterior(space)
        alone.update(part(learned, [row for row, other in enumerate(learned.item_ids) if other == item_id]))
        expected = alone.believe(asked, spread=True)
        assert belief.mean[at] == pytest.approx(expected.mean[at], abs=1e-12)
        assert belief.spread[at] == pytest.approx(expected.spread[at], abs=1e-12)
