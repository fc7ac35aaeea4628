"""The append-only record of decisions and feedback, and the join that settles what each decision earned."""

from equipoise.journal.columns import Columns
from equipoise.journal.events import Beside, Event, Outcome, Trial
from equipoise.journal.health import sqlite_trouble
from equipoise.journal.join import Told
from equipoise.journal.rewards import RewardSpec
from equipoise.journal.sqlite import Counts, SqliteJournal

__all__ = [
    "Beside",
    "Columns",
    "Counts",
    "Event",
    "Outcome",
    "RewardSpec",
    "SqliteJournal",
    "Told",
    "Trial",
    "sqlite_trouble",
]
