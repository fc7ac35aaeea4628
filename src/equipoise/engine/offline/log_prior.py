"""What doubly robust learning found in a log, kept beside the journal: the policy begins with it.

The rows of such a log are in the journal like any others, and statistics learn them; the policy does not, since it
knows them already. That holds for the feature space in which it was found and for posteriors that can take it.
Elsewhere, as after a rebuild with another encoder, the policy learns the rows themselves, by their weights.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from equipoise.core import ConfigurationError, FeatureSpace, FeatureSpaceError, Floats, Logged, fingerprint
from equipoise.engine.offline.imported import IMPORTED, ROBUST, weights_of
from equipoise.engine.settings import PolicyTable, Settings
from equipoise.learning import Weigh
from equipoise.learning.offline import LogEvidence
from equipoise.policies.posteriors.trained import TRAINED

TAKEN_BY = ("mixed", "linear", "beta", "kernel")
"""Posteriors of linear weights that all items share, in units of reward."""


def takes(policy: PolicyTable) -> bool:
    """Whether such a policy can begin with what was found in a log."""
    return policy.posterior in TAKEN_BY and policy.name != TRAINED


class LogPriors:
    """One file for each log and feature space."""

    def __init__(self, settings: Settings) -> None:
        self._folder = None if settings.state_folder is None else settings.state_folder / "priors"

    def has(self, log: str, space: FeatureSpace) -> bool:
        return self._folder is not None and self._path(log, space).exists()

    def save(self, log: str, space: FeatureSpace, evidence: LogEvidence) -> None:
        """Write it whole or not at all. Raises: ConfigurationError: the journal is in memory, or cannot be written to."""
        if self._folder is None:
            raise ConfigurationError(IN_MEMORY)
        path = self._path(log, space)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    np.savez(
                        file,
                        allow_pickle=False,
                        precision=evidence.precision,
                        information=evidence.information,
                        rows=np.array(evidence.rows),
                    )
                Path(name).replace(path)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"'{path.parent}' cannot be written ({error.strerror}): change its permissions, or make room"
            ) from error

    def evidence(self, space: FeatureSpace) -> LogEvidence | None:
        """Of all logs together; None where there is none in this space."""
        folder = None if self._folder is None else self._path("", space).parent
        if folder is None or not folder.is_dir():
            return None
        found = [_read(path) for path in sorted(folder.glob("*.npz"))]
        return reduce(add, found) if found else None

    def _path(self, log: str, space: FeatureSpace) -> Path:
        assert self._folder is not None
        return self._folder / fingerprint(str(space)) / f"{fingerprint(log)}.npz"


IN_MEMORY = (
    "doubly robust learning keeps what it found beside the journal, but this journal is in memory: name a file as path"
    " under [journal], or take --weighting ips"
)


def _read(path: Path) -> LogEvidence:
    """Raises: FeatureSpaceError: the file is damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return LogEvidence(file["precision"], file["information"], float(file["rows"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FeatureSpaceError(
            f"what a log taught, '{path}', cannot be read ({error}): bring it back from a backup, or delete it and run"
            " 'equipoise replay --keep', which learns that log's rows one by one"
        ) from error


def weigh(*, known: bool) -> Weigh:
    """How a learner is to weigh what it learns. known: whether its policy knows logs already."""

    def weighed(logged: Logged) -> tuple[Floats | None, Floats | None]:
        weights = weights_of(logged)
        if not known or logged.decision.policy != IMPORTED:
            return weights, weights
        robust = np.array([slot.source.endswith(ROBUST) for slot in logged.decision.slots])
        left = np.ones(len(robust)) if weights is None else weights
        return np.where(robust, 0.0, left), weights

    return weighed
