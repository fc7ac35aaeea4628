"""Who answers: the product's own policies, each with the view that its posterior needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.core import Batch, Candidates, ConfigurationError, Floats, Vectors
from equipoise.engine import nearest
from equipoise.lab.questions.references import full_labels, similarity
from equipoise.lab.questions.views import SHARED, View, products, projected, whole
from equipoise.lab.questions.world import Played, Player, QuestionsWorld, Watch, play
from equipoise.policies import BanditPolicy, Prior, build, draw
from equipoise.policies.registry import EXPLORERS

SETTINGS: Mapping[str, Any] = {
    "floor": 0.00001,
    "noise": 0.05,
    "item_rows": 50.0,
    "curve_rows": 0.1,
    "length": 0.45,
}
"""Of the kernel posterior, chosen on the first 40 % of another order of the training questions; see the page.

floor: 77 answers at the package's own .0002 would cost 1.5 % of all questions for what greedy learns from anyway.
"""

EXPLORING: Mapping[str, Mapping[str, Any]] = {
    "ucb": {"width": 0.1},
    "thompson": {"scale": 0.1},
    "top_two": {"scale": 0.1, "beta": 0.95},
    "epsilon_greedy": {"epsilon": 0.02},
}
"""Of explorers whose own defaults explore for a few items and many more rows than 130 each."""


class PolicyPlayer:
    """One of the package's policies, asked for odds, drawn from by its dice, taught by its own batches."""

    def __init__(self, policy: BanditPolicy, view: View, answers: tuple[str, ...]) -> None:
        self.policy = policy
        self._view = view
        self._answers = answers

    def choose(self, question: Vectors, rng: np.random.Generator) -> tuple[int, float]:
        choice = draw(self.policy.slate(self._candidates(question), rng), 1, rng)
        return int(choice.positions[0]), float(choice.propensities[0])

    def learn(self, question: Vectors, answer: int, *, reward: float, propensity: float) -> None:
        self.policy.update(
            Batch(
                item_ids=(self._answers[answer],),
                user_ids=(None,),
                features=self._view.features(question)[answer : answer + 1],
                rewards=np.array([reward]),
                propensities=np.array([propensity]),
                space=self._view.space,
            )
        )

    def odds(self, question: Vectors, rng: np.random.Generator) -> Floats:
        return self.policy.distribution(self._candidates(question), rng)

    def _candidates(self, question: Vectors) -> Candidates:
        return Candidates(self._answers, self._view.features(question), self._view.space)


def kernel(world: QuestionsWorld, explorer: str, changed: Mapping[str, Any] | None = None) -> Player:
    """Shared weights for the level and the similarity, and a curve over the question's vector for each answer.

    changed: settings other than those chosen here.
    """
    view = whole(world)
    columns = {"shared_columns": (0, SHARED), "curve_columns": (SHARED, view.space.dim)}
    settings = {**SETTINGS, **columns, **EXPLORING.get(explorer, {}), **(changed or {})}
    return _player(world, view, explorer, posterior="kernel", **settings)


def random_effects(world: QuestionsWorld, _name: str) -> Player:
    """Shared weights, and weights for each answer over 126 numbers of the question."""
    view = projected(world)
    settings = {"item_columns": (SHARED, view.space.dim), "slope_rows": 0.1, "item_rows": 50.0}
    return _player(world, view, "greedy", posterior="mixed", floor=SETTINGS["floor"], **settings)


def disjoint(world: QuestionsWorld, _name: str) -> Player:
    """LinUCB with a regression for each answer: nothing is shared, the answer's text is not known."""
    view = projected(world, width=62)
    policy = build(
        "ucb", view.space, posterior="arms", precision=0.1, floor=0.0, most_arms=len(world.answers)
    )
    return PolicyPlayer(policy, view, world.answers)


def shared(world: QuestionsWorld, _name: str) -> Player:
    """One regression for all answers, on products of question and answer."""
    return _player(world, products(world), "greedy", posterior="linear", floor=SETTINGS["floor"])


def _player(world: QuestionsWorld, view: View, explorer: str, **settings: Any) -> PolicyPlayer:
    """With the belief, before any row, that the reward is the similarity."""
    mean, precision = np.zeros(view.space.dim), np.full(view.space.dim, 5.0)
    mean[1] = 1.0
    policy = build(explorer, view.space, prior=Prior(mean, precision), **settings)
    return PolicyPlayer(policy, view, world.answers)


PLAYERS: Mapping[str, Callable[[QuestionsWorld, str], Player]] = {
    **dict.fromkeys(EXPLORERS, kernel),
    "random-effects": random_effects,
    "disjoint-linucb": disjoint,
    "shared-linear": shared,
    "similarity": similarity,
}
"""Name to who answers; an explorer's name plays it over the kernel posterior."""

DEFAULT = (
    "greedy",
    "random-effects",
    "disjoint-linucb",
    "shared-linear",
    "similarity",
    "uniform",
    "full-labels",
    "oracle",
)


REFERENCES = ("full-labels", "oracle")
"""Who is told what nobody would be told."""

KNOWN = (*PLAYERS, *REFERENCES)


def check_names(names: Sequence[str]) -> None:
    """Raises: ConfigurationError: a name that nobody has."""
    for name in names:
        if name not in KNOWN:
            raise ConfigurationError(f"nobody is called '{name}'{nearest(name, list(KNOWN))}")


def played(world: QuestionsWorld, name: str, *, seed: int, size: int | None = None, watch: Watch) -> Played:
    """One pass and the test by the player of that name, who has learned nothing before."""
    if name in REFERENCES:
        stream = world.stream(seed, size)
        told = (np.zeros(len(stream)), np.zeros(len(world.test)))
        wrong, test_wrong = full_labels(world, stream) if name == "full-labels" else told
        return Played(wrong, np.ones(len(stream)), test_wrong)
    return play(world, PLAYERS[name](world, name), seed=seed, name=name, size=size, watch=watch)
