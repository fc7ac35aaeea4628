"""Policies by name: `build("thompson", space, floor=0.001)`."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, NoReturn

import numpy as np

from equipoise.core import ConfigurationError, FeatureSpace, fingerprint
from equipoise.policies.base import Explorer, Prior
from equipoise.policies.diversity import Determinantal, Diversity, MaximalMarginalRelevance
from equipoise.policies.explorers import EpsilonGreedy, Greedy, Thompson, TopTwo, Uniform, UpperConfidence
from equipoise.policies.linear import LinearPosterior, LinearSettings
from equipoise.policies.mixed import MixedPosterior, MixedSettings
from equipoise.policies.policy import FLOOR, BanditPolicy

EXPLORERS: Mapping[str, Callable[..., Explorer]] = {
    explorer.name: explorer
    for explorer in (Uniform, Greedy, EpsilonGreedy, UpperConfidence, Thompson, TopTwo)
}

POSTERIORS: Mapping[str, tuple[Any, Any]] = {
    kind.kind: (kind, settings)
    for kind, settings in ((MixedPosterior, MixedSettings), (LinearPosterior, LinearSettings))
}

DIVERSITIES: Mapping[str, Callable[..., Diversity]] = {
    "mmr": MaximalMarginalRelevance,
    "dpp": Determinantal,
}

OWN: Mapping[str, object] = {
    "posterior": "mixed",
    "floor": FLOOR,
    "similarity": None,
    "diversity": None,
    "diversity_weight": 0.1,
}
"""The settings that every policy has, with their defaults."""


def build(name: str, space: FeatureSpace, *, prior: Prior | None = None, **settings: Any) -> BanditPolicy:
    """The policy of that name over features in `space`.

    name: one of `EXPLORERS`. prior: of the shared weights; flat if None.
    settings: those of `OWN`, of the explorer and of the posterior; see `settings_of`.

    Raises: ConfigurationError: a name or setting that does not exist, with the nearest that does, or a value
        out of range.
    """
    explorer = _named(EXPLORERS, name, "policy")
    own = {**OWN, **{key: value for key, value in settings.items() if key in OWN}}
    posterior, options = _named(POSTERIORS, own["posterior"], "posterior")
    known = settings_of(name, posterior=own["posterior"])
    for key in settings:
        if key not in known:
            _refuse("setting", key, known)
    return BanditPolicy(
        name,
        posterior=posterior(space, settings=options(**_of(options, settings)), prior=prior),
        explorer=explorer(**_of(explorer, settings)),
        floor=own["floor"],
        similarity=own["similarity"],
        diversity=_diversity(own["diversity"], own["diversity_weight"]),
        fingerprint=_fingerprint(name, {**known, **settings}, prior),
    )


def settings_of(name: str, *, posterior: str = "mixed") -> dict[str, object]:
    """Every setting that `build` takes for this policy and posterior, with its default."""
    explorer = _named(EXPLORERS, name, "policy")
    _, options = _named(POSTERIORS, posterior, "posterior")
    return {**OWN, **_defaults(explorer), **_defaults(options), "posterior": posterior}


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
