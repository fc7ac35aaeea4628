"""Who plays the wheel: the product's own policies with one regression an action, and the two references.

The regressions see the context as it is, (1, x, y): no basis knows of quadrants or of a rim. Their prior is that of
the published comparison: weights N(0, sigma^2 / .25), sigma^2 ~ IG(6, 6), so a guess of 6 / (6 - 1) worth 10 rows;
and as in its code each action is shown twice, in turn, before anybody chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, Floats, Vectors
from equipoise.engine import nearest
from equipoise.lab.wheel.world import ACTIONS, Wheel
from equipoise.policies import BanditPolicy, build, draw
from equipoise.policies.registry import EXPLORERS

SPACE = FeatureSpace("wheel-context", "1", 3)
PRIOR: dict[str, Any] = {"precision": 0.25, "noise": 6.0 / 5.0, "noise_rows": 10.0}
FLOORED = "-floor"
"""After a policy's name: it plays over the package's own floor. Without it there is none, as published."""
DEFAULT = ("thompson", "greedy", "greedy-floor", "ucb", "uniform", "oracle")
KNOWN = (*EXPLORERS, *(name + FLOORED for name in EXPLORERS), "oracle")

Chosen = NDArray[np.int64]
Watch = Callable[[int, float], None]

FIRST = 2
"""Each action is shown so often at the start, in turn, whoever plays: the published code's `initial_pulls`."""
STEP = 4_000
"""Rounds between two words to who watches."""


def check_names(names: tuple[str, ...]) -> None:
    """Raises: ConfigurationError: a name that nobody has."""
    for name in names:
        if name not in KNOWN:
            raise ConfigurationError(f"nobody is called '{name}'{nearest(name, list(KNOWN))}")


def player(name: str) -> BanditPolicy:
    """A fresh policy of that name."""
    floor: dict[str, Any] = {} if name.endswith(FLOORED) else {"floor": 0.0}
    return build(name.removesuffix(FLOORED), SPACE, posterior="arms", **PRIOR, **floor)


def choices(name: str, world: Wheel, rng: np.random.Generator, watch: Watch) -> Chosen:
    """Returns: (n,) what the player of that name shows in each round, learning from each reward at once."""
    if name == "oracle":
        return np.asarray(world.means.argmax(axis=1))
    if name == "uniform":
        return rng.integers(len(ACTIONS), size=len(world.means))
    return played(player(name), world, rng, watch)


def played(policy: BanditPolicy, world: Wheel, rng: np.random.Generator, watch: Watch) -> Chosen:
    """One pass: distribution, dice, reward, update; the first rounds in turn. Returns: (n,) actions."""
    n = len(world.contexts)
    chosen = np.empty(n, dtype=np.int64)
    for at, features in enumerate(features_of(world)):
        asked = Candidates(ACTIONS, features, SPACE)
        odds = _turn(at) if at < FIRST * len(ACTIONS) else policy.distribution(asked, rng)
        choice = draw(odds, 1, rng)
        action = chosen[at] = int(choice.positions[0])
        policy.update(_row(asked, action, world.rewards[at], choice.propensities))
        if (at + 1) % STEP == 0:
            watch(at + 1, float(world.rewards[np.arange(at + 1), chosen[: at + 1]].mean()))
    return chosen


def _turn(at: int) -> Floats:
    """Returns: (5,) all the probability on the action whose turn it is."""
    return np.asarray(np.eye(len(ACTIONS))[at % len(ACTIONS)])


def features_of(world: Wheel) -> Vectors:
    """Returns: (n, 5, 3) float32: 1, x and y, the same for each action."""
    ones = np.ones((len(world.contexts), 1))
    context = np.concatenate([ones, world.contexts], axis=1).astype(np.float32)
    return np.asarray(np.broadcast_to(context[:, np.newaxis], (len(context), len(ACTIONS), SPACE.dim)))


def _row(asked: Candidates, action: int, rewards: np.ndarray, propensities: np.ndarray) -> Batch:
    one = slice(action, action + 1)
    return Batch(asked.item_ids[one], (None,), asked.features[one], rewards[one], propensities, SPACE)
