"""Doubly robust evidence: the definition by brute force, right where either half is, steadier than weighting alone."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import InputError
from equipoise.learning.offline import DoublyRobust
from equipoise.learning.offline.doubly_robust import FOLDS

K, D = 6, 3


def world(n: int, seed: int, *, bent: float, propensities: str = "right", own: float = 0.0):
    """n choices among K items. The reward is linear but for a bend, and what is an item's own, which no feature says; the
    log prefers what the bend favours.

    Returns: features (n, K, D), shown (n,), rewards (n,), weights 1 / (K p), the true mean rewards (n, K).
    """
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, K, D))
    features[:, :, -1] = 1.0
    truth = features @ np.array([0.3, -0.2, 0.5]) + bent * np.maximum(features[:, :, 0], 0.0) ** 2
    truth = truth + own * np.linspace(-1.0, 1.0, K)
    odds = np.exp(1.0 * features[:, :, 0])
    odds = 0.1 / K + 0.9 * odds / odds.sum(axis=1, keepdims=True)
    shown = (odds.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    rows = np.arange(n)
    rewards = truth[rows, shown] + 0.3 * rng.normal(size=n)
    logged = odds[rows, shown] if propensities == "right" else np.full(n, 0.9)
    return features, shown, rewards, 1.0 / (K * logged), truth


def evidence(features, shown, rewards, weights, *, seed=0, rows=None):
    made = DoublyRobust(D, K, rng=np.random.default_rng(seed))
    for each, position, reward, weight in zip(features, shown, rewards, weights, strict=True):
        made.add(each, np.arange(K), int(position), reward=float(reward), weight=float(weight))
    return made.evidence(rows=len(shown) if rows is None else rows)


def fitted(found):
    return np.linalg.solve(found.precision, found.information)


def best_linear(features, truth):
    """Least squares of the true means on all candidates alike."""
    x = features.reshape(-1, D)
    return np.linalg.lstsq(x, truth.reshape(-1), rcond=None)[0]


def weighted(features, shown, rewards, weights):
    x = features[np.arange(len(shown)), shown]
    return np.linalg.solve((x.T * weights) @ x, x.T @ (weights * rewards))


def test_it_is_least_squares_on_pseudo_rewards_of_every_candidate():
    """By brute force: q from the other folds, y = q + [shown] k w (r - q), each candidate counting 1 / k."""
    features, shown, rewards, weights, _ = world(60, 1, bent=0.5, own=0.5)
    found = evidence(features, shown, rewards, weights, seed=5, rows=30.0)
    rng = np.random.default_rng(5)
    folds = np.array([int(rng.integers(FOLDS)) for _ in range(60)])
    gram, moment = np.zeros((D, D)), np.zeros(D)
    wide = np.concatenate([features, np.ones((60, K, 1))], axis=2)
    for i in range(60):
        others = np.flatnonzero(folds != folds[i])
        x, w, r = wide[others, shown[others]], weights[others], rewards[others]
        model = np.linalg.solve((x.T * w) @ x + np.diag([5.0, 5.0, 5.0, 1e-9]), x.T @ (w * r))
        y = wide[i] @ model
        for item in range(K):
            rows = shown[others] == item
            y[item] += (w[rows] * (r[rows] - x[rows] @ model)).sum() / (w[rows].sum() + 5.0)
        y[shown[i]] += K * weights[i] * (rewards[i] - y[shown[i]])
        gram += features[i].T @ features[i] / K
        moment += features[i].T @ y / K
    # 60 choices that count for 30 rows: half of everything.
    np.testing.assert_allclose(found.precision, 0.5 * gram, atol=1e-10)
    np.testing.assert_allclose(found.information, 0.5 * moment, atol=1e-9)
    assert found.rows == 30.0


def test_right_propensities_make_up_for_a_wrong_model():
    """The best linear fit to a bent truth, though the log shows the bend; plain least squares is far off.

    n = 20,000: standard errors are below .02, and the tolerance is 4 of them.
    """
    features, shown, rewards, weights, truth = world(20_000, 2, bent=0.5)
    aim = best_linear(features, truth)
    naive = weighted(features, shown, rewards, np.ones(len(shown)))
    assert np.abs(naive - aim).max() > 0.25
    np.testing.assert_allclose(fitted(evidence(features, shown, rewards, weights)), aim, atol=0.08)


def test_a_right_model_makes_up_for_wrong_propensities():
    """All propensities told as .9: the model is right, so that its errors have mean 0 whatever they are multiplied by."""
    features, shown, rewards, weights, truth = world(20_000, 3, bent=0.0, propensities="wrong")
    aim = best_linear(features, truth)
    np.testing.assert_allclose(fitted(evidence(features, shown, rewards, weights)), aim, atol=0.02)


def test_both_wrong_is_wrong():
    features, shown, rewards, weights, truth = world(20_000, 2, bent=0.5, propensities="wrong")
    aim = best_linear(features, truth)
    assert np.abs(fitted(evidence(features, shown, rewards, weights)) - aim).max() > 0.2


def test_where_items_have_something_of_their_own_it_varies_less_than_weighted_rows():
    """Over 60 logs of 600 choices, squared errors to the best linear fit, on the same logs."""
    robust, ips = [], []
    for seed in range(60):
        features, shown, rewards, weights, truth = world(600, 100 + seed, bent=0.0, own=1.0)
        aim = best_linear(features, truth)
        robust.append(np.sum((fitted(evidence(features, shown, rewards, weights)) - aim) ** 2))
        ips.append(np.sum((weighted(features, shown, rewards, weights) - aim) ** 2))
    assert np.mean(robust) < 0.5 * np.mean(ips)


def test_logs_add_up():
    one = evidence(*world(40, 5, bent=0.1)[:4])
    other = evidence(*world(50, 6, bent=0.1)[:4])
    both = one + other
    np.testing.assert_array_equal(both.precision, one.precision + other.precision)
    np.testing.assert_array_equal(both.information, one.information + other.information)
    assert both.rows == 90.0


def test_too_few_choices_are_refused():
    with pytest.raises(InputError, match="2 choices but 3 folds"):
        evidence(*world(2, 1, bent=0.0)[:4])
