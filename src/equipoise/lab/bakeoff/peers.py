"""Other people's libraries, playing the same rows: vowpalwabbit, mabwiser and bayesianbandits (extra `peers`).

Each sees the same contexts, (d,) with a 1 in front, and gets the settings that its own users would turn from a short
search (see `run`): vowpalwabbit its learning rate, the others the width of their exploration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from equipoise.core import MissingExtraError, Vectors
from equipoise.lab.bakeoff.players import Setting
from equipoise.lab.bakeoff.round import Player, Shown

RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Learning rates that vowpalwabbit may choose from; its own default is .5."""

VOWPAL = {
    "epsilon": "--epsilon 0.05",
    "squarecb": "--squarecb",
    "regcbopt": "--regcbopt",
    "cover": "--cover 5 --nounif",
    "bag": "--bag 5",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """make: a fresh player at one of the `levels`; the best of them is searched for."""

    make: Callable[[Setting, float, np.random.Generator], Player]
    levels: tuple[float, ...]


def library(name: str) -> Any:
    """Raises: MissingExtraError: it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"this player needs {name.partition('.')[0]}: pip install 'equipoise[peers]'"
        ) from missing


class Vowpal:
    """`--cb_explore_adf` with one example an action, features of context times action alone.

    Costs are 1 - reward. Reference: Bietti, Agarwal and Langford 2021.
    """

    def __init__(self, explore: str, setting: Setting, rate: float, rng: np.random.Generator) -> None:
        seed = int(rng.integers(1, 2**31))
        self._learner = library("vowpalwabbit").Workspace(
            f"--cb_explore_adf {explore} -q sa --ignore_linear s -l {rate} --random_seed {seed} --quiet"
        )
        self._actions = [f"|a {action}" for action in range(setting.classes)]
        self._rng = rng

    def choose(self, context: Vectors) -> Shown:
        odds = np.maximum(self._learner.predict([_shared(context), *self._actions]), 0.0)
        odds = odds / odds.sum()
        action = int(self._rng.choice(len(odds), p=odds))
        return Shown(action, float(odds[action]))

    def learn(self, context: Vectors, shown: Shown, reward: float) -> None:
        told = list(self._actions)
        told[shown.action] = f"0:{1.0 - reward}:{shown.propensity} {told[shown.action]}"
        self._learner.learn([_shared(context), *told])


def _shared(context: Vectors) -> str:
    at = np.flatnonzero(context)
    return "shared |s " + " ".join(
        f"{i}:{v:.6g}" for i, v in zip(at.tolist(), context[at].tolist(), strict=True)
    )


class Mabwiser:
    """A linear policy of mabwiser's, which wants each arm seen once: the first rows show the arms in turn."""

    def __init__(self, policy: str, setting: Setting, alpha: float, rng: np.random.Generator) -> None:
        mab = library("mabwiser.mab")
        chosen = getattr(mab.LearningPolicy, policy)(alpha=alpha)
        self._mab = mab.MAB(list(range(setting.classes)), chosen, seed=int(rng.integers(2**31)))
        self._left = list(range(setting.classes))
        self._first: list[tuple[int, float, Vectors]] = []

    def choose(self, context: Vectors) -> Shown:
        if self._left:
            return Shown(self._left[0])
        return Shown(int(self._mab.predict(context[np.newaxis].astype(np.float64))))

    def learn(self, context: Vectors, shown: Shown, reward: float) -> None:
        if not self._left:
            self._mab.partial_fit([shown.action], [reward], context[np.newaxis].astype(np.float64))
            return
        self._first.append((self._left.pop(0), reward, context))
        if not self._left:
            actions, rewards, contexts = zip(*self._first, strict=True)
            self._mab.fit(list(actions), list(rewards), np.array(contexts, dtype=np.float64))


class BayesianBandits:
    """A normal-inverse-gamma regression an arm. level: of UCB the quantile; Thompson has none to choose."""

    def __init__(self, policy: str, setting: Setting, level: float, rng: np.random.Generator) -> None:
        theirs = library("bayesianbandits")
        arms = [
            theirs.Arm(action, learner=theirs.NormalInverseGammaRegressor(mu=0.0, lam=1.0))
            for action in range(setting.classes)
        ]
        chosen = (
            theirs.ThompsonSampling() if policy == "thompson" else theirs.UpperConfidenceBound(alpha=level)
        )
        self._agent = theirs.ContextualAgent(arms, chosen, random_seed=rng)

    def choose(self, context: Vectors) -> Shown:
        (action,) = self._agent.pull(context[np.newaxis].astype(np.float64))
        return Shown(int(action))

    def learn(self, context: Vectors, shown: Shown, reward: float) -> None:
        self._agent.select_for_update(shown.action).update(
            context[np.newaxis].astype(np.float64), np.array([reward])
        )


def _peers() -> Mapping[str, Peer]:
    found: dict[str, Peer] = {
        f"vw-{name}": Peer(lambda *of, explore=explore: Vowpal(explore, *of), RATES)
        for name, explore in VOWPAL.items()
    }
    widths: dict[str, tuple[float, ...]] = {"LinUCB": (0.1, 0.3, 1.0), "LinTS": (0.05, 0.2, 1.0)}
    for name, levels in widths.items():
        found[f"mabwiser-{name.lower()}"] = Peer(lambda *of, name=name: Mabwiser(name, *of), levels)
    quantiles: dict[str, tuple[float, ...]] = {"thompson": (0.0,), "ucb": (0.6, 0.68, 0.84)}
    for name, levels in quantiles.items():
        found[f"bayesianbandits-{name}"] = Peer(lambda *of, name=name: BayesianBandits(name, *of), levels)
    return found


PEERS = _peers()


def installed() -> tuple[str, ...]:
    """The peers that can play here."""
    names = []
    for name in PEERS:
        try:
            library({"vw": "vowpalwabbit"}.get(name.partition("-")[0], name.partition("-")[0]))
        except MissingExtraError:
            continue
        names.append(name)
    return tuple(names)
