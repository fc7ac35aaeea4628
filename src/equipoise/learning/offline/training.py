"""A policy from a log: softmax over linear scores, trained to what the log says it would have earned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize

from equipoise.core import ConfigurationError, Floats, InputError
from equipoise.learning.offline.choices import ChoiceLog, chances
from equipoise.learning.offline.objectives import Objective, additive, normalising
from equipoise.learning.offline.reward_model import forecasts

Method = Literal["ips", "snips", "dr"]
METHODS = ("ips", "snips", "dr")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """method: see `objectives`. clip: the largest importance weight, above 0. variance: POEM's weight of the
    estimate's own standard error, 0 or more. ridge: pull of the weights to 0, in rows. steps: of the optimiser."""

    method: Method = "dr"
    clip: float = 100.0
    variance: float = 0.5
    ridge: float = 1.0
    steps: int = 200

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigurationError(f"method is {self.method!r} but must be one of {', '.join(METHODS)}")
        if not (self.clip > 0.0 and 0.0 <= self.variance < np.inf and 0.0 <= self.ridge < np.inf):
            raise ConfigurationError(
                f"clip {self.clip}, variance {self.variance}, ridge {self.ridge}: expected clip above 0, the others 0 "
                "or more"
            )
        if self.steps < 1:
            raise ConfigurationError(f"steps is {self.steps} but must be 1 or more")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """weights: (d,). settings: as trained. objective: the value that was reached; not an estimate of the reward, since
    the weights were chosen to make it large. n_effective: what the log is worth for this policy, in choices.
    steps: taken. settled: False where the optimiser ran out of steps."""

    weights: Floats
    settings: TrainingSettings
    objective: float
    n_effective: float
    steps: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """How settings did on the later part of the log. value: self-normalised estimate; low: less one standard error."""

    settings: TrainingSettings
    value: float
    low: float


def train(
    log: ChoiceLog,
    settings: TrainingSettings | None = None,
    *,
    rng: np.random.Generator,
    start: Floats | None = None,
) -> Trained:
    """Climb the objective by L-BFGS. rng: deals the folds of the reward model that `dr` leans on.

    start: (d,) weights to begin with; zeros, a uniform policy, if None. The objective has several tops.
    Raises: PropensityError: the log has no propensities.
    """
    settings = settings or TrainingSettings()
    objective = _objective(log, settings, rng)

    def downhill(weights: Floats) -> tuple[float, Floats]:
        value, gradient = objective(weights)
        return -value, -gradient

    first = np.zeros(log.features.shape[1]) if start is None else np.asarray(start, dtype=np.float64)
    found = minimize(downhill, first, jac=True, method="L-BFGS-B", options={"maxiter": settings.steps})
    ratios = np.minimum(chances(log, found.x)[log.shown] / log.logged(), settings.clip)
    worth = float(ratios.sum() ** 2 / max(float(ratios @ ratios), 1e-300))
    return Trained(np.asarray(found.x), settings, -float(found.fun), worth, int(found.nit), found.status == 0)


def choose(
    log: ChoiceLog,
    settings: Sequence[TrainingSettings],
    *,
    rng: np.random.Generator,
    held_out: float = 0.25,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Trained, tuple[Tried, ...]]:
    """Train each on the earlier part, judge it on the later, and train the best again on all.

    The log must be in the order of its times. Best is the greatest self-normalised estimate less one standard
    error. held_out: share of the choices that judge, in (0, 1). progress: called with (done, total).
    Raises: InputError: nothing to try, or too few choices for two parts.
    """
    n = len(log)
    cut = n - round(held_out * n)
    if not settings or not 0.0 < held_out < 1.0 or cut < 2 or n - cut < 2:
        raise InputError(
            f"{len(settings)} settings and {n} choices at held_out {held_out}: too few to judge by"
        )
    earlier, later = log.take(np.arange(cut)), log.take(np.arange(cut, n))
    tried: tuple[Tried, ...] = ()
    for each in settings:
        tried = (*tried, judged(later, each, train(earlier, each, rng=rng).weights))
        if progress is not None:
            progress(len(tried), len(settings) + 1)
    best = max(tried, key=lambda one: one.low)
    return train(log, best.settings, rng=rng), tried


def judged(log: ChoiceLog, settings: TrainingSettings, weights: Floats) -> Tried:
    """What a log that was not trained on says of weights."""
    ratios = chances(log, weights)[log.shown] / log.logged()
    total = max(float(ratios.sum()), 1e-300)
    value = float(ratios @ log.rewards) / total
    stderr = float(np.sqrt(np.sum((ratios * (log.rewards - value)) ** 2))) / total
    return Tried(settings, value, value - stderr)


def _objective(log: ChoiceLog, settings: TrainingSettings, rng: np.random.Generator) -> Objective:
    s = settings
    if s.method == "snips":
        return normalising(log, clip=s.clip, variance=s.variance, ridge=s.ridge)
    q = forecasts(log, rng=rng) if s.method == "dr" else None
    return additive(log, q, clip=s.clip, variance=s.variance, ridge=s.ridge)
