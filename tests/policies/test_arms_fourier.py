"""Random Fourier features and the regressions on them, one an arm."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace
from equipoise.policies import build
from equipoise.policies.base import Prior
from equipoise.policies.gaussian.fourier import NARROWEST, WIDEST, FourierMap
from equipoise.policies.posteriors.arms import ArmsSettings, PerArmPosterior

SPACE = FeatureSpace("circle", "1", 2)


def rows(seed, n=60, arms=("a", "b")):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 2)).astype(np.float32)
    ids = tuple(arms[at] for at in rng.integers(len(arms), size=n))
    return Batch(ids, (None,) * n, features, rng.random(n), np.ones(n), SPACE)


def test_products_are_the_mixed_kernel():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3))
    waves = FourierMap(3, count=20_000, length=2.0, weight=1.5)(points)[:, 3:]
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    lengths = 2.0 * np.exp(np.linspace(np.log(NARROWEST), np.log(WIDEST), 2_001))
    kernel = 1.5**2 * np.exp(-squares[..., None] / (2.0 * lengths**2)).mean(axis=2)
    # An entry averages 10,000 cosines of sd below 1, times 2.25: 5.5 sd over 780 pairs, a false alarm in 30,000.
    assert np.abs(waves @ waves.T - kernel).max() < 2.25 * 5.5 / np.sqrt(10_000)
    np.testing.assert_allclose((waves**2).sum(axis=1), 1.5**2)


def test_the_same_settings_give_the_same_features_and_none_leave_them_alone():
    x = np.random.default_rng(1).normal(size=(4, 2))
    first, again = (FourierMap(2, count=6, length=1.0, weight=1.0)(x) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[:, :2], x)
    np.testing.assert_array_equal(FourierMap(2, count=0, length=1.0, weight=1.0)(x), x)


@pytest.mark.parametrize("fourier", [0, 8])
def test_belief_is_ridge_regression_on_the_arms_own_rows(fourier):
    prior = Prior(np.array([0.3, -0.2]), np.array([2.0, 3.0]))
    settings = ArmsSettings(precision=1.5, noise=0.2, learn_noise=False, fourier=fourier)
    posterior = PerArmPosterior(SPACE, settings=settings, prior=prior)
    batch = rows(2)
    posterior.update(batch)
    asked = Candidates(("a", "b", "new"), np.random.default_rng(3).normal(size=(3, 2)).astype("f4"), SPACE)
    belief = posterior.believe(asked, spread=True)
    mapped = FourierMap(2, count=fourier, length=1.0, weight=3.0)
    m0, p0 = np.append(prior.mean, np.zeros(fourier)), np.append(prior.precision, np.full(fourier, 1.5))
    for at, item_id in enumerate(asked.item_ids):
        own = np.array([i for i, name in enumerate(batch.item_ids) if name == item_id], dtype=int)
        x = mapped(batch.features[own].astype(np.float64))
        covariance = np.linalg.inv(np.diag(p0) + x.T @ x)
        mean = covariance @ (p0 * m0 + x.T @ batch.rewards[own])
        (z,) = mapped(asked.features[at : at + 1].astype(np.float64))
        assert belief.mean[at] == pytest.approx(z @ mean, abs=1e-10)
        assert belief.spread[at] == pytest.approx(np.sqrt(0.2 * z @ covariance @ z), rel=1e-9)


def test_draws_are_the_student_t_of_unknown_noise():
    posterior = PerArmPosterior(SPACE, settings=ArmsSettings(noise=0.2, noise_rows=6.0))
    posterior.update(rows(4, n=10))
    asked = Candidates(("a", "b"), np.ones((2, 2), dtype=np.float32), SPACE)
    belief = posterior.believe(asked, draws=60_000, spread=True, rng=np.random.default_rng(5))
    apart = (belief.samples - belief.mean) / belief.spread
    assert np.abs(apart.mean(axis=0)).max() < 1e-4  # antithetic pairs
    # E[draw variance] = E[sigma^2] x'Sx = spread^2. A t with 8 or more degrees of freedom has kurtosis at most
    # 4.5, so a mean of 30,000 squares has sd below sqrt(3.5 / 30,000) = .011: five of them.
    assert np.abs((apart**2).mean(axis=0) - 1.0).max() < 0.055
    # Two arms are independent: a product's mean over 30,000 pairs has sd .006.
    assert abs((apart[:, 0] * apart[:, 1]).mean()) < 0.03


def test_a_ring_is_learned_by_waves_and_not_by_a_line():
    rng = np.random.default_rng(6)
    points = rng.normal(size=(600, 2)).astype(np.float32)
    inside = (np.linalg.norm(points, axis=1) < 1.2).astype(np.float64)
    taught = Batch(("a",) * 400, (None,) * 400, points[:400], inside[:400], np.ones(400), SPACE)
    errors = {}
    for fourier in (0, 64):
        policy = build("greedy", SPACE, posterior="arms", fourier=fourier, fourier_length=1.0)
        policy.update(taught)
        forecast = [
            policy.believe(Candidates(("a",), points[i : i + 1], SPACE), rng).mean[0] for i in range(400, 600)
        ]
        errors[fourier] = np.mean((np.array(forecast) > 0.5) != (inside[400:] > 0.5))
    # A line has nothing to hold on to: it guesses as the mean does. 200 rows: 5 sd of a share are .18.
    assert errors[64] < 0.15
    assert errors[0] > 0.3


def test_learning_and_state_keep_the_laws_with_waves():
    def made():
        return build("softmax", SPACE, posterior="arms", fourier=10)

    whole, single, twin = made(), made(), made()
    batch = rows(7)
    whole.update(batch)
    for at in range(len(batch)):
        one = slice(at, at + 1)
        single.update(
            Batch(
                batch.item_ids[one],
                (None,),
                batch.features[one],
                batch.rewards[one],
                batch.propensities[one],
                SPACE,
            )
        )
    twin.restore(whole.state())
    for key, array in whole.state().items():
        np.testing.assert_array_equal(single.state()[key], array, err_msg=key)
        np.testing.assert_array_equal(twin.state()[key], array, err_msg=key)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fourier": 7}, "'fourier' is 7 but must be even"),
        ({"fourier": -2}, "'fourier' is -2"),
        ({"fourier_length": 0.0}, "'fourier_length' is 0.0"),
        ({"fourier_weight": -1.0}, "'fourier_weight' is -1.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(ConfigurationError, match=words):
        build("ucb", SPACE, posterior="arms", **settings)
