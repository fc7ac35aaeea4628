"""Inverse-propensity estimates from each policy's own log are unbiased, while it learns from that log."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, FeatureSpace
from equipoise.policies import build, draw
from equipoise.policies.registry import EXPLORERS

DECISIONS, EVERY, K, D = 20_000, 100, 10, 4


@pytest.mark.parametrize("name", EXPLORERS)
def test_ips_of_a_known_target(name):
    """Ten items in a linear world whose contexts change every 100 decisions, when the policy learns.

    The target shows item i with probability (i + 1) / 55, so its value is known. Each decision's weighted
    reward less the true value has mean 0 given the past, so their sum is a martingale and z is nearly normal:
    |z| < 3 is the bound asked for, passed by 99.7 % of seeds.
    """
    world, space = np.random.default_rng(11), FeatureSpace("world", "1", D)
    weights = np.array([0.2, -0.1, 0.15, 0.1])
    target = np.arange(1, K + 1) / 55.0
    policy = build(name, space, floor=0.01)
    ids, dice = tuple(f"i{i}" for i in range(K)), np.random.default_rng(12)
    differences = []
    for _ in range(DECISIONS // EVERY):
        features = world.uniform(-1.0, 1.0, size=(K, D)).astype(np.float32)
        truth = np.clip(0.5 + features @ weights, 0.0, 1.0)
        odds = policy.distribution(Candidates(ids, features, space), dice)
        choices = [draw(odds, 1, dice) for _ in range(EVERY)]
        shown = np.array([choice.positions[0] for choice in choices])
        propensities = np.array([choice.propensities[0] for choice in choices])
        rewards = (world.random(EVERY) < truth[shown]).astype(np.float64)
        differences.append(target[shown] / propensities * rewards - target @ truth)
        policy.update(
            Batch(
                tuple(ids[i] for i in shown), (None,) * EVERY, features[shown], rewards, propensities, space
            )
        )
    error = np.concatenate(differences)
    assert len(error) == DECISIONS
    assert abs(error.mean()) < 3.0 * error.std() / np.sqrt(DECISIONS)
