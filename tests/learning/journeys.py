"""A journal in memory with settled decisions of a few users, and learners to follow it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from equipoise.core import Decision, FeatureSpace, Feedback, Request, Slot, Versions
from equipoise.journal import SqliteJournal
from equipoise.learning import Learner, Statistics, StatisticsSettings
from equipoise.policies import BanditPolicy, build

SPACE = FeatureSpace("pairing", "1", 5)
ENCODER = FeatureSpace("toy", "1", 4)


def decision(number: int, *, m: int = 3, space: FeatureSpace = SPACE) -> Decision:
    """The decision of that number: always the same one."""
    rng = np.random.default_rng([number, m])
    item_ids = [f"i{item}" for item in rng.choice(12, m, replace=False)]
    user = int(rng.integers(0, 4))
    return Decision(
        f"d{number}",
        at=float(number),
        request=Request(user_id=f"u{user}" if user else None),
        versions=Versions(ENCODER, space, 1, "thompson#abc", 0, 20),
        candidates=tuple(item_ids),
        sources=("near",) * m,
        probabilities=np.full(m, 1.0 / m),
        slots=tuple(Slot(slot, name, 0.5, 1.0 / m, "near") for slot, name in enumerate(item_ids)),
        features=rng.normal(size=(m, space.dim)).astype(np.float32),
        window_closes_at=number + 1e6,
    )


def tell(journal: SqliteJournal, number: int, **shape: Any) -> None:
    """Journal that decision, with a click on some slots, and settle it."""
    made = journal.decided(decision(number, **shape))
    for slot in range(len(made.slots)):
        if (number * 7 + slot * 3) % 4 == 0:
            journal.fed_back(Feedback(made.decision_id, slot, "click", 1.0, made.at))
    journal.closed(made.decision_id, now=made.at + 1.0)


def journal_of(n: int) -> SqliteJournal:
    journal = SqliteJournal.open(":memory:")
    for number in range(n):
        tell(journal, number)
    return journal


def learner(name: str = "thompson", **settings: Any) -> Learner[BanditPolicy]:
    return Learner(build(name, SPACE, **settings), Statistics(StatisticsSettings(memory=5)))


def moved(made: Decision, space: FeatureSpace) -> Decision:
    return replace(made, versions=replace(made.versions, pairing=space))
