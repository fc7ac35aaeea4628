"""Policies by name: `build("thompson", space, floor=0.001)`."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, NoReturn

import numpy as np

from equipoise.core import ConfigurationError, FeatureSpace, fingerprint
from equipoise.policies import explorers
from equipoise.policies.base import Explorer, Posterior, Prior
from equipoise.policies.diversity import Determinantal, Diversity, MaximalMarginalRelevance
from equipoise.policies.policy import FLOOR, BanditPolicy
from equipoise.policies.posteriors.arms import ArmsSettings, PerArmPosterior
from equipoise.policies.posteriors.averaged import AveragedPosterior, AveragedSettings
from equipoise.policies.posteriors.beta import BetaPosterior, BetaSettings
from equipoise.policies.posteriors.kernel import KernelPosterior, KernelSettings
from equipoise.policies.posteriors.linear import LinearPosterior, LinearSettings
from equipoise.policies.posteriors.logistic import LogisticPosterior, LogisticSettings
from equipoise.policies.posteriors.mixed import MixedPosterior, MixedSettings
from equipoise.policies.posteriors.trained import TRAINED, Scored, TrainedPosterior
from equipoise.policies.ranges import typed

EXPLORERS: Mapping[str, type[Any]] = {
    explorer.name: explorer
    for explorer in (
        explorers.Uniform,
        explorers.Greedy,
        explorers.EpsilonGreedy,
        explorers.Softmax,
        explorers.UpperConfidence,
        explorers.Thompson,
        explorers.SquareCB,
        explorers.FastCB,
        explorers.RegCB,
        explorers.TopTwo,
        explorers.Horizon,
    )
}

POSTERIORS: Mapping[str, tuple[Callable[..., Posterior], type[Any]]] = {
    "mixed": (MixedPosterior, MixedSettings),
    "linear": (LinearPosterior, LinearSettings),
    "beta": (BetaPosterior, BetaSettings),
    "logistic": (LogisticPosterior, LogisticSettings),
    "arms": (PerArmPosterior, ArmsSettings),
    "averaged": (AveragedPosterior, AveragedSettings),
    "kernel": (KernelPosterior, KernelSettings),
}

DIVERSITIES: Mapping[str, Callable[..., Diversity]] = {
    "mmr": MaximalMarginalRelevance,
    "dpp": Determinantal,
}

OWN: Mapping[str, Any] = {
    "posterior": "mixed",
    "floor": FLOOR,
    "similarity": None,
    "diversity": None,
    "diversity_weight": 0.1,
}
"""The settings that every policy has, with their defaults."""


def build(name: str, space: FeatureSpace, *, prior: Prior | None = None, **settings: Any) -> BanditPolicy:
    """The policy of that name over features in `space`.

    name: one of `EXPLORERS`, or `trained`. prior: of the shared weights; flat if None.
    settings: those of `OWN`, of the explorer and of the posterior; see `settings_of`.

    Raises: ConfigurationError: a name or setting that does not exist, with the nearest that does, or a value
        out of range.
    """
    known = settings_of(name, posterior=settings.get("posterior", "mixed"))
    for key in settings:
        if key not in known:
            _refuse("setting", key, known)
    chosen = {key: typed(key, settings.get(key, default), default) for key, default in known.items()}
    return BanditPolicy(
        name,
        posterior=_posterior(name, space, chosen, prior),
        explorer=_explorer(name, chosen),
        floor=chosen["floor"],
        similarity=chosen["similarity"],
        diversity=_diversity(chosen["diversity"], chosen["diversity_weight"]),
        fingerprint=_fingerprint(name, chosen, prior),
    )


def settings_of(name: str, *, posterior: str = "mixed") -> dict[str, Any]:
    """Every setting that `build` takes for this policy and posterior, with its default."""
    if name == TRAINED:
        return {**OWN, "weights": None, "posterior": posterior}
    explorer = _options(_named(EXPLORERS, name, "policy"))
    _, options = _named(POSTERIORS, posterior, "posterior")
    return {**OWN, **_defaults(explorer), **_defaults(options), "posterior": posterior}


def _posterior(name: str, space: FeatureSpace, chosen: Mapping[str, Any], prior: Prior | None) -> Posterior:
    if name == TRAINED:
        return TrainedPosterior(space, chosen["weights"])
    posterior, options = POSTERIORS[chosen["posterior"]]
    return posterior(space, settings=options(**_of(options, chosen)), prior=prior)


def _options(explorer: type[Any]) -> type[Any]:
    """Where an explorer's settings are: they are itself, unless it also has something to learn."""
    return explorers.SoftmaxSettings if explorer is explorers.Softmax else explorer


def _explorer(name: str, settings: Mapping[str, Any]) -> Explorer:
    if name == TRAINED:
        return Scored()
    explorer = EXPLORERS[name]
    options = _options(explorer)
    chosen = options(**_of(options, settings))
    made: Explorer = chosen if options is explorer else explorer(chosen)
    return made


def _defaults(part: Any) -> dict[str, object]:
    return {field.name: field.default for field in fields(part) if field.default is not MISSING}


def _of(part: Any, settings: Mapping[str, object]) -> dict[str, object]:
    wanted = _defaults(part)
    return {key: value for key, value in settings.items() if key in wanted}


def _diversity(name: str | None, weight: float) -> Diversity | None:
    return None if name is None else _named(DIVERSITIES, name, "diversity")(weight=weight)


def _fingerprint(name: str, settings: Mapping[str, object], prior: Prior | None) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in () if prior is None else (prior.mean, prior.precision):
        digest.update(np.asarray(part, dtype=np.float64).tobytes())
    return fingerprint(name, *(f"{key}={settings[key]!r}" for key in sorted(settings)), digest.hexdigest())


def _named(table: Mapping[str, Any], name: str, what: str) -> Any:
    return table[name] if name in table else _refuse(what, name, table)


def _refuse(what: str, name: str, known: Iterable[str]) -> NoReturn:
    choices = sorted(known)
    near = difflib.get_close_matches(str(name), choices, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(choices)}"
    raise ConfigurationError(f"there is no {what} '{name}': {hint}")
