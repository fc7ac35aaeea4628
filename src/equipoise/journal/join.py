"""The join: what a feedback is worth hearing, and what a decision's feedback makes of its rewards.

Pure functions of records; the tables know nothing of these rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import Feedback, Floats, InputError, Receipt
from equipoise.journal.rewards import RewardSpec

COUNTED, DUPLICATE, CONTRADICTORY, LATE, UNKNOWN = "counted", "duplicate", "contradictory", "late", "unknown"
STATUSES = (COUNTED, DUPLICATE, CONTRADICTORY, LATE, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Told:
    """A feedback as the journal keeps it. status: as its receipt said. received_at: seconds, when it came."""

    feedback_seq: int
    feedback: Feedback
    status: str
    received_at: float

    @property
    def counts(self) -> bool:
        """Whether it takes part in the reward; of several of one kind, the latest does."""
        return self.status in (COUNTED, CONTRADICTORY)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a decision stands. slots: m. position: of its settlement, None while it is open."""

    seq: int
    window_closes_at: float
    slots: int
    position: int | None


def judged(feedback: Feedback, told: Sequence[Told], standing: Standing, spec: RewardSpec) -> Receipt:
    """What a feedback on a known decision is; told: the decision's earlier feedback, in order of arrival.

    Raises: InputError: a slot that was not shown.
    """
    if not 0 <= feedback.slot < standing.slots:
        raise InputError(
            f"decision {feedback.decision_id!r} has no slot {feedback.slot}: its slots are 0 to {standing.slots - 1}"
        )
    here = [one for one in told if one.feedback.slot == feedback.slot and one.status != UNKNOWN]
    counting = spec.counted([one.feedback for one in here if one.counts])
    same = counting.get(feedback.kind)
    if retold(feedback, here) or (same is not None and same.value == feedback.value):
        return Receipt(DUPLICATE, f"{_name(feedback)} was told before: nothing changes")
    if standing.position is not None:
        return Receipt(
            LATE, f"the decision settled at position {standing.position}: kept, but no longer rewarded"
        )
    if feedback.at > standing.window_closes_at:
        after = feedback.at - standing.window_closes_at
        return Receipt(
            LATE, f"{_name(feedback)} came {after:g} s after the window closed: kept, but not rewarded"
        )
    rival = next((one for kind, one in counting.items() if spec.rivals(kind, feedback.kind)), None)
    if rival is None:
        return Receipt(COUNTED, f"{_name(feedback)} counts")
    wins = feedback if feedback.at >= rival.at else rival
    return Receipt(
        CONTRADICTORY, f"{_name(feedback)} against {_name(rival)}: the later, {_name(wins)}, counts"
    )


def retold(feedback: Feedback, told: Sequence[Told]) -> bool:
    """Whether this very event was told before: the same slot, kind, value and time, and no two ids that differ."""
    event = (feedback.slot, feedback.kind, feedback.value, feedback.at)
    return any(
        event == (one.slot, one.kind, one.value, one.at) and None in (one.feedback_id, feedback.feedback_id)
        for one in (row.feedback for row in told)
    )


def rewards_of(told: Sequence[Told], slots: int, spec: RewardSpec) -> Floats:
    """Returns: (m,) rewards by slot. Kinds that the specification no longer names are worth nothing."""
    rewards = np.zeros(slots)
    by_slot: dict[int, list[Feedback]] = {}
    for one in told:
        if one.counts:
            by_slot.setdefault(one.feedback.slot, []).append(one.feedback)
    for slot, feedbacks in by_slot.items():
        rewards[slot] = spec.reward(feedbacks)
    return rewards


def _name(feedback: Feedback) -> str:
    return f"{feedback.kind} = {feedback.value:g} on slot {feedback.slot}"
