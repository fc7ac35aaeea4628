"""Settled decisions of our own journal to a `Log`: their slots' propensities, and what a challenger says of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, Floats, InputError, Logged
from equipoise.evaluation.evidence import Codes
from equipoise.evaluation.logs.log import Log

USER = "user_id"
"""The attribute by which a journal can always be grouped."""


@dataclass(slots=True)
class Collected:
    """Grows by one settled decision at a time; `log` and `baseline` are made once, at the end.

    Facts of a request that only some decisions have are the name '' in the others.
    """

    rewards: list[Floats] = field(default_factory=list)
    propensities: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    loggers: list[str] = field(default_factory=list)
    facts: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    target: list[Floats] = field(default_factory=list)
    shown: list[Floats] = field(default_factory=list)
    expected: list[Floats] = field(default_factory=list)

    def add(self, logged: Logged, target: Floats, forecasts: tuple[Floats, Floats] | None = None) -> None:
        """target: (m,) by slot. forecasts: (m,) of the shown items, and of the target's own distribution."""
        decision, number = logged.decision, len(self.sizes)
        self.sizes.append(len(decision.slots))
        self.at.append(decision.at)
        self.loggers.append(decision.policy)
        self.rewards.append(logged.rewards)
        self.target.append(target)
        for slot in decision.slots:
            self.propensities.append(slot.propensity)
            self.items.append(slot.item_id)
        for name, value in {**decision.request.attributes, USER: decision.request.user_id or ""}.items():
            self.facts[name][number] = str(value)
        if forecasts is not None:
            self.shown.append(forecasts[0])
            self.expected.append(forecasts[1])

    def log(self, *, name: str) -> Log:
        """Raises: InputError: no decision has settled."""
        if not self.sizes:
            raise InputError(
                f"'{name}' has no settled decision of our own to judge by: wait until a window closes, or close decisions"
            )
        sizes = np.array(self.sizes, dtype=np.int64)
        decisions = np.repeat(np.arange(len(sizes)), sizes)
        starts = np.cumsum(sizes) - sizes
        return Log(
            name=name,
            rewards=np.concatenate(self.rewards),
            propensities=np.array(self.propensities),
            decisions=decisions,
            slots=(np.arange(len(decisions)) - starts[decisions]).astype(np.int16),
            at=np.repeat(np.array(self.at), sizes),
            items=_coded(self.items),
            loggers=_spread(_coded(self.loggers), sizes),
            groups={
                fact: _spread(_coded([told.get(row, "") for row in range(len(sizes))]), sizes)
                for fact, told in self.facts.items()
            },
            duplicates=0,
        )

    def chances(self) -> Floats:
        """(n,) the challenger's probability of each slot."""
        return np.concatenate(self.target)

    def baseline(self) -> Baseline | None:
        """The challenger's forecasts, where every decision had them."""
        if len(self.shown) < len(self.sizes):
            return None
        return Baseline(np.concatenate(self.shown), np.concatenate(self.expected))


def journal_log(settled: Iterable[Logged], *, name: str) -> Log:
    """A log without any target. Raises: InputError: no decision has settled."""
    collected = Collected()
    for logged in settled:
        collected.add(logged, np.ones(len(logged.rewards)))
    return collected.log(name=name)


def _coded(names: Sequence[str]) -> Codes:
    """Codes in the order of first use."""
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int32)
    return Codes(codes, tuple(known))


def _spread(column: Codes, sizes: NDArray[np.int64]) -> Codes:
    """From one a decision to one a row."""
    return Codes(np.repeat(column.codes, sizes), column.names)
