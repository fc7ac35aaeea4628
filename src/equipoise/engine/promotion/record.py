"""What the journal's events say of promotions: each one with its rules, its policies and its steps.

Events are the only memory of a promotion. Everything here is a function of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from equipoise.core import JournalError, fingerprint
from equipoise.engine.challenge.settings import OWN, challenger_tables
from equipoise.engine.settings import Settings
from equipoise.evaluation.gate import SHADOW, Rules, Stage, Step
from equipoise.journal import Event

STARTED, ADVANCED = "promotion_started", "promotion_advanced"
PROMOTED, ROLLED_BACK = "promotion_promoted", "promotion_rolled_back"
CANCELLED, WITHDRAWN = "promotion_cancelled", "promotion_withdrawn"

STATES = {
    STARTED: "running",
    ADVANCED: "running",
    PROMOTED: "promoted",
    ROLLED_BACK: "rolled_back",
    CANCELLED: "cancelled",
    WITHDRAWN: "withdrawn",
}
"""What a promotion is after each kind of event."""


@dataclass(frozen=True, slots=True, eq=False)
class Promotion:
    """One promotion, up to its latest event. events: the start first, then every step."""

    events: tuple[Event, ...]

    @property
    def started(self) -> Mapping[str, Any]:
        """What was fixed at the start: the rules, both policies' settings, what they stand over."""
        return self.events[0].detail

    @property
    def state(self) -> str:
        """`running`, `promoted`, `rolled_back`, `cancelled` or `withdrawn`."""
        return STATES[self.events[-1].kind]

    @property
    def rules(self) -> Rules:
        table = dict(self.started["rules"])
        return Rules(**{**table, "shares": tuple(table["shares"])})

    @property
    def opened(self) -> tuple[Event, ...]:
        """The events that opened a stage, the first stage first."""
        return tuple(event for event in self.events if event.kind in (STARTED, ADVANCED))

    def stage(self, number: int) -> Stage:
        """A stage as it was when it opened, nothing observed yet."""
        baseline = None if number == SHADOW else float(self.opened[number].detail["earned"])
        return Stage(self.rules, number, baseline=baseline)

    def settings(self, whose: str, base: Settings) -> Settings:
        """The settings of the `challenger` or the `incumbent`, over the tables of `base` that both share."""
        return challenger_tables(self.started[whose]["tables"], base, where=f"the promoted {whose}")


def promotions(events: Iterable[Event]) -> list[Promotion]:
    """All of them, the latest last. A step belongs to the latest that started, unless it says to which.

    Raises: JournalError: a step of a promotion that never started."""
    found: dict[int, list[Event]] = {}
    for event in events:
        if event.kind == STARTED:
            found[event.event_seq] = [event]
        elif event.kind in STATES:
            whose = event.detail.get("started", next(reversed(found), None))
            if whose not in found:
                raise JournalError(
                    f"event {event.event_seq} is '{event.kind}' but no promotion had started: restore a backup"
                )
            found[whose].append(event)
    return [Promotion(tuple(one)) for one in found.values()]


def tables_of(settings: Settings) -> dict[str, Any]:
    """The tables in which a challenger may differ, as plain values."""
    plain = msgspec.to_builtins({name: getattr(settings, name) for name in OWN})
    assert isinstance(plain, dict)
    return plain


def print_of(settings: Settings) -> str:
    """A fingerprint of those tables."""
    return fingerprint(msgspec.json.encode(tables_of(settings), order="deterministic").decode())


def rules_of(settings: Settings, low: float, high: float) -> Rules:
    """The rules that [promotion] asks for. low, high: the range of a slot's reward. Raises: ConfigurationError."""
    table = settings.promotion
    return Rules(
        margin=table.margin,
        shadow_margin=table.shadow_margin,
        level=table.level,
        shares=table.shares,
        least=table.least,
        clip=table.clip,
        low=low,
        high=high,
    )


def plain(part: Rules | Step) -> dict[str, Any]:
    """As an event keeps it."""
    return asdict(part)
