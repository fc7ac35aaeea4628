"""Which settings serve: the configuration's, or those of a challenger that was promoted over this configuration."""

from __future__ import annotations

from equipoise.engine.promotion.record import Promotion, print_of, promotions
from equipoise.engine.settings import Settings
from equipoise.journal import SqliteJournal


def serving(configured: Settings, journal: SqliteJournal) -> Settings:
    """The configured settings, with the tables of the latest promoted challenger in place of their own.

    The configuration file is never written. A promotion stands over the tables that the file had when it began; as
    soon as one of them is changed there, the file counts again: whoever edits it means it.
    """
    found = standing_over(configured, journal)
    return configured if found is None else found.settings("challenger", configured)


def standing_over(configured: Settings, journal: SqliteJournal) -> Promotion | None:
    """The latest promotion that succeeded over exactly these tables, unless it was taken back; None where none did."""
    mark = print_of(configured)
    for promotion in reversed(promotions(journal.events())):
        if promotion.state == "promoted" and promotion.started["over"] == mark:
            return promotion
    return None
