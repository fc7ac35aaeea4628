"""What is fitted or built once from the settings: the pairing, kept by what it was fitted for, and the policy on it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.core import Batch, ConfigurationError, FeatureSpace, FeatureSpaceError, InputError, fingerprint
from equipoise.encoders import Layout, Pairing
from equipoise.engine.offline.log_prior import LogPriors, takes, weigh
from equipoise.engine.settings import Settings
from equipoise.journal import RewardSpec
from equipoise.learning import Learner, Statistics
from equipoise.learning.offline import LogEvidence
from equipoise.policies import BanditPolicy, Prior, build, settings_of
from equipoise.policies.posteriors.evidence import take_in


class Pairings:
    """Fitted pairings on disk, one file for each encoder and [pairing] table; old ones stay, to explain old decisions."""

    def __init__(self, folder: Path | None, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings

    def load(self, encoder: FeatureSpace) -> Pairing | None:
        """The pairing of this encoder and these settings, if it has been fitted.

        Raises: FeatureSpaceError: it has been, but its file is damaged.
        """
        if self._folder is None or not self._path(encoder).exists():
            return None
        try:
            with self._path(encoder).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return Pairing.restored(self._settings.pairing, dict(file), encoder)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise FeatureSpaceError(
                f"the pairing '{self._path(encoder)}' cannot be read ({error}): bring it back from a backup, or "
                f"delete it and run 'equipoise replay --rebuild'"
            ) from error

    def save(self, pairing: Pairing) -> None:
        """Write it whole or not at all. Raises: ConfigurationError: its folder cannot be written."""
        if self._folder is None:
            return
        try:
            self._write(self._folder, pairing)
        except OSError as error:
            raise ConfigurationError(
                f"'{self._folder}' cannot be written ({error.strerror}): change its permissions, make room, or name "
                f"another path under [journal]"
            ) from error

    def _write(self, folder: Path, pairing: Pairing) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **pairing.state())
            Path(name).replace(self._path(pairing.encoder))
        finally:
            Path(name).unlink(missing_ok=True)

    def require_fresh(self, encoder: FeatureSpace, *, policy: str, settled: int) -> None:
        """A policy that has learned in another space must be rebuilt by intent, not by accident.

        Raises: FeatureSpaceError: others were fitted before and `settled` decisions have been learned in them.
        """
        others = [] if self._folder is None else sorted(path.stem for path in self._folder.glob("*.npz"))
        if settled and others:
            raise FeatureSpaceError(
                f"policy '{policy}' has learned {settled} decisions in pairing {others[-1]}, but the encoder "
                f"{encoder} or the table [pairing] is new: run 'equipoise replay --rebuild' to learn them again "
                f"in the new space, or set the old encoder back"
            )

    def _path(self, encoder: FeatureSpace) -> Path:
        folder = self._folder or Path()
        return folder / f"{fingerprint(str(encoder), repr(self._settings.pairing))}.npz"


def learner_of(settings: Settings, pairing: Pairing) -> tuple[Learner[BanditPolicy], str]:
    """A learner that has learned nothing of the journal yet, and the fingerprint of all that its state depends on.

    Its policy begins with what doubly robust learning found in logs, if there is any that it can take.
    Raises: ConfigurationError: a name or setting that does not exist. FeatureSpaceError: what was found is damaged.
    """
    found = LogPriors(settings).evidence(pairing.space) if takes(settings.policy) else None
    policy, name = policy_of(settings, pairing, found)
    return Learner(policy, Statistics(settings.statistics), weigh=weigh(known=found is not None)), name


def policy_of(
    settings: Settings, pairing: Pairing, found: LogEvidence | None = None
) -> tuple[BanditPolicy, str]:
    """A policy that knows nothing but what was found in logs, and the fingerprint of all that its state depends on.

    Raises: ConfigurationError: a name or setting that does not exist.
    """
    layout = pairing.layout
    table = settings.policy
    given: dict[str, Any] = {key: _frozen(value) for key, value in table.settings.items()}
    for key in ("posterior", "floor"):
        if key in given:
            raise ConfigurationError(f"'{key}' stands under [policy.settings]: move it up to [policy]")
    policy = build(
        table.name,
        pairing.space,
        prior=_prior(settings, layout),
        posterior=table.posterior,
        floor=table.floor,
        **{**_suited(settings, pairing), **given},
    )
    name = fingerprint(policy.fingerprint, str(pairing.space), repr(settings.statistics))
    if found is not None:
        take_in(policy.posterior, found.precision, found.information, rows=found.rows)
        name = fingerprint(name, found.precision.tobytes().hex(), found.information.tobytes().hex())
    return policy, name


def _prior(settings: Settings, layout: Layout) -> Prior:
    """What the policy's weights are believed to be on day one, on the posterior's own scale.

    A logistic posterior's weights are logits: near the expected rate p, a reward moves by p (1 - p) for each logit
    (the delta method), and the level stands in the bias.
    """
    expected = settings.statistics.expected_reward
    mean, precision = layout.prior_mean(expected), layout.prior_precision
    if settings.policy.posterior == "logistic":
        rate = min(0.99, max(0.01, expected))
        slope = rate * (1.0 - rate)
        mean, precision = mean / slope, precision * slope
        mean[layout.slices["level"]] = 0.0
        mean[layout.slices["bias"]] = np.log(rate / (1.0 - rate))
    return Prior(mean, precision)


def _suited(settings: Settings, pairing: Pairing) -> dict[str, Any]:
    """The settings that an engine gives a policy where the user gives none.

    noise, reward_variance: of a yes-or-no reward at the expected rate. item_rows: features already carry what an
    item has shown, so its own effect starts small. scale: see `Thompson`; chosen on the Films world, see
    docs/benchmarks/films.md.
    """
    known = settings_of(settings.policy.name, posterior=settings.policy.posterior)
    rate = min(0.5, max(0.01, settings.statistics.expected_reward))
    suited = {
        "similarity": pairing.layout.slices["similar to request"].start,
        "noise": rate * (1.0 - rate),
        "reward_variance": rate * (1.0 - rate),
        "item_rows": 50.0,
        "scale": 0.3,
    }
    return {name: value for name, value in suited.items() if name in known}


def check_rewards(policy: BanditPolicy, rewards: RewardSpec) -> None:
    """A reward that the posterior cannot learn would settle, and stop all learning there.

    Raises: ConfigurationError: the specification can give one.
    """
    ends = Batch(
        item_ids=("lowest", "highest"),
        user_ids=(None, None),
        features=np.zeros((2, policy.space.dim), dtype=np.float32),
        rewards=np.array([rewards.low, rewards.high]),
        propensities=np.ones(2),
        space=policy.space,
    )
    try:
        policy.posterior.check(ends)
    except InputError as error:
        raise ConfigurationError(
            f"[reward] goes from {rewards.low:g} to {rewards.high:g}, but {error}"
        ) from error


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
