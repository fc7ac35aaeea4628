"""What a target policy says of a log: its chances of what was shown, and what else is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from equipoise.core import Baseline, Floats
from equipoise.evaluation.evidence import NOTHING, Beyond
from equipoise.evaluation.logs.log import Log


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """What a policy would have done in n rows.

    target: (n,) in [0, 1], its probability of the shown item, given the slots above. baseline: forecasts, if there are
    any; robust: makes those for `mrdr`, if they can be made. beyond: what else is known, see `Beyond`. unsupported: the
    share of its probability on items that the log could not show, if that is known. known_items: how many items there
    are, if that is known. note: what was assumed.
    """

    name: str
    target: Floats
    baseline: Baseline | None = None
    robust: Callable[[], Baseline] | None = None
    beyond: Beyond = NOTHING
    unsupported: float | None = None
    known_items: int | None = None
    note: str = ""


class Target(Protocol):
    """A policy that can be asked about a log."""

    @property
    def name(self) -> str: ...

    def chances(self, log: Log) -> Chances: ...
