"""The cascade world: its truth is a sum, its dice are as logged, its forecasts keep the laws of forecasts."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import ConfigurationError
from equipoise.lab.cascade import CascadeSettings, CascadeWorld

WORLDS = [
    CascadeSettings(reach=reach, repeats=repeats)
    for reach in ("own", "above", "all")
    for repeats in (True, False)
]


@pytest.mark.parametrize("settings", WORLDS)
def test_policies_are_distributions_at_every_slot(settings: CascadeSettings) -> None:
    """Whatever stands above, the chances over a slot's items sum to 1, none that is left below the floor."""
    world = CascadeWorld.of(settings, seed=1)
    cube = (settings.contexts,) + (settings.items,) * settings.slots
    for policy in (world.logging, world.target):
        assert policy.prod(axis=2).sum(axis=1) == pytest.approx(np.ones(settings.contexts), rel=1e-12)
        assert policy[policy > 0].min() >= settings.floor - 1e-12
        assert policy[..., 0].reshape(cube).sum(axis=1) == pytest.approx(1.0, rel=1e-12)
    # 5 x 4 x 3 slates can be shown when nothing comes twice, 5^3 otherwise.
    assert np.count_nonzero(world.logging.prod(axis=2)[0]) == (125 if settings.repeats else 60)


def test_truth_by_hand() -> None:
    """One context, two items, one slot: the target's chances times those of a reward."""
    world = CascadeWorld.of(CascadeSettings(contexts=1, items=2, slots=1, repeats=True), seed=0)
    by_hand = world.target[0, 0, 0] * world.chances[0, 0, 0] + world.target[0, 1, 0] * world.chances[0, 1, 0]
    assert world.truth() == pytest.approx(by_hand, rel=1e-14)
    assert world.truth(np.array([3.0])) == pytest.approx(3 * by_hand, rel=1e-14)


@pytest.mark.parametrize("settings", WORLDS)
def test_the_first_slots_mean_forecast_is_the_truth(settings: CascadeSettings) -> None:
    world = CascadeWorld.of(settings, seed=2)
    shown, expected = world.to_go(world.target)
    assert expected[:, 0, 0].mean() == pytest.approx(world.truth(), rel=1e-12)
    # The last slot's forecast of what is shown is its own chance of a reward.
    assert shown[..., -1] == pytest.approx(world.chances[..., -1], rel=1e-14)


def test_the_reward_depends_on_what_the_reach_says() -> None:
    """In the slates 0 1 2 and 0 1 3 only the last item differs; in 3 1 2 only the first."""
    for reach, below_matters, above_matters in (
        ("own", False, False),
        ("above", False, True),
        ("all", True, True),
    ):
        chances = CascadeWorld.of(CascadeSettings(reach=reach), seed=0).chances[0]
        assert (chances[7, 1] != chances[8, 1]) == below_matters
        assert (chances[7, 1] != chances[3 * 25 + 7, 1]) == above_matters


def test_a_log_shows_slates_as_often_as_it_says() -> None:
    """Over n draws of inverse propensities, the mean of 1 / (probability of the slate) is the number of slates."""
    world = CascadeWorld.of(CascadeSettings(), seed=3)
    log = world.log(20_000, np.random.default_rng(0))
    inverse = 1.0 / log.propensities.prod(axis=1)
    # 5 x 4 x 3 = 60; within 5 standard errors (false alarm 6e-7).
    assert abs(inverse.mean() - 60) < 5 * inverse.std(ddof=1) / np.sqrt(len(log))
    assert set(np.unique(log.rewards)) == {0.0, 1.0}


def test_one_seed_is_one_world_and_one_log() -> None:
    one, other = (CascadeWorld.of(CascadeSettings(), seed=5) for _ in range(2))
    logs = [world.log(50, np.random.default_rng(1), baseline="learned") for world in (one, other)]
    assert np.array_equal(logs[0].rewards, logs[1].rewards)
    assert np.array_equal(logs[0].q_shown, logs[1].q_shown)
    assert not np.array_equal(one.chances, CascadeWorld.of(CascadeSettings(), seed=6).chances)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"items": 50, "slots": 4}, "items.slots is 6250000"),
        ({"items": 2, "slots": 3}, "3 slots cannot be filled from 2 items"),
        ({"reach": "sideways"}, "reach is 'sideways'"),
        ({"floor": 0.5}, "floor is 0.5"),
        ({"contexts": 0}, "contexts 0"),
    ],
)
def test_what_cannot_be_a_world_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        CascadeSettings(**changes)
