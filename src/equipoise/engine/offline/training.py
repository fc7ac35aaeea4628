"""A policy trained offline, on our own journal or on anyone's log: on the earlier part, judged on the later.

What comes out is a challenger's TOML with the weights in it: `evaluate` and `promote` take it, the journal keeps it
with the promotion, and no other file has to be there for it to serve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np

from equipoise.core import ConfigurationError, FeatureSpace, Floats, InputError, generator
from equipoise.engine.challenge import challenger_tables, judged
from equipoise.engine.engine import Engine
from equipoise.engine.offline.choices import journal_choices
from equipoise.engine.offline.foreign import ForeignLog
from equipoise.engine.offline.imported import IMPORTED
from equipoise.engine.offline.log_choices import (
    catalog_choices,
    cut_of,
    latest,
    log_choices,
    log_space,
    part_of,
    with_shown_items,
)
from equipoise.evaluation.logs import Log
from equipoise.evaluation.logs.journal import Collected
from equipoise.evaluation.targets import Given, Learning, Target
from equipoise.learning.offline import (
    ChoiceLog,
    SoftmaxPolicy,
    Trained,
    TrainingSettings,
    Tried,
    choose,
    reward_weights,
    train,
)
from equipoise.policies import build
from equipoise.policies.policy import FLOOR
from equipoise.policies.posteriors.trained import TRAINED

Method = Literal["dr", "poem", "snips", "ips"]
"""What is made large: see `learning.offline.objectives`; `poem` is `ips` with POEM's variance penalty."""

VARIANCES = {"dr": (0.5, 2.0), "poem": (0.5, 1.0, 2.0), "snips": (0.5, 2.0), "ips": (0.0,)}
RIDGES = (1.0, 10.0, 100.0, 1000.0, 10000.0)
"""What is tried where nothing is given. The last ridge leaves hardly more than an even choice."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to train.

    name: of the policy, in reports. variance, ridge: see `TrainingSettings`, in units of
    the rewards' standard deviation; None tries several, and takes what does best
    on the later quarter of the part that is trained on. clip: the largest importance weight. held_out: the later
    share of the decisions, that the policy is judged on, in (0, 1). floor: the least probability of any candidate.
    seed: of the reward model's folds.
    """

    name: str = TRAINED
    method: Method = "dr"
    variance: float | None = None
    ridge: float | None = None
    clip: float = 100.0
    held_out: float = 0.3
    floor: float = FLOOR
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in VARIANCES:
            raise ConfigurationError(f"method is {self.method!r} but must be one of {', '.join(VARIANCES)}")
        if not 0.0 < self.held_out < 1.0:
            raise ConfigurationError(
                f"held_out is {self.held_out} but must lie between 0 and 1: 0.3 is usual"
            )
        if not 0.0 <= self.floor <= 1.0:
            raise ConfigurationError(f"floor is {self.floor} but must lie between 0 and 1: {FLOOR} is usual")
        if self.method == "ips" and self.variance:
            raise ConfigurationError(
                f"method 'ips' has no variance penalty, but variance is {self.variance}: that is method 'poem'"
            )

    @property
    def tries(self) -> tuple[TrainingSettings, ...]:
        """The settings to choose from."""
        variances = VARIANCES[self.method] if self.variance is None else (self.variance,)
        ridges = RIDGES if self.ridge is None else (self.ridge,)
        method: Literal["ips", "snips", "dr"] = "ips" if self.method == "poem" else self.method
        return tuple(
            TrainingSettings(method=method, clip=self.clip, variance=variance, ridge=ridge, steps=100)
            for variance, ridge in product(variances, ridges)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A policy in one feature space. rewards: (d,) of the reward model. choices: that it was trained on.

    tried: every setting with its value on the later quarter of those; empty where nothing was left to choose.
    """

    space: FeatureSpace
    trained: Trained
    rewards: Floats
    choices: int
    tried: tuple[Tried, ...]

    @property
    def weights(self) -> dict[str, list[float]]:
        """As `TrainedPosterior` takes them."""
        return {"scores": self.trained.weights.tolist(), "rewards": self.rewards.tolist()}


@dataclass(frozen=True, slots=True, eq=False)
class Challenger:
    """What was trained, and what to judge it by.

    fitted: one a feature space. held_out: the later part of the log. targets: the policy on it, once a feature space.
    propensities: where they come from, in a sentence. estimated: whether they had to be. notes: what was assumed.
    """

    plan: Plan
    fitted: tuple[Fitted, ...]
    held_out: Log
    targets: tuple[Target, ...]
    propensities: str
    estimated: bool
    notes: tuple[str, ...]

    @property
    def tables(self) -> dict[str, Any]:
        """The challenger's TOML, as a mapping."""
        return _tables(self.plan, self.fitted)


def train_on_journal(
    engine: Engine,
    plan: Plan | None = None,
    *,
    last: int | None = None,
    progress: Progress | None = None,
    asking: Progress | None = None,
) -> Challenger:
    """Train on the settled decisions of our own, less the later ones, and judge as `evaluate --journal` does.

    last: only that many of those to train on. progress, asking: called with (done, total) while it trains, and while it
    is asked about the later part.
    Raises: InputError: too few decisions.
    """
    plan = plan or Plan()
    cut = _cut(engine, plan.held_out)
    fitted = _fitted(
        journal_choices(engine, last=last, until=cut), engine.parts.stock.pairing.space, plan, progress
    )
    collected = Collected()
    settings = challenger_tables(_tables(plan, (fitted,)), engine.parts.settings)
    for one in judged(engine, settings, progress=asking):
        if one.position > cut:
            collected.add(one.logged, one.target, (one.shown, one.expected))
    log = collected.log(name=engine.parts.settings.journal.path)
    target = Given(plan.name, collected.chances(), collected.baseline())
    return Challenger(plan, (fitted,), log, (target,), "propensities are the journal's own", False, ())


def train_on_log(
    log: Log,
    plan: Plan | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
    pairing: Progress | None = None,
) -> Challenger:
    """Train on anyone's log, in the features that `evaluate --log` gives to its items.

    engine: train once more in its features, so that it can serve; every item of the log must be in its catalogue, and
    pairing is called with (done, total) while they are made. progress: the same while it trains.
    The log must be in the order of its times. Raises: InputError: too few decisions, or a single item.
    """
    plan = plan or Plan()
    foreign = ForeignLog.of(log, "none")
    log = replace(with_shown_items(log), propensities=foreign.propensities)
    used, note = latest(log, max(space.dim for space in _spaces(log, engine)))
    cut = cut_of(used, plan.held_out)
    earlier, later = part_of(used, slice(0, cut)), part_of(used, slice(cut, len(used)))
    fitted = _fitted(log_choices(earlier), log_space(log), plan, progress)
    policy = build(
        TRAINED, fitted.space, floor=_floor(plan, later), weights={str(fitted.space): fitted.weights}
    )
    made = Challenger(
        plan,
        (fitted,),
        replace(later, notes=()),
        (_given(Learning(plan.name, policy), later),),
        foreign.whence,
        foreign.estimated is not None,
        tuple(filter(None, (*log.notes, note, _candidates(log)))),
    )
    return made if engine is None else _served(made, engine, used, cut, progress, pairing)


def _served(
    made: Challenger, engine: Engine, log: Log, cut: int, progress: Progress | None, pairing: Progress | None
) -> Challenger:
    """The same policy once more, in the engine's features."""
    choices = catalog_choices(engine, log, progress=pairing)
    space, plan = engine.parts.stock.pairing.space, made.plan
    fitted = _fitted(choices.take(np.arange(cut)), space, plan, progress)
    policy = SoftmaxPolicy(fitted.trained.weights, space=space, floor=plan.floor)
    target = policy.chances(choices.take(np.arange(cut, len(choices))))
    served = Given(f"{plan.name} in the catalogue's features", target)
    return replace(made, fitted=(*made.fitted, fitted), targets=(*made.targets, served))


def _fitted(choices: ChoiceLog, space: FeatureSpace, plan: Plan, progress: Progress | None) -> Fitted:
    """Trained in units of the rewards' own spread, so that a ridge means the same for clicks and for seconds."""
    unit = float(choices.rewards.std()) or 1.0
    scaled = replace(choices, rewards=choices.rewards / unit)
    rng, tries = generator(plan.seed, "training"), plan.tries
    tried: tuple[Tried, ...] = ()
    if len(tries) == 1:
        trained = train(scaled, tries[0], rng=rng)
    else:
        trained, found = choose(scaled, tries, rng=rng, progress=progress)
        tried = tuple(Tried(one.settings, unit * one.value, unit * one.low) for one in found)
    if progress is not None:
        progress(len(tries) + 1, len(tries) + 1)
    return Fitted(space, trained, reward_weights(choices).mean, len(choices), tried)


def _cut(engine: Engine, share: float) -> int:
    """The journal's position up to which the earlier decisions of our own lie. Raises: InputError: too few of them."""
    own = [
        position
        for position, logged in engine.parts.journal.settled()
        if logged.decision.policy != IMPORTED and position <= engine.parts.learner.position
    ]
    first = len(own) - round(share * len(own))
    if not 0 < first < len(own):
        raise InputError(
            f"the journal has {len(own)} settled decisions of our own, of which {share:g} are to be held out: too few"
            " for two parts"
        )
    return own[first - 1]


def _spaces(log: Log, engine: Engine | None) -> Sequence[FeatureSpace]:
    return (log_space(log),) if engine is None else (log_space(log), engine.parts.stock.pairing.space)


def _given(learning: Learning, log: Log) -> Given:
    """What `evaluate` would find, without its word that the policy learns: this one does not."""
    chances = learning.chances(log)
    return Given(chances.name, chances.target, chances.baseline)


def _tables(plan: Plan, fitted: Sequence[Fitted]) -> dict[str, Any]:
    weights = {str(one.space): one.weights for one in fitted}
    return {"policy": {"name": TRAINED, "floor": plan.floor, "settings": {"weights": weights}}}


def _floor(plan: Plan, log: Log) -> float:
    """As `evaluate` takes it: no more than an even choice."""
    return min(plan.floor or FLOOR, 1.0 / len(log.items.names))


def _candidates(log: Log) -> str:
    return f"the log lists no candidates: all {len(log.items.names):,} items of it count as such in every row"
