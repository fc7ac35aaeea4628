"""A policy trained elsewhere: the laws of policies, its numbers by hand, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Candidates, ConfigurationError, FeatureSpace, FeatureSpaceError, InputError, Policy
from equipoise.policies import build
from equipoise.policies.base import Belief
from equipoise.policies.posteriors.trained import Scored

SPACE = FeatureSpace("toy", "1", 4)
WEIGHTS = {
    "toy@1 (d=4)": {"scores": [1.0, 0.0, -1.0, 0.5], "rewards": [0.1, 0.2, 0.3, 0.4]},
    "other@1 (d=2)": {"scores": [1.0, 0.0], "rewards": [0.0, 0.0]},
}


def trained(**settings):
    return build("trained", SPACE, weights=settings.pop("weights", WEIGHTS), **settings)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_it_keeps_the_laws_of_a_policy(batch, candidates):
    policy = trained(floor=0.003)
    before, asked = policy.state(), candidates(9)
    odds = policy.distribution(asked, rng())
    policy.update(replace(batch(20), weights=np.full(20, 2.0)))
    assert isinstance(policy, Policy)
    assert abs(odds.sum() - 1.0) < 1e-9 and odds.min() >= 0.003
    assert policy.state().keys() == before.keys()
    assert all((policy.state()[key] == before[key]).all() for key in before)
    order = rng(3).permutation(9)
    shuffled = replace(
        asked,
        item_ids=tuple(asked.item_ids[at] for at in order),
        features=asked.features[order],
    )
    np.testing.assert_allclose(policy.distribution(shuffled, rng(7)), odds[order], atol=1e-12)
    slate = policy.slate(asked, rng())
    left = slate.given((4, 2))
    assert (left[[4, 2]] == 0.0).all() and abs(left.sum() - 1.0) < 1e-9


def test_odds_and_forecasts_by_hand():
    # Scores 1 and 0, so odds e : 1; forecasts .1 and .2.
    asked = Candidates(("a", "b"), np.eye(4, dtype=np.float32)[:2], SPACE)
    policy = trained(floor=0.0)
    e = np.exp(1.0)
    np.testing.assert_allclose(policy.distribution(asked, rng()), [e / (1 + e), 1 / (1 + e)], rtol=1e-12)
    belief = policy.posterior.believe(asked, draws=3, spread=True, rng=rng())
    np.testing.assert_allclose(belief.mean, [0.1, 0.2])
    assert belief.samples.shape == (3, 2)
    assert (belief.spread == 0.0).all()
    np.testing.assert_array_equal(policy.weights, [1.0, 0.0, -1.0, 0.5])
    np.testing.assert_array_equal(policy.draw_weights(5), policy.weights)


def test_state_round_trips_and_another_ones_is_refused():
    policy = trained()
    other = trained(weights={"toy@1 (d=4)": {"scores": [0.0] * 4, "rewards": [0.0] * 4}})
    other.restore(policy.state())
    np.testing.assert_array_equal(other.weights, policy.weights)
    with pytest.raises(InputError, match="'scores'"):
        policy.restore({key: value for key, value in policy.state().items() if "scores" not in key})


@pytest.mark.parametrize(
    ("weights", "error", "words"),
    [
        (None, ConfigurationError, "needs weights .* 'equipoise train'"),
        ({"toy@1 (d=4)": 3}, ConfigurationError, "needs weights"),
        ({"toy@2 (d=4)": {}}, FeatureSpaceError, r"trained in toy@2 \(d=4\) but is to work in toy@1 \(d=4\)"),
        ({"toy@1 (d=4)": {"scores": [1.0]}}, ConfigurationError, "scores .* must be 4 finite numbers"),
        ({"toy@1 (d=4)": {"scores": ["a"] * 4}}, ConfigurationError, "4 finite numbers"),
        (
            {"toy@1 (d=4)": {"scores": [0.0] * 4, "rewards": [np.nan] * 4}},
            ConfigurationError,
            "rewards .* must be 4 finite",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, error, words):
    with pytest.raises(error, match=words):
        trained(weights=weights)


def test_settings_of_other_policies_are_refused():
    with pytest.raises(ConfigurationError, match="no setting 'epsilon'"):
        trained(epsilon=0.1)


def test_a_belief_without_scores_is_refused():
    belief = Belief(item_ids=("a",), mean=np.zeros(1), spread=None, samples=None, rows=0)
    with pytest.raises(InputError, match="got a belief without"):
        Scored().distribution(belief)
