"""The parameters of a Bernoulli Thompson policy, by campaign, from a file.

TOML with a table a campaign, `alpha` and `beta` lists in it; or Open Bandit Pipeline's own `prior_bts.yaml`, which is
the same in plain YAML lists.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from equipoise.core import Floats, InputError


class Beta(NamedTuple):
    """alpha, beta: (items,) above 0; items in the order of their numbers."""

    alpha: Floats
    beta: Floats


def published(campaign: str, path: Path | None = None) -> Beta | None:
    """The parameters of a campaign; None where the file has none for it, or the package has no file.

    path: None takes the file beside this module, if there is one.
    Raises: InputError: the file is not there, or not as described above.
    """
    if path is None:
        beside = resources.files("equipoise.evaluation.logs").joinpath("open_bandit_parameters.toml")
        return (
            _of(tomllib.loads(beside.read_text("utf-8")), campaign, beside.name) if beside.is_file() else None
        )
    try:
        text = path.read_text(encoding="utf-8")
        told = tomllib.loads(text) if path.suffix == ".toml" else _lists(text)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"'{path}' has no parameters ({error}): expected TOML, or prior_bts.yaml") from error
    return _of(told, campaign, str(path))


def _of(told: dict[str, Any], campaign: str, where: str) -> Beta | None:
    if campaign not in told:
        return None
    try:
        found = Beta(*(np.array(told[campaign][name], dtype=np.float64) for name in ("alpha", "beta")))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"'{where}' has no lists alpha and beta for {campaign!r} ({error})") from error
    if (
        found.alpha.ndim != 1
        or found.alpha.shape != found.beta.shape
        or not (np.concatenate(found) > 0.0).all()
    ):
        raise InputError(f"'{where}', {campaign!r}: expected as many alpha as beta, all above 0")
    return found


def _lists(text: str) -> dict[str, Any]:
    """Two levels of keys above lists of numbers, as in prior_bts.yaml. Raises: ValueError: something else."""
    found: dict[str, Any] = {}
    campaign = name = ""
    for line in filter(None, map(str.rstrip, text.splitlines())):
        entry = line.strip()
        if entry.startswith("- "):
            found[campaign][name].append(float(entry[2:]))
        elif not entry.endswith(":"):
            raise ValueError(f"the line {line!r} is neither a key nor a number of a list")
        elif line[0] != " ":
            campaign = entry[:-1]
            found[campaign] = {}
        else:
            name = entry[:-1]
            found[campaign][name] = []
    return found
