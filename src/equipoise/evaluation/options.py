"""How to evaluate: what a person may choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from equipoise.core import InputError
from equipoise.evaluation.bounds import require_interval
from equipoise.evaluation.terms import require_estimators


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to evaluate.

    estimators: names; none takes those that fit the log. interval: a name of `bounds.INTERVALS`. level: in (0, 1).
    by: attributes to show groups of. over_time: show parts of the log, one after the other. force: give numbers also
    where support is hopeless, with the warning on each. window_seconds: how long rewards are waited for, if known.
    unsettled: decisions that are still open, if known. known_items: how many items there are, if known.
    reward_range: between which numbers a slot's reward lies, and largest_weight: the most that target / propensity can
    be, such as 1 / floor; for intervals that need a range, and read from the log where None.
    seed: of bootstrap samples. cores: how many processes share the work, 0 for all cores; see `working`.
    progress: called with (done, total).
    """

    estimators: tuple[str, ...] = ()
    interval: str = "normal"
    level: float = 0.95
    by: tuple[str, ...] = ()
    over_time: bool = False
    force: bool = False
    window_seconds: float | None = None
    unsettled: int | None = None
    known_items: int | None = None
    reward_range: tuple[float, float] | None = None
    largest_weight: float | None = None
    seed: int = 0
    cores: int = 1
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise InputError(f"level is {self.level!r} but must lie between 0 and 1: write 0.95 for 95 %")
        require_interval(self.interval)
        require_estimators(self.estimators)
