"""A trained policy as a challenger's TOML, weights included."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from equipoise.core import ConfigurationError
from equipoise.engine.offline.training import Challenger


def write_policy(challenger: Challenger, path: Path, *, log: str, force: bool = False) -> None:
    """Write it whole or not at all. log: what it was trained on, for the reader.

    Raises: ConfigurationError: `path` is there already, or cannot be written.
    """
    if path.exists() and not force:
        raise ConfigurationError(f"'{path}' exists: name another with --out, or replace it with --force")
    try:
        _write(path, _text(challenger, log))
    except OSError as error:
        raise ConfigurationError(
            f"'{path}' cannot be written ({error.strerror}): choose another with --out"
        ) from error


def check_free(path: Path, *, force: bool) -> None:
    """Raises: ConfigurationError: what `write_policy` would refuse, before anything is trained."""
    if path.exists() and not force:
        raise ConfigurationError(f"'{path}' exists: name another with --out, or replace it with --force")
    if not path.resolve().parent.is_dir():
        raise ConfigurationError(
            f"'{path}' cannot be written: its folder is not there; make it, or change --out"
        )


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.resolve().parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _text(challenger: Challenger, log: str) -> str:
    policy = challenger.tables["policy"]
    spaces = policy["settings"]["weights"].items()
    return "\n".join(
        [
            f"# Trained by 'equipoise train' on {json.dumps(log)}. Judge it by a log that begins later.",
            *(f"# {line}." for line in sentences(challenger)),
            "",
            "[policy]",
            f"name = {json.dumps(policy['name'])}",
            f"floor = {policy['floor']!r}",
            *(line for space, weights in spaces for line in _weights(space, weights)),
            "",
        ]
    )


def _weights(space: str, weights: dict[str, list[float]]) -> list[str]:
    """One table a feature space. JSON's strings and numbers are TOML's, all of these being finite."""
    numbers = (f"{part} = {json.dumps(values)}" for part, values in weights.items())
    return ["", f"[policy.settings.weights.{json.dumps(space, ensure_ascii=False)}]", *numbers]


def sentences(challenger: Challenger) -> tuple[str, ...]:
    """How it was trained: one a feature space, then where the propensities come from."""
    told = []
    for one in challenger.fitted:
        s = one.trained.settings
        settled = "" if one.trained.settled else ", the optimiser ran out of steps"
        told.append(
            f"{challenger.plan.method} in {one.space}: {one.choices:,} choices, worth {one.trained.n_effective:,.0f} for "
            f"this policy; clip {s.clip:g}, variance {s.variance:g}, ridge {s.ridge:g}{settled}"
        )
    return (*told, challenger.propensities)
