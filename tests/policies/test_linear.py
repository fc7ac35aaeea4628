"""The normal arithmetic and the linear posterior against their textbook forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, InputError
from equipoise.policies.base import Prior
from equipoise.policies.gaussian.joint import CovarianceForm, PrecisionForm, gaussian
from equipoise.policies.gaussian.noise import Noise, NoiseSettings
from equipoise.policies.gaussian.normals import SIZE
from equipoise.policies.posteriors.linear import LinearPosterior, LinearSettings


def afresh(prior, features, rewards, noise=None):
    """Mean and covariance by one inversion. noise: (n,)."""
    weights = np.ones(len(rewards)) if noise is None else 1.0 / noise
    covariance = np.linalg.inv(np.diag(prior.precision) + features.T @ (features * weights[:, None]))
    return covariance @ (prior.precision * prior.mean + features.T @ (weights * rewards)), covariance


@settings(deadline=None)
@given(
    data=st.data(),
    n=st.integers(0, 12),
    d=st.integers(1, 5),
)
def test_row_by_row_equals_afresh(data, n, d):
    within = st.floats(-3.0, 3.0, width=32)
    features = data.draw(arrays.arrays(np.float64, (n, d), elements=within))
    rewards = data.draw(arrays.arrays(np.float64, n, elements=within))
    noise = data.draw(arrays.arrays(np.float64, n, elements=st.floats(0.5, 4.0)))
    prior = Prior(np.linspace(-1.0, 1.0, d), np.linspace(0.5, 2.0, d))
    form = CovarianceForm(prior)
    for x, reward, level in zip(features, rewards, noise, strict=True):
        form.absorb(x, reward, noise=level)
    mean, covariance = afresh(prior, features, rewards, noise)
    np.testing.assert_allclose(form.mean, mean, atol=1e-10)
    np.testing.assert_allclose(form.covariance(), covariance, atol=1e-10)
    np.testing.assert_allclose(form.root() @ form.root().T, covariance, atol=1e-10)


def test_5_000_rows_of_128_features_do_not_drift():
    rng = np.random.default_rng(0)
    features, rewards = rng.normal(size=(5_000, 128)), rng.random(5_000)
    prior = Prior.flat(128)
    form = CovarianceForm(prior)
    for x, reward in zip(features, rewards.tolist(), strict=True):
        form.absorb(x, reward)
    mean, covariance = afresh(prior, features, rewards)
    assert np.abs(form.covariance() - covariance).max() < 1e-8
    assert np.abs(form.mean - mean).max() < 1e-8


def test_forecasts_say_what_absorbing_finds():
    rng = np.random.default_rng(1)
    for discount in (1.0, 0.9):
        form = gaussian(Prior.flat(3), discount=discount)
        for x in rng.normal(size=(5, 3)):
            mean, variance = form.forecast(x)
            error, total = form.absorb(x, 0.7, noise=2.0)
            assert error == pytest.approx(0.7 - mean, abs=1e-12)
            assert total == pytest.approx(variance + 2.0, abs=1e-12)


def test_forgetting_weighs_a_row_by_its_age():
    rng = np.random.default_rng(2)
    features, rewards = rng.normal(size=(30, 4)), rng.random(30)
    prior = Prior(np.array([1.0, 0.0, -1.0, 0.5]), np.array([1.0, 2.0, 0.5, 3.0]))
    form = PrecisionForm(prior, discount=0.9)
    for x, reward in zip(features, rewards, strict=True):
        form.absorb(x, reward)
    # P = g^30 P0 + (1 - g^30) P0 + sum g^age x x' = P0 + sum g^age x x': a row of age j has noise g^-j.
    mean, covariance = afresh(prior, features, rewards, 0.9 ** -np.arange(29.0, -1.0, -1.0))
    np.testing.assert_allclose(form.mean, mean, atol=1e-10)
    np.testing.assert_allclose(form.covariance(), covariance, atol=1e-10)
    np.testing.assert_allclose(form.root() @ form.root().T, covariance, atol=1e-10)


def test_forgetting_nothing_is_the_other_form():
    rng = np.random.default_rng(3)
    plain, fading = CovarianceForm(Prior.flat(3)), PrecisionForm(Prior.flat(3), discount=1.0)
    for x in rng.normal(size=(20, 3)):
        assert plain.absorb(x, 0.5) == pytest.approx(fading.absorb(x, 0.5))
    np.testing.assert_allclose(plain.covariance(), fading.covariance(), atol=1e-12)


def test_unvisited_directions_come_back_to_the_prior():
    form = PrecisionForm(Prior(np.array([0.5, 2.0]), np.array([1.0, 4.0])), discount=0.5)
    form.absorb(np.array([0.0, 1.0]), 9.0)
    for _ in range(60):
        form.absorb(np.array([1.0, 0.0]), 1.0)
    assert form.mean[1] == pytest.approx(2.0)
    assert form.covariance()[1, 1] == pytest.approx(0.25)


def test_a_direction_known_beyond_rounding_still_has_a_root():
    form = CovarianceForm(Prior(np.zeros(2), np.array([1e-12, 1.0])))
    for _ in range(50):
        form.absorb(np.array([1e6, 1.0]), 1.0, noise=1e-9)
    root = form.root()
    assert np.isfinite(root).all()


def test_by_hand():
    # Precision 1 and rewards 1, 1 of feature 1: weight (1 + 1) / (1 + 2) = 2/3, variance .25 / 3.
    space = FeatureSpace("one", "1", 1)
    posterior = LinearPosterior(space, settings=LinearSettings(learn_noise=False))
    ones = np.ones((2, 1), dtype=np.float32)
    posterior.update(Batch(("a", "b"), (None, None), ones, np.ones(2), np.ones(2), space))
    belief = posterior.believe(Candidates(("c",), 2 * ones[:1], space), spread=True)
    assert belief.mean[0] == pytest.approx(4 / 3)
    assert belief.spread[0] == pytest.approx(2 * np.sqrt(0.25 / 3))
    assert posterior.weights.tolist() == pytest.approx([2 / 3])


def test_noise_is_the_normal_inverse_gamma_posterior(space, batch):
    # Bishop 2006, ex. 3.12: b = b0 + (m0'P0 m0 + sum r^2 - m'P m) / 2, and E[sigma^2] = b / (a - 1).
    rows, prior = batch(40), Prior(np.array([0.3, 0.0, -0.3, 0.1]), np.array([1.0, 2.0, 3.0, 4.0]))
    posterior = LinearPosterior(space, settings=LinearSettings(noise=0.1, noise_rows=6.0), prior=prior)
    posterior.update(rows)
    features = rows.features.astype(np.float64)
    mean, covariance = afresh(prior, features, rows.rewards)
    squares = prior.precision @ prior.mean**2 + rows.rewards @ rows.rewards
    squares -= mean @ np.linalg.inv(covariance) @ mean
    variance = (0.1 * 6.0 + squares) / (6.0 + 40.0)
    ones = np.eye(4, dtype=np.float32)
    belief = posterior.believe(Candidates(tuple("abcd"), ones, space), spread=True)
    np.testing.assert_allclose(belief.spread, np.sqrt(variance * np.diag(covariance)), rtol=1e-9)


def test_noise_draws_have_the_mean_of_their_law():
    noise = Noise(NoiseSettings(variance=0.2, rows=20.0))
    noise.absorb(1.0, 2.0)  # (.2 x 20 + 1/2) / 21
    draws = noise.deviations(np.random.default_rng(0), 40_000).astype(np.float64) ** 2
    assert noise.variance == pytest.approx(4.5 / 21)
    # sigma^2 ~ IG(11.5, .) has sd = mean / sqrt(9.5): 5 sd of the mean of 40,000, a false alarm in 2 million.
    assert abs(draws.mean() - noise.variance) < 5 * noise.variance / np.sqrt(9.5 * 40_000)


def test_draws_are_joint(space, batch, candidates):
    posterior = LinearPosterior(space, settings=LinearSettings(learn_noise=False))
    posterior.update(batch(10))
    asked = candidates(6)
    belief = posterior.believe(asked, draws=40_000, rng=np.random.default_rng(0), spread=True)
    features = asked.features.astype(np.float64)
    _, covariance = afresh(Prior.flat(4), batch(10).features.astype(np.float64), batch(10).rewards)
    expected = 0.25 * features @ covariance @ features.T
    found = np.cov(belief.samples.astype(np.float64).T, bias=True)
    # 20,000 independent pairs: an entry errs by at most sqrt(2 / 20,000) of its two spreads; five of those.
    assert (np.abs(found - expected) < 5 * 0.01 * np.outer(belief.spread, belief.spread)).all()


@pytest.mark.parametrize(
    "make", [lambda: gaussian(Prior.flat(8)), lambda: gaussian(Prior.flat(8), discount=0.9)]
)
def test_kept_draws_have_the_bits_of_draws_made_afresh(make):
    rng, kept = np.random.default_rng(4), make()
    features, rewards = rng.standard_normal((30, 8)).astype(np.float32), rng.standard_normal(30)
    for learned in (10, 20, 30):
        kept.absorb_rows(features[learned - 10 : learned], rewards[learned - 10 : learned])
        afresh = make()
        afresh.restore(kept.state())
        # 2,048 blocks of 64 x 8 in the bank, so that each seed asks for its own twice: once made, once kept.
        for seed in (0, 1, 2, 0, 1, 2):
            expected = afresh.strayed(np.random.default_rng(seed), 64)
            np.testing.assert_array_equal(kept.strayed(np.random.default_rng(seed), 64), expected)
            afresh.restore(kept.state())


def test_draws_are_kept_in_no_more_room_than_the_bank_takes():
    weights = gaussian(Prior.flat(128))
    rng = np.random.default_rng(5)
    for rows in (64, 32, 64, 512):
        for _ in range(300):
            weights.strayed(rng, rows)
    assert 0 < sum(found.size for found in weights._strayed.values()) <= SIZE


@pytest.mark.parametrize(
    ("mean", "precision", "words"),
    [
        (np.zeros(3), np.ones(3), r"\(3,\).*both must be \(4,\)"),
        (np.zeros(4), np.zeros(4), "every precision above 0"),
        (np.full(4, np.nan), np.ones(4), "must be finite"),
    ],
)
def test_a_prior_that_cannot_be_is_refused(mean, precision, words, space):
    with pytest.raises(ConfigurationError, match=words):
        LinearPosterior(space, prior=Prior(mean, precision))


def test_a_lost_precision_says_what_to_do():
    form = PrecisionForm(Prior.flat(2), discount=0.5)
    with pytest.raises(InputError, match="scale them to about 1"):
        for _ in range(3):
            # 1e18 + 1 is 1e18 in float64: the precision becomes singular.
            form.absorb(np.array([1e9, 1e9]), 1.0)
