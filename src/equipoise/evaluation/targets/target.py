"""Targets whose probabilities are known beforehand: recorded in the log, given as an array, or uniform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from equipoise.core import Baseline, Floats, InputError, Policy
from equipoise.evaluation.evidence import NOTHING, Beyond
from equipoise.evaluation.logs.columns import near
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.targets.chances import Chances, Target
from equipoise.evaluation.targets.forecasts import placed_baseline, robust_rows, uniform_baseline
from equipoise.evaluation.targets.learning import Learning


@dataclass(frozen=True, slots=True)
class Recorded:
    """The log has a column with its probabilities."""

    name: str

    def chances(self, log: Log) -> Chances:
        """Raises: InputError: the log has no such column."""
        if self.name not in log.targets:
            known = ", ".join(map(repr, log.targets)) or "none"
            raise InputError(
                f"the log has no probabilities of a policy {self.name!r} (it has {known}){near(self.name, log.targets)}: "
                "name their column under 'target_probability'"
            )
        target = log.targets[self.name]
        if self.name not in log.placed:
            return Chances(self.name, target)
        placed = log.placed[self.name]
        return Chances(
            self.name,
            target,
            placed_baseline(log, placed),
            robust=lambda: placed_baseline(log, placed, robust_rows(log, target)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Its probabilities are at hand. target: (n,) in the log's order. baseline, beyond: see `Chances`."""

    name: str
    target: Floats
    baseline: Baseline | None = None
    beyond: Beyond = NOTHING

    def chances(self, log: Log) -> Chances:
        target = np.asarray(self.target, dtype=np.float64)
        return Chances(self.name, target, self.baseline, beyond=self.beyond)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every candidate alike: 1 / k, or 1 / (k - slot) below the top of a slate.

    k is the number of candidates that the log tells, and else that of all items in it.
    """

    name: str = "uniform"

    def chances(self, log: Log) -> Chances:
        if log.choices is not None:  # of a slot: what the slots above left
            return Chances(self.name, 1.0 / log.choices, note="every candidate of a decision alike")
        items = len(log.items.names)
        note = f"each of the {items:,} items in the log alike, as if all could be shown in every row"
        single = len(log) == log.decisions[-1] + 1
        target = np.full(len(log), 1.0 / items)
        if not single:
            within = np.arange(len(log)) - np.searchsorted(log.decisions, log.decisions)
            target = 1.0 / np.maximum(items - within, 1)
        if not single:
            return Chances(self.name, target, known_items=items, note=note)
        return Chances(
            self.name,
            target,
            uniform_baseline(log),
            robust=lambda: uniform_baseline(log, robust_rows(log, target)),
            known_items=items,
            note=note,
        )


Policylike: TypeAlias = "str | tuple[str, Floats] | Policy | Target"
"""What `target_from` understands."""


def target_from(told: Policylike, *, log: Log, position: int = 0) -> Target:
    """A target from whatever names one.

    told: a name in the log, `uniform`, a pair of a name and (n,) probabilities, a policy that learns, or a target.
    position: of several, to call a policy without a name by.
    Raises: InputError: none of these.
    """
    if isinstance(told, str):
        return Uniform() if told == "uniform" and told not in log.targets else Recorded(told)
    if isinstance(told, tuple) and len(told) == 2 and isinstance(told[0], str):
        return Given(told[0], np.asarray(told[1], dtype=np.float64))
    if isinstance(told, Policy):
        return Learning(str(getattr(told, "name", f"policy {position + 1}")), told)
    if hasattr(told, "chances"):
        return told
    raise InputError(
        f"{told!r:.80} is no target policy: give the name of one in the log, 'uniform', a pair of a name and an array "
        "of probabilities, or a Policy"
    )
