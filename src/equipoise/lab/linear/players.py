"""Who plays the linear world: the product's policies, and how their candidates are found among many items.

Up to `MOST` items all are candidates. Above, they come as in the engine from several sources: those nearest one draw
of the posterior's weights, those nearest their mean, and those shown before that have earned the most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, Floats, Vectors
from equipoise.engine import nearest
from equipoise.lab.linear.world import DIM, SPACE, LinearWorld
from equipoise.policies import BanditPolicy, build, draw
from equipoise.policies.registry import EXPLORERS
from equipoise.retrieval import ExactIndex

DRAWN, MEANT, EARNED = 120, 40, 40
"""Candidates by source."""
MOST = DRAWN + MEANT + EARNED

DEFAULT = ("thompson", "ucb", "squarecb", "epsilon_greedy", "greedy", "uniform", "oracle")
KNOWN = (*EXPLORERS, "oracle")
STEP = 100
"""Rounds between two words to who watches."""

Rows = NDArray[np.int64]
Watch = Callable[[int, float], None]


def check_names(names: tuple[str, ...]) -> None:
    """Raises: ConfigurationError: a name that nobody has."""
    for name in names:
        if name not in KNOWN:
            raise ConfigurationError(f"nobody is called '{name}'{nearest(name, list(KNOWN))}")


def regret_of(name: str, world: LinearWorld, rng: np.random.Generator, watch: Watch) -> Floats:
    """Returns: (rounds,) the running sum of best chance less shown chance."""
    rounds, items = len(world.requests), len(world.vectors)
    lost = np.zeros(rounds)
    if name == "oracle":
        return lost
    player = None if name == "uniform" else Searcher.of(name, world)
    for at in range(rounds):
        means = world.means(at)
        shown = int(rng.integers(items)) if player is None else player.play(at, means, rng)
        lost[at] = float(means.max() - means[shown])
        if (at + 1) % STEP == 0:
            watch(at + 1, float(lost[: at + 1].mean()))
    return np.asarray(lost.cumsum())


@dataclass(frozen=True, slots=True, eq=False)
class Searcher:
    """A policy, the index that its candidates are found in, and what each item shown has earned."""

    policy: BanditPolicy
    world: LinearWorld
    index: ExactIndex
    earned: dict[int, tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, world: LinearWorld) -> Searcher:
        """Without a floor, so that regret is the explorer's own. Where text helps the posterior is linear, else mixed."""
        posterior = "linear" if world.text else "mixed"
        policy = build(name, SPACE, posterior=posterior, floor=0.0)
        space = FeatureSpace("linear-item", "1", DIM)
        ids = tuple(f"{item}" for item in range(len(world.vectors)))
        return cls(policy, world, ExactIndex.over(space, ids, world.vectors))

    def play(self, at: int, means: Vectors, rng: np.random.Generator) -> int:
        """One round: candidates, distribution, dice, reward, update. means: (n,). Returns: the item shown."""
        items = self.candidates(at, rng)
        features = self.world.features(at, items)
        ids = tuple(f"{item}" for item in items.tolist())
        choice = draw(self.policy.slate(Candidates(ids, features, SPACE), rng), 1, rng)
        place = int(choice.positions[0])
        shown = int(items[place])
        reward = float(rng.random() < means[shown])
        one = slice(place, place + 1)
        rewards = np.array([reward])
        self.policy.update(Batch(ids[one], (None,), features[one], rewards, choice.propensities, SPACE))
        total, count = self.earned.get(shown, (0.0, 0))
        self.earned[shown] = (total + reward, count + 1)
        return shown

    def candidates(self, at: int, rng: np.random.Generator) -> Rows:
        """Returns: (k,) distinct items."""
        if len(self.world.vectors) <= MOST:
            return np.arange(len(self.world.vectors))
        drawn = self.policy.draw_weights(int(rng.integers(2**62)))
        sources = ((drawn, DRAWN), (self.policy.weights, MEANT))
        found = [self._near(weights, at, count) for weights, count in sources if weights is not None]
        return np.array(list(dict.fromkeys(item for part in (*found, self._best_earners()) for item in part)))

    def _near(self, weights: Floats, at: int, count: int) -> list[int]:
        query = (weights[1:] * self.world.requests[at]).astype(np.float32)
        return [int(item_id) for item_id in self.index.search(query, count).item_ids]

    def _best_earners(self) -> list[int]:
        """Of the items shown, those with the best mean reward, shrunk to one half by two rows."""
        worth = {item: (total + 1.0) / (count + 2.0) for item, (total, count) in self.earned.items()}
        return sorted(worth, key=worth.__getitem__, reverse=True)[:EARNED]
