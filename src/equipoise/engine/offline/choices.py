"""The journal as choices to learn a policy from: all candidates' features, what was shown, and what it earned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from equipoise.core import PINNED, InputError, Logged, Vectors
from equipoise.engine.deliberation import pair, pinned_items
from equipoise.engine.engine import Engine
from equipoise.engine.offline.imported import IMPORTED
from equipoise.engine.parts import Parts
from equipoise.engine.past import question_of, recall_at
from equipoise.learning import Learner, Statistics
from equipoise.learning.offline import ChoiceLog, choices_of
from equipoise.policies import BanditPolicy

MOST_NUMBERS = 500_000_000
"""Features that are taken at most: 2 GB."""


def journal_choices(engine: Engine, *, last: int | None = None, until: int | None = None) -> ChoiceLog:
    """Settled decisions as a `ChoiceLog`, in order; a slate of m slots is m choices among what was left for each.

    last: only that many decisions, the latest; what came before is still replayed, for the features. until: the
    journal's position after which nothing is taken; None takes all that was learned. Pinned slots
    are no choices, nor are imported decisions, whose candidates nobody knows. Features are those of the decision's
    place in the journal, which may be a little later than what was known when it was made.
    Raises: InputError: `last` is below 1, no choice is there, or they are more than fit; take fewer.
    """
    if last is not None and last < 1:
        raise InputError(f"last is {last} but must be 1 or more: say how many decisions to take")
    parts = engine.parts
    features: list[Vectors] = []
    shown: list[int] = []
    rewards: list[float] = []
    propensities: list[float] = []
    numbers = 0
    for logged, rows in _taken(parts, last, until):
        for left, position, slot in _choices(logged):
            features.append(rows[left])
            numbers += features[-1].size
            shown.append(position)
            rewards.append(float(logged.rewards[slot]))
            propensities.append(logged.decision.slots[slot].propensity)
        if numbers > MOST_NUMBERS:
            raise InputError(
                f"more than {MOST_NUMBERS:,} features: take fewer decisions, such as last={len(shown) // 2}"
            )
    if not shown:
        raise InputError("the journal has no settled decision of our own with more than one candidate")
    return choices_of(features, shown, rewards, propensities)


def _taken(parts: Parts, last: int | None, until: int | None) -> Iterator[tuple[Logged, Vectors]]:
    """Settled decisions of our own with their candidates' features (k, d), while a learner replays the journal."""
    learner: Learner[BanditPolicy] = parts.learner_anew()
    until = parts.learner.position if until is None else min(until, parts.learner.position)
    first = 0 if last is None else until - last
    for position, logged in parts.journal.settled():
        if position > until:
            return
        if position > first and logged.decision.policy != IMPORTED:
            yield logged, _features(parts, learner.statistics, logged)
        parts.learn_from(learner, [(position, logged)])


def _features(parts: Parts, statistics: Statistics, logged: Logged) -> Vectors:
    """(k, d) of every candidate."""
    decision = logged.decision
    question = question_of(decision, statistics, parts.stock, parts.request_vector(decision.request))
    item_ids = (*question.candidates, *pinned_items(decision.request))
    rows = pair(
        parts.stock.pairing,
        statistics.experience(item_ids, decision.request.user_id),
        question.shown,
        question.vectors,
        question.asked,
        question.outlook,
        recall_at(decision.versions.catalog, parts.stock),
    )
    return rows[: len(question.candidates)]


def _choices(logged: Logged) -> Iterator[tuple[NDArray[np.int64], int, int]]:
    """For each slot that the dice filled: the positions that were left, which of them was shown, and the slot."""
    decision = logged.decision
    place = {item_id: position for position, item_id in enumerate(decision.candidates)}
    left = np.arange(len(place))
    for slot in decision.slots:
        if slot.source == PINNED:
            continue
        shown = int(np.flatnonzero(left == place[slot.item_id])[0])
        if len(left) > 1:
            yield left, shown, slot.slot
        left = np.delete(left, shown)
