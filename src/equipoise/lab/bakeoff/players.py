"""Who plays the bake-off: the product's policies, with one regression a class, and the reference.

One configuration for every data set, chosen on satellite, on the first 8,000 rows of two orders of adult, on
mushroom and on scikit-learn's digits, wine, breast cancer and iris: two regressions averaged by how well each has
forecast, one linear and one with 256 random Fourier features beside the context's own, whose length is the typical norm
of a context (a column adds 1 to its square, be it a scaled number or a category). Of all explorers UCB with a width of .3
lost least over these; it is the default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.core import Batch, Candidates, FeatureSpace, Vectors
from equipoise.lab.bakeoff.round import Player, Shown
from equipoise.policies import BanditPolicy, build, draw

DEFAULT = "ucb"

EXPLORERS: Mapping[str, Mapping[str, Any]] = {
    "ucb": {"width": 0.3},
    "thompson": {"scale": 0.3},
    "regcb": {"width": 0.3},
    "squarecb": {"gamma": 50.0},
    "fastcb": {},
    "epsilon_greedy": {"epsilon": 0.05},
    "greedy": {"floor": 0.0},
}
"""Greedy has no floor here; all others keep the package's own."""

POSTERIORS: Mapping[str, Mapping[str, Any]] = {
    "": {"posterior": "averaged"},
    "-linear": {"posterior": "arms", "precision": 1.0},
    "-waves": {"posterior": "arms", "precision": 3.0, "fourier": 256},
}
"""After a policy's name: both regressions averaged, or one of the two alone."""

OURS = tuple(name + suffix for suffix in POSTERIORS for name in EXPLORERS)
REFERENCES = ("uniform", "oracle")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a player is told of the game. classes: how many. dim: d. columns: of the table, without its class."""

    classes: int
    dim: int
    columns: int


class Ours:
    """A policy of the package behind the game's two questions."""

    def __init__(self, policy: BanditPolicy, classes: int, rng: np.random.Generator) -> None:
        self.policy = policy
        self._names = tuple(f"class{number}" for number in range(classes))
        self._rng = rng

    def choose(self, context: Vectors) -> Shown:
        features = np.broadcast_to(context, (len(self._names), len(context)))
        asked = Candidates(self._names, features, self.policy.space)
        choice = draw(self.policy.slate(asked, self._rng), 1, self._rng)
        return Shown(int(choice.positions[0]), float(choice.propensities[0]))

    def learn(self, context: Vectors, shown: Shown, reward: float) -> None:
        names, features = (self._names[shown.action],), context[np.newaxis]
        rewards, propensities = np.array([reward]), np.array([shown.propensity])
        self.policy.update(Batch(names, (None,), features, rewards, propensities, self.policy.space))


class Uniform:
    """Any class, all alike."""

    def __init__(self, classes: int, rng: np.random.Generator) -> None:
        self._classes = classes
        self._rng = rng

    def choose(self, context: Vectors) -> Shown:
        return Shown(int(self._rng.integers(self._classes)), 1.0 / self._classes)

    def learn(self, context: Vectors, shown: Shown, reward: float) -> None:
        """Nothing to learn."""


def ours(name: str, setting: Setting, rng: np.random.Generator) -> Player:
    """A fresh player by a name of `OURS`, or `uniform`."""
    if name == "uniform":
        return Uniform(setting.classes, rng)
    explorer, _, regression = name.partition("-")
    settings = {**POSTERIORS[name.removeprefix(explorer)], **EXPLORERS[explorer]}
    if regression != "linear":
        settings["fourier_length"] = math.sqrt(max(setting.columns, 1))
    policy = build(explorer, FeatureSpace("bakeoff-context", "1", setting.dim), **settings)
    return Ours(policy, setting.classes, rng)
