"""What rows said, taken in at once: the same as learning them, for posteriors of shared weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from equipoise.core import Batch, ConfigurationError, FeatureSpace
from equipoise.policies import build
from equipoise.policies.posteriors.evidence import take_in

SPACE = FeatureSpace("toy", "1", 4)
ALONE = {"item_rows": math.inf, "user_rows": math.inf}


def rows(n=30, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)).astype(np.float32)
    return Batch(("a",) * n, (None,) * n, x, rng.random(n), np.ones(n), SPACE, rng.gamma(1.0, size=n))


def sums(batch):
    x = batch.features.astype(np.float64)
    return (x.T * batch.weights) @ x, x.T @ (batch.weights * batch.rewards), float(batch.weights.sum())


@pytest.mark.parametrize(("posterior", "settings"), [("linear", {}), ("mixed", ALONE)])
def test_it_is_what_the_rows_would_have_left(posterior, settings, candidates):
    learned, taken = (
        build("ucb", SPACE, posterior=posterior, learn_noise=False, **settings) for _ in range(2)
    )
    learned.update(rows())
    precision, information, worth = sums(rows())
    take_in(taken.posterior, precision, information, rows=worth)
    for policy in (learned, taken):
        policy.update(rows(20, seed=9))
    one = learned.posterior.believe(candidates(6), spread=True)
    other = taken.posterior.believe(candidates(6), spread=True)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-9)
    np.testing.assert_allclose(one.spread, other.spread, atol=1e-9)
    assert one.rows == other.rows


def test_with_forgetting_it_fades_like_rows():
    policy, fresh = (build("ucb", SPACE, posterior="linear", discount=0.8) for _ in range(2))
    precision, information, worth = sums(rows())
    take_in(policy.posterior, precision, information, rows=worth)
    before = np.abs(policy.weights).max()
    quiet = Batch(
        ("a",) * 200, (None,) * 200, np.zeros((200, 4), np.float32), np.zeros(200), np.ones(200), SPACE
    )
    for each in (policy, fresh):
        each.update(quiet)
    assert before > 0.05
    np.testing.assert_allclose(policy.weights, fresh.weights, atol=1e-9)


@pytest.mark.parametrize("posterior", ["beta", "kernel"])
def test_others_of_shared_weights_take_it_too(posterior, candidates):
    policy = build("ucb", SPACE, posterior=posterior)
    before = policy.posterior.believe(candidates(6)).mean
    precision, information, worth = sums(rows())
    take_in(policy.posterior, precision, information, rows=worth)
    after = policy.posterior.believe(candidates(6))
    assert np.abs(after.mean - before).max() > 0.01
    assert after.rows == round(worth)


@pytest.mark.parametrize("posterior", ["arms", "logistic"])
def test_those_that_cannot_say_so(posterior):
    policy = build("greedy", SPACE, posterior=posterior)
    before = policy.state()
    with pytest.raises(ConfigurationError, match="take posterior 'mixed', 'linear', 'kernel' or 'beta'"):
        take_in(policy.posterior, *sums(rows())[:2], rows=1.0)
    assert all((policy.state()[key] == before[key]).all() for key in before)


def test_another_width_is_refused():
    with pytest.raises(ConfigurationError, match=r"shape \(3, 3\) but the posterior's shared weights are 4"):
        take_in(build("greedy", SPACE).posterior, np.eye(3), np.zeros(3), rows=1.0)
