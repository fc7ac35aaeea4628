"""A promotion computed again from the journal: every stage must end after the same decision with the same bounds."""

from __future__ import annotations

from equipoise.engine.promotion.record import CANCELLED, Promotion, plain
from equipoise.engine.promotion.running import observed
from equipoise.evaluation.gate import Step
from equipoise.journal import SqliteJournal


def verified(promotion: Promotion, journal: SqliteJournal) -> bool:
    """Whether every step in the journal is what the outcomes in the journal say, bit for bit."""
    events = promotion.events
    for number, opened in enumerate(promotion.opened):
        place = events.index(opened)
        closing = events[place + 1] if place + 1 < len(events) else None
        if closing is not None and closing.kind == CANCELLED:
            continue  # ended by hand, whatever the outcomes would have said later
        step = _again(promotion, number, opened.event_seq, journal)
        if (None if step is None else plain(step)) != (None if closing is None else dict(closing.detail)):
            return False
    return True


def _again(promotion: Promotion, number: int, opened: int, journal: SqliteJournal) -> Step | None:
    """How a stage ends, from its outcomes alone; None while it waits."""
    stage, slots = promotion.stage(number), int(promotion.started["shadow_slots"])
    for page in journal.outcomes(opened):
        step = observed(stage, page, slots=slots)
        if step is not None:
            return step
    return None
