"""A foreign log as decisions: who asked, what was shown, how likely that was, what it earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core import ConfigurationError, Floats, fingerprint
from equipoise.engine.imported import even_weights
from equipoise.evaluation.evidence import Codes
from equipoise.evaluation.logs import Log
from equipoise.learning.offline import frequency_propensities

ROWS_IN_A_CONTEXT = 50
"""On average at least; an attribute that would leave fewer does not take part in estimating propensities."""

Value = str | float | int

Weights = Literal["even", "none"]
"""Whether rows count by inverse propensity, or all alike."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One decision of a log. key: the same for the same content. at: seconds, None where the log has no time.

    item_ids, propensities, weights, rewards: (m,) by slot; a weight is how often the row is learned, on average.
    """

    key: str
    at: float | None
    user_id: str | None
    attributes: Mapping[str, Value]
    item_ids: tuple[str, ...]
    propensities: tuple[float, ...]
    weights: tuple[float, ...]
    rewards: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Where propensities come from, and how rows count, in a sentence each."""

    propensities: str
    weights: str


def foreign_decisions(log: Log, weights: Weights | None = None) -> tuple[list[Foreign], Told]:
    """The log's decisions in their order. weights: None is `even` where the log has propensities, else `none`.

    Raises: ConfigurationError: other weights.
    """
    propensities, sentence = _propensities(log)
    counts, counting = _weights(log, propensities, weights)
    users = None if log.users is None else _spelled(log.users)
    items = _spelled(log.items)
    attributes = {name: _values(codes) for name, codes in log.groups.items()}
    starts = np.flatnonzero(np.diff(log.decisions, prepend=-1))
    ends = np.append(starts[1:], len(log))
    seen: Counter[str] = Counter()
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        at = float(log.at[start])
        told = {name: values[start] for name, values in attributes.items()}
        user_id = (users[start] or None) if users is not None else None
        shown = tuple(items[start:end])
        content = fingerprint(user_id or "", repr(at), *shown)
        found.append(
            Foreign(
                key=f"{content}-{seen[content]}",
                at=None if np.isnan(at) else at,
                user_id=user_id,
                attributes={name: value for name, value in told.items() if value is not None},
                item_ids=shown,
                propensities=tuple(propensities[start:end].tolist()),
                weights=tuple(counts[start:end].tolist()),
                rewards=tuple(log.rewards[start:end].tolist()),
            )
        )
        seen[content] += 1
    return found, Told(sentence, counting)


def _propensities(log: Log) -> tuple[Floats, str]:
    """(n,) as logged, or estimated from how often each item was shown in such a slot and moment."""
    if log.propensities is not None:
        return log.propensities, "propensities are the log's own"
    contexts, used = _contexts(log)
    estimated = frequency_propensities(log.items.codes, contexts)
    return estimated.values, f"{estimated} (contexts: {', '.join(used)})"


def _weights(log: Log, propensities: Floats, weights: Weights | None) -> tuple[Floats, str]:
    """(n,) how often each row is learned on average."""
    if weights not in (None, "even", "none"):
        raise ConfigurationError(f"weights are {weights!r} but must be 'even' or 'none': write one")
    if weights == "none" or (weights is None and log.propensities is None):
        return np.ones(len(log)), "every row is learned once"
    choices = None if log.choices is None else log.choices.astype(np.float64)
    counts = even_weights(propensities, log.slots, choices)
    return counts, (
        f"rows are learned by inverse propensity, as an even choice would have shown them: {len(log):,} rows are worth "
        f"{counts.sum():,.0f}"
    )


def _contexts(log: Log) -> tuple[NDArray[np.int64], list[str]]:
    """(n,) codes of slot and attributes together, as far as enough rows share each; and what takes part."""
    contexts, used = np.unique(log.slots, return_inverse=True)[1], ["slot"]
    for name, codes in log.groups.items():
        finer = contexts * len(codes.names) + codes.codes
        distinct, renumbered = np.unique(finer, return_inverse=True)
        if len(distinct) * ROWS_IN_A_CONTEXT <= len(log):
            contexts, used = renumbered, [*used, name]
    return contexts.astype(np.int64), used


def _spelled(codes: Codes) -> list[str]:
    """(n,) the names themselves."""
    return [codes.names[code] for code in codes.codes.tolist()]


def _values(codes: Codes) -> list[Value | None]:
    """(n,) the values of an attribute: numbers where every name is one, None where it is missing."""
    meant: list[Value | None] = [name or None for name in codes.names]
    numbers = [_number(name) for name in codes.names if name]
    if numbers and all(number is not None for number in numbers):
        meant = [_number(name) if name else None for name in codes.names]
    return [meant[code] for code in codes.codes.tolist()]


def _number(name: str) -> float | int | None:
    """A number as JSON would spell it; `007` and `nan` are names."""
    try:
        number: float | int = int(name) if name.lstrip("-").isdecimal() else float(name)
    except ValueError:
        return None
    leading_zero = name.lstrip("-").startswith("0") and name.lstrip("-")[1:2].isdecimal()
    return None if leading_zero or not np.isfinite(number) else number
