"""The posterior that averages a line and waves: its odds by hand, and that rows tell which of the two is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace
from equipoise.policies.posteriors.arms import PerArmPosterior
from equipoise.policies.posteriors.averaged import AveragedPosterior, AveragedSettings

SPACE = FeatureSpace("toy", "1", 2)
SETTINGS = AveragedSettings(precision=1.0, fourier=64, switching=0.01)
LINE = replace(SETTINGS, fourier=0)


def rows_of(features, rewards, space=SPACE):
    n = len(rewards)
    return Batch(
        item_ids=("arm",) * n,
        user_ids=(None,) * n,
        features=np.asarray(features, dtype=np.float32),
        rewards=np.asarray(rewards, dtype=float),
        propensities=np.full(n, 0.5),
        space=space,
    )


def asked(features):
    features = np.asarray(features, dtype=np.float32)
    return Candidates(tuple(f"arm{row}" for row in range(len(features))), features, SPACE)


def contexts(n, seed=0):
    """(n, 2): 1, and a number in [-2, 2]."""
    x = np.random.default_rng(seed).uniform(-2.0, 2.0, n)
    return np.column_stack([np.ones(n), x])


def test_the_odds_follow_bayes_rule_and_then_share():
    row = rows_of([[1.0, 0.5]], [1.0])
    posterior = AveragedPosterior(SPACE, settings=SETTINGS)
    densities = []
    for settings in (LINE, SETTINGS):
        mean, variance = PerArmPosterior(SPACE, settings=settings).forecast("arm", row.features)
        densities.append(np.exp(-0.5 * (1.0 - mean) ** 2 / variance) / np.sqrt(variance))
    posterior.update(row)
    # Both began at 1/2, which cancels; 1 % is then shared out evenly.
    expected = 0.99 * np.array(densities) / sum(densities) + 0.005
    np.testing.assert_allclose(posterior.odds, expected, rtol=1e-12)


def test_a_forecast_before_any_row_is_the_prior_with_its_noise():
    # x = (1, .5), precision 1: x'Sx = 1.25, and the noise's guess is .25, so .25 (1 + 1.25) = .5625.
    line = PerArmPosterior(SPACE, settings=LINE)
    assert line.forecast("arm", np.array([[1.0, 0.5]], dtype=np.float32)) == pytest.approx((0.0, 0.5625))


def test_rows_along_a_line_speak_for_the_line():
    """Of one number either can make a line; of thirty, waves would need many more rows."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400, 30))
    weights = rng.standard_normal(30) / np.sqrt(30)
    space = FeatureSpace("wide", "1", 30)
    settings = AveragedSettings(fourier=64, fourier_length=5.5, switching=0.0)
    posterior = AveragedPosterior(space, settings=settings)
    posterior.update(rows_of(x, x @ weights + 0.2 * rng.standard_normal(400), space))
    assert posterior.odds[0] > 0.999


def test_rows_that_bend_speak_for_the_waves():
    x = contexts(400)
    posterior = AveragedPosterior(SPACE, settings=SETTINGS)
    posterior.update(rows_of(x, np.square(x[:, 1]) > 1.0))
    assert posterior.odds[1] > 0.9
    middle, edge = posterior.believe(
        Candidates(("arm", "arm-again"), np.array([[1.0, 0.0], [1.0, 1.9]], dtype=np.float32), SPACE)
    ).mean
    assert middle < 0.2  # and an arm without rows of its own is worth the prior
    assert edge == 0.0


def test_a_belief_is_the_mixture():
    x = contexts(30)
    batch = rows_of(x, x[:, 1] > 0.0)
    posterior = AveragedPosterior(SPACE, settings=SETTINGS)
    models = [PerArmPosterior(SPACE, settings=each) for each in (LINE, SETTINGS)]
    for learner in (posterior, *models):
        learner.update(batch)
    candidates = Candidates(("arm", "new"), np.array([[1.0, 0.4], [1.0, -0.4]], dtype=np.float32), SPACE)
    line, waves = (model.believe(candidates, spread=True) for model in models)
    mixed = posterior.believe(candidates, spread=True)
    p, q = posterior.odds
    mean = p * line.mean + q * waves.mean
    np.testing.assert_allclose(mixed.mean, mean, rtol=1e-12)
    second = p * (line.spread**2 + line.mean**2) + q * (waves.spread**2 + waves.mean**2)
    np.testing.assert_allclose(mixed.spread, np.sqrt(second - mean**2), rtol=1e-9)


def test_draws_have_the_mixtures_mean_and_spread():
    x = contexts(30)
    posterior = AveragedPosterior(SPACE, settings=SETTINGS)
    posterior.update(rows_of(x, x[:, 1] > 0.0))
    candidates = Candidates(("arm",), np.array([[1.0, 0.4]], dtype=np.float32), SPACE)
    draws = 20_000
    belief = posterior.believe(candidates, draws=draws, spread=True, rng=np.random.default_rng(3))
    drawn = belief.samples[:, 0]
    # Five standard errors of a mean of 10,000 pairs, and of a variance: a false alarm in about a million runs. The
    # spread leaves out that the noise's own variance is unsure, so draws may be somewhat wider: 10 %.
    assert abs(drawn.mean() - belief.mean[0]) < 5 * belief.spread[0] / np.sqrt(draws / 2)
    assert drawn.std() == pytest.approx(belief.spread[0], rel=0.1)


def test_an_odd_number_of_draws_is_given():
    belief = AveragedPosterior(SPACE).believe(asked(contexts(3)), draws=7, rng=np.random.default_rng(0))
    assert belief.samples.shape == (7, 3)


def test_what_seemed_impossible_comes_back():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((900, 30))
    line, bend = x @ rng.standard_normal(30) / np.sqrt(30), np.abs(x[:, 0])
    space = FeatureSpace("wide", "1", 30)
    settings = AveragedSettings(fourier=64, fourier_length=5.5, switching=0.0)
    posterior = AveragedPosterior(space, settings=settings)
    posterior.update(rows_of(x[:300], line[:300], space))
    assert posterior.odds[1] < 1e-9
    posterior.update(rows_of(x[300:], 10.0 * bend[300:], space))
    assert posterior.odds[1] > 0.9


@pytest.mark.parametrize("settings", [{"switching": -0.1}, {"switching": 1.5}, {"fourier": 3}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        AveragedSettings(**settings)
