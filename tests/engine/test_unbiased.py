"""Law 3: inverse-propensity estimates from the engine's own journal are unbiased, while it learns from that journal."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import Request

from .shop import START, opened

DECISIONS = 2_000
ARMS = ("i0", "i1", "i2", "i3", "i4")
PAYS = np.array([0.1, 0.3, 0.5, 0.2, 0.4])
"""How often each arm is liked, at a desk; on a phone the order is turned round."""

FLOOR = 0.02
"""So that no weight exceeds 1 / .02 = 50, and z is nearly normal."""


@pytest.mark.parametrize("policy", ["thompson", "squarecb"])
def test_ips_of_a_known_target(policy: str) -> None:
    """The target shows each of five arms with probability 1/5, so its value is the mean of PAYS, .3.

    A decision's weighted reward less the true value has mean 0 given the past, so their sum is a martingale and z is
    nearly normal: |z| < 3 is passed by 99.7 % of seeds; decision_ids and seed are fixed, so this run always gives one z.
    """
    world = np.random.default_rng(7)
    with opened(n=5, policy={"name": policy, "floor": FLOOR}) as engine:
        for number in range(DECISIONS):
            desk = world.random() < 0.5
            request = Request(items=ARMS, attributes={"device": "desk" if desk else "phone"})
            decision = engine.recommend(request, slots=1, decision_id=f"d{number}", at=START + number)
            arm = ARMS.index(decision.slots[0].item_id)
            if world.random() < (PAYS if desk else PAYS[::-1])[arm]:
                engine.feedback(decision.decision_id, slot=0, kind="like", at=START + number)
            engine.settle(decision.decision_id, at=START + number)
        logged = [entry for _, entry in engine.parts.journal.settled()]
    rewards = np.array([entry.rewards[0] for entry in logged])
    propensities = np.array([entry.decision.slots[0].propensity for entry in logged])
    assert len(logged) == DECISIONS
    assert propensities.min() >= FLOOR
    differences = 0.2 / propensities * rewards - PAYS.mean()
    z = differences.sum() / np.sqrt((differences**2).sum())
    assert abs(z) < 3.0
    assert rewards.mean() > PAYS.mean() + 0.05  # and it has learned: the best arm of each device pays .5
