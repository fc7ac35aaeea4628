"""Reward models find what is there, and cross-fitting never lets a row see itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import InputError, MissingExtraError, PropensityError
from equipoise.evaluation.estimators import Dm, Dr
from equipoise.evaluation.models import (
    Logistic,
    Pairs,
    Ridge,
    ScikitModel,
    action_pairs,
    cross_fitted,
    fold_of,
    robust_weights,
    with_actions,
)


def table(n=4_000, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 3))
    chances = 1 / (1 + np.exp(-(features @ [1.0, -0.5, 0.0] - 1.0)))
    return features, chances, (rng.random(n) < chances).astype(float)


def test_ridge_by_hand():
    """x = -1, 1 and y = 0, 2: mean 1, slope 2 / (2 + penalty 2) = 1/2."""
    forecast = Ridge(penalty=2.0).fit(np.array([[-1.0], [1.0]]), np.array([0.0, 2.0]))
    assert forecast(np.array([[0.0], [2.0]])) == pytest.approx([1.0, 2.0])


def test_a_row_that_counts_double_is_two_rows():
    features, _, rewards = table(50)
    weights = np.where(np.arange(50) < 10, 2.0, 1.0)
    twice = np.concatenate([np.arange(50), np.arange(10)])
    for model in (Ridge(), Logistic()):
        one = model.fit(features, rewards, weights)(features)
        other = model.fit(features[twice], rewards[twice])(features)
        assert one == pytest.approx(other, abs=1e-6)


def test_logistic_finds_the_chances():
    """4,000 rows: the root mean squared error of the forecast chances is some sqrt(4 / 4000) / 2 = .016."""
    features, chances, rewards = table()
    forecast = Logistic().fit(features, rewards)(features)
    assert np.sqrt(np.mean((forecast - chances) ** 2)) < 0.03
    assert forecast.mean() == pytest.approx(rewards.mean(), abs=1e-6)  # the score of the constant is 0


def test_logistic_agrees_with_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    features, _, rewards = table(500)
    ours = Logistic(penalty=2.0).fit(features, rewards)(features)
    theirs = linear.LogisticRegression(C=0.5, tol=1e-8).fit(features, rewards).predict_proba(features)[:, 1]
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_logistic_stands_separable_and_constant_rewards():
    features = np.linspace(-1.0, 1.0, 20)[:, None]
    steep = Logistic(penalty=1e-3).fit(features, (features[:, 0] > 0).astype(float))(features)
    assert np.all(np.isfinite(steep)) and steep[0] < 0.1 < 0.9 < steep[-1]
    assert Logistic().fit(features, np.zeros(20))(features).max() < 1e-4


@dataclass(frozen=True)
class Remembers:
    """Forecasts a row's own reward if it has seen it (the feature is the row's number), else -1."""

    def fit(self, features, rewards, weights=None):
        seen = dict(zip(features[:, 0].astype(int), rewards, strict=True))
        return lambda given: np.array([seen.get(int(row), -1.0) for row in given[:, 0]])


@settings(max_examples=30, deadline=None)
@given(n=st.integers(6, 40), folds=st.integers(2, 6), seed=st.integers(0, 99))
def test_no_row_is_forecast_by_a_model_that_saw_it(n, folds, seed):
    numbers = np.arange(n, dtype=float)[:, None]
    pairs = [Pairs(np.arange(n), numbers, np.ones(n))]
    made = cross_fitted(Remembers(), numbers, np.ones(n), candidates=pairs, folds=folds, seed=seed)
    assert np.all(made.shown == -1.0) and np.all(made.expected == -1.0)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 5), min_size=3, max_size=20), folds=st.integers(2, 3))
def test_rows_of_a_group_stay_together(sizes, folds):
    groups = np.repeat(np.arange(len(sizes)), sizes).astype(str)
    fold = fold_of(len(groups), folds=folds, seed=0, groups=groups)
    assert all(len(set(fold[groups == one])) == 1 for one in set(groups))
    shares = np.bincount([fold[groups == one][0] for one in set(groups)], minlength=folds)
    assert np.ptp(shares) <= 1


def logged(n=3_000, seed=0):
    """Four actions; what they earn depends on the context; logged evenly."""
    rng = np.random.default_rng(seed)
    context = rng.standard_normal((n, 2))
    chances = 1 / (1 + np.exp(-context @ np.array([[1.0, 0, -1, 0.5], [0, 1.0, 0.5, -1]]) + 0.5))
    actions = rng.integers(4, size=n)
    rewards = (rng.random(n) < chances[np.arange(n), actions]).astype(float)
    target = np.exp(2 * context @ np.array([[1.0, 0, -1, 0], [0, 1.0, 0, -1]]))
    target /= target.sum(axis=1, keepdims=True)
    return context, actions, rewards, target, float((target * chances).sum(axis=1).mean())


@pytest.mark.parametrize("model", [Ridge(), Logistic()])
def test_doubly_robust_with_a_fitted_model_is_right(model):
    """60 logs: the mean is within 3.5 standard errors of the truth (false alarm 5e-4), the direct method's is not:
    neither model knows which action goes with which context."""
    robust, direct = [], []
    for seed in range(60):
        context, actions, rewards, target, truth = logged(600, seed)
        rows = np.arange(600)
        baseline = cross_fitted(
            model,
            with_actions(context, actions, 4),
            rewards,
            candidates=action_pairs(context, target),
            seed=seed,
        )
        log = rewards, np.full(600, 0.25), target[rows, actions], baseline
        robust.append(Dr().estimate(*log).value - truth)
        direct.append(Dm().estimate(*log).value - truth)
    for values, good in ((np.array(robust), True), (np.array(direct), False)):
        z = values.mean() / (values.std(ddof=1) / np.sqrt(60))
        assert (abs(z) < 3.5) == good


def test_pairs_in_chunks_are_pairs_at_once():
    context, actions, rewards, target, _ = logged(200)
    chunks = list(action_pairs(context, target))
    cut = [
        Pairs(each.rows[part], each.features[part], each.target[part])
        for each in chunks
        for part in (slice(0, 5), slice(5, None))
    ]
    features = with_actions(context, actions, 4)
    whole, parts = (cross_fitted(Ridge(), features, rewards, candidates=each) for each in (chunks, cut))
    assert np.allclose(whole.expected, parts.expected)


def test_scikit_models_classify_and_regress():
    linear = pytest.importorskip("sklearn.linear_model")
    features, chances, rewards = table(2_000)
    classes = ScikitModel(linear.LogisticRegression()).fit(features, rewards)(features)
    assert np.corrcoef(classes, chances)[0, 1] > 0.98
    values = ScikitModel(linear.Ridge()).fit(features, rewards, np.ones(2_000))(features)
    assert values == pytest.approx(Ridge().fit(features, rewards)(features), abs=1e-8)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[sklearn\]'"):
        ScikitModel(object()).fit(*table(10)[::2])


def test_robust_weights_by_hand():
    """A match logged with 1/4: (1 - 1/4) x 16 = 12; no match counts nothing."""
    assert robust_weights(np.array([0.25, 0.25]), np.array([1.0, 0.0])) == pytest.approx([12.0, 0.0])


def test_what_cannot_be_fitted_is_refused():
    features, _, rewards = table(20)
    with pytest.raises(InputError, match="needs them in"):
        Logistic().fit(features, 3 * rewards)
    with pytest.raises(InputError, match="row 4 has a feature"):
        Ridge().fit(np.where(np.arange(20)[:, None] == 4, np.nan, features), rewards)
    with pytest.raises(InputError, match=r"rewards \(19,\)"):
        Ridge().fit(features, rewards[1:])
    with pytest.raises(InputError, match="all weights are 0"):
        Ridge().fit(features, rewards, np.zeros(20))
    for bad in (Ridge, Logistic):
        with pytest.raises(InputError, match="penalty is 0"):
            bad(penalty=0)


def test_what_cannot_be_crossed_is_refused():
    features, _, rewards = table(6)
    pairs = [Pairs(np.arange(6), features, np.full(6, 0.5))]
    with pytest.raises(PropensityError, match=r"row 0 sum to 0\.5"):
        cross_fitted(Ridge(), features, rewards, candidates=pairs, folds=2)
    with pytest.raises(InputError, match="7 folds of 6 groups"):
        cross_fitted(Ridge(), features, rewards, candidates=pairs, folds=7)
