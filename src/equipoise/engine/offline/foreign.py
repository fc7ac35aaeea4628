"""A foreign log as decisions: who asked, what was shown, how likely that was, what it earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from equipoise.core import ConfigurationError, Floats, fingerprint
from equipoise.engine.offline.imported import even_weights
from equipoise.evaluation.evidence import Codes
from equipoise.evaluation.logs import Log
from equipoise.learning.offline import EstimatedPropensities, frequency_propensities

ROWS_IN_A_CONTEXT = 50
"""On average at least; an attribute that would leave fewer does not take part in estimating propensities."""

Value = str | float | int

Weighting = Literal["ips", "dr", "none"]
"""Whether rows count by inverse propensity, by that and a reward model (doubly robust), or all alike."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One decision of a log. key: the same for the same content. at: seconds, None where the log has no time.

    item_ids, propensities, weights, rewards: (m,) by slot; a weight is how many rows the row counts for.
    """

    key: str
    at: float | None
    user_id: str | None
    attributes: Mapping[str, Value]
    item_ids: tuple[str, ...]
    propensities: tuple[float, ...]
    weights: tuple[float, ...]
    rewards: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ForeignLog:
    """A log's decisions, made one by one as they are asked for.

    propensities, weights: (n,) by row of the log. estimated: None where the propensities are the log's own.
    weighting: as chosen.
    """

    log: Log
    propensities: Floats
    estimated: EstimatedPropensities | None
    contexts: tuple[str, ...]
    weights: Floats
    weighting: Weighting

    @classmethod
    def of(cls, log: Log, weighting: Weighting | None = None) -> ForeignLog:
        """weighting: None is `ips` where the log has propensities, else `none`. Raises: ConfigurationError: others."""
        if weighting not in (None, *get_args(Weighting)):
            known = ", ".join(repr(name) for name in get_args(Weighting))
            raise ConfigurationError(f"weighting is {weighting!r} but must be one of {known}: write one")
        chosen: Weighting = weighting or ("none" if log.propensities is None else "ips")
        estimated, contexts = (None, ()) if log.propensities is not None else _estimated(log)
        propensities = log.propensities if estimated is None else estimated.values
        assert propensities is not None
        weights = np.ones(len(log)) if chosen == "none" else _inverse(log, propensities)
        return cls(log, propensities, estimated, contexts, weights, chosen)

    @property
    def whence(self) -> str:
        """Where the propensities come from, in a sentence."""
        if self.estimated is None:
            return "propensities are the log's own"
        return f"{self.estimated} (contexts: {', '.join(self.contexts)})"

    @property
    def n_effective(self) -> float:
        """How many rows the weighted rows are worth together, (sum w)^2 / sum w^2 (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights)) if len(self.weights) else 0.0

    @property
    def counting(self) -> str:
        """How rows count, in a sentence."""
        rows = f"{len(self.log):,} rows are worth {self.n_effective:,.0f}"
        if self.weighting == "none":
            return f"every row counts once: {rows}"
        if self.weighting == "dr":
            return (
                "the policy begins with a doubly robust fit to the whole log, all its items being candidates of every "
                f"row; statistics count rows by inverse propensity: {rows}"
            )
        return f"rows count by inverse propensity, as an even choice would have shown them: {rows}"

    def __len__(self) -> int:
        """How many decisions."""
        return int(self.log.decisions[-1]) + 1 if len(self.log) else 0

    def __iter__(self) -> Iterator[Foreign]:
        log = self.log
        attributes = {name: _Values(codes) for name, codes in log.groups.items()}
        starts = np.flatnonzero(np.diff(log.decisions, prepend=-1)).tolist()
        seen: Counter[str] = Counter()
        for start, end in zip(starts, [*starts[1:], len(log)], strict=True):
            at = float(log.at[start])
            user_id = None if log.users is None else (_name(log.users, start) or None)
            shown = tuple(_name(log.items, row) for row in range(start, end))
            told = {name: values.of(start) for name, values in attributes.items()}
            content = fingerprint(user_id or "", repr(at), *shown)
            yield Foreign(
                key=f"{content}-{seen[content]}",
                at=None if np.isnan(at) else at,
                user_id=user_id,
                attributes={name: value for name, value in told.items() if value is not None},
                item_ids=shown,
                propensities=tuple(self.propensities[start:end].tolist()),
                weights=tuple(self.weights[start:end].tolist()),
                rewards=tuple(log.rewards[start:end].tolist()),
            )
            seen[content] += 1


def _estimated(log: Log) -> tuple[EstimatedPropensities, tuple[str, ...]]:
    """From how often each item was shown in such a slot and moment; and what makes a moment."""
    contexts, used = _contexts(log)
    return frequency_propensities(log.items.codes, contexts), tuple(used)


def _inverse(log: Log, propensities: Floats) -> Floats:
    """(n,) weights towards an even choice, clipped and scaled: see `even_weights`."""
    choices = None if log.choices is None else log.choices.astype(np.float64)
    return even_weights(propensities, log.slots, choices)


def _contexts(log: Log) -> tuple[NDArray[np.int64], list[str]]:
    """(n,) codes of slot and attributes together, as far as enough rows share each; and what takes part."""
    contexts, used = np.unique(log.slots, return_inverse=True)[1], ["slot"]
    for name, codes in log.groups.items():
        finer = contexts * len(codes.names) + codes.codes
        distinct, renumbered = np.unique(finer, return_inverse=True)
        if len(distinct) * ROWS_IN_A_CONTEXT <= len(log):
            contexts, used = renumbered, [*used, name]
    return contexts.astype(np.int64), used


def _name(codes: Codes, row: int) -> str:
    return codes.names[int(codes.codes[row])]


class _Values:
    """An attribute's values: numbers where every name is one, None where it is missing."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes.codes
        self._meant: list[Value | None] = [name or None for name in codes.names]
        numbers = [_number(name) for name in codes.names if name]
        if numbers and all(number is not None for number in numbers):
            self._meant = [_number(name) if name else None for name in codes.names]

    def of(self, row: int) -> Value | None:
        return self._meant[int(self._codes[row])]


def _number(name: str) -> float | int | None:
    """A number as JSON would spell it; `007` and `nan` are names."""
    try:
        number: float | int = int(name) if name.lstrip("-").isdecimal() else float(name)
    except ValueError:
        return None
    leading_zero = name.lstrip("-").startswith("0") and name.lstrip("-")[1:2].isdecimal()
    return None if leading_zero or not np.isfinite(number) else number
