"""The laws of a Journal: decisions and feedback go in, settled decisions come out, each exactly once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.core import Journal, Logged, UnknownDecisionError
from equipoise.lab.contracts.journal_case import CLOSES, START, JournalCase, same_decision
from equipoise.lab.contracts.law import Law, check_all, law, refuses, require


def settled(journal: Journal, after: int = 0, now: float | None = None) -> list[tuple[int, Logged]]:
    return list(journal.settled(after, now))


@law
def a_decision_comes_back_as_it_was(case: JournalCase) -> None:
    """Every field of a decision comes back from settled() equal, its numbers bit for bit."""
    journal, decision = case.make(), case.decision("d1")
    journal.decided(decision)
    journal.closed("d1", now=START + 1)
    ((_, logged),) = settled(journal)
    differs = same_decision(decision, logged.decision)
    require(
        differs is None,
        given="a decision, closed at once",
        seen=f"another {differs}",
        remedy="store float64 and float32 arrays as bytes, and None as itself",
    )


@law
def deciding_twice_keeps_the_first(case: JournalCase) -> None:
    """A decision_id that is known keeps its first record, and decided() returns that one."""
    journal = case.make()
    first = journal.decided(case.decision("d1"))
    second = journal.decided(case.decision("d1", user_id="u2"))
    journal.closed("d1", now=START + 1)
    logged = settled(journal)
    require(
        second.request.user_id == first.request.user_id == "u1" and len(logged) == 1,
        given="d1 of user u1, then another d1 of user u2",
        seen=f"user {second.request.user_id!r} returned, {len(logged)} settled",
        remedy="insert if absent, then read what is there",
    )


@law
def feedback_becomes_the_slots_reward(case: JournalCase) -> None:
    """A reward stands at its slot: the kind's worth where the user acted, 0 elsewhere."""
    journal = case.with_decisions("d1")
    receipt = journal.fed_back(case.feedback("d1", slot=1))
    journal.closed("d1", now=START + 5)
    ((_, logged),) = settled(journal)
    require(
        receipt.status == "counted" and logged.rewards.tolist() == [0.0, case.worth, 0.0],
        given=f"one {case.kind!r} on slot 1 of 3",
        seen=f"receipt {receipt.status!r}, rewards {logged.rewards.tolist()}",
        remedy=f"expected 'counted' and [0, {case.worth:g}, 0]",
    )


@law
def feedback_told_twice_counts_once(case: JournalCase) -> None:
    """The same feedback_id again is a duplicate and changes no reward."""
    journal = case.with_decisions("d1")
    feedback = case.feedback("d1", slot=0, feedback_id="f1")
    statuses = [journal.fed_back(feedback).status for _ in range(3)]
    journal.closed("d1", now=START + 5)
    ((_, logged),) = settled(journal)
    require(
        statuses == ["counted", "duplicate", "duplicate"] and logged.rewards[0] == case.worth,
        given="feedback f1 three times",
        seen=f"{statuses}, reward {logged.rewards[0]:g}",
        remedy="a unique key on feedback_id; say 'duplicate' when it is there",
    )


@law
def of_contradictions_the_later_counts(case: JournalCase) -> None:
    """Another value for the same slot and kind is contradictory; the later one in `at` counts, in whatever order."""
    for times in ((START + 1, START + 2), (START + 2, START + 1)):
        journal = case.with_decisions("d1")
        values = {START + 1: 0.0, START + 2: 1.0}
        statuses = [
            journal.fed_back(
                case.feedback("d1", slot=0, at=at, value=values[at], feedback_id=f"f{at}")
            ).status
            for at in times
        ]
        journal.closed("d1", now=START + 5)
        ((_, logged),) = settled(journal)
        require(
            statuses == ["counted", "contradictory"] and logged.rewards[0] == case.worth,
            given=f"values {[values[at] for at in times]} of one slot and kind, the 1 later in `at`",
            seen=f"{statuses}, reward {logged.rewards[0]:g}, expected {case.worth:g}",
            remedy="join by the greatest `at`, not by the order of arrival",
        )


@law
def feedback_before_its_decision_waits(case: JournalCase) -> None:
    """Feedback of an unknown decision is kept aside, and joined when the decision comes before it settles."""
    journal = case.make()
    receipt = journal.fed_back(case.feedback("d1", slot=2))
    journal.decided(case.decision("d1"))
    journal.closed("d1", now=START + 5)
    ((_, logged),) = settled(journal)
    require(
        receipt.status == "unknown" and logged.rewards[2] == case.worth,
        given="feedback first, its decision afterwards",
        seen=f"receipt {receipt.status!r}, reward {logged.rewards[2]:g}",
        remedy="keep unknown feedback, and join by decision_id when the decision settles",
    )


@law
def late_feedback_is_counted_and_not_rewarded(case: JournalCase) -> None:
    """Feedback on a settled decision is late: it says so, and what has settled stays as it was."""
    journal = case.with_decisions("d1")
    journal.closed("d1", now=START + 5)
    receipt = journal.fed_back(case.feedback("d1", slot=0, at=START + 6))
    ((_, logged),) = settled(journal)
    require(
        receipt.status == "late" and bool(np.all(logged.rewards == 0.0)),
        given="feedback after the decision was closed",
        seen=f"receipt {receipt.status!r}, rewards {logged.rewards.tolist()}",
        remedy="store rewards when a decision settles; keep later feedback, marked late",
    )


@law
def closing_settles_once(case: JournalCase) -> None:
    """closed() again returns the same position, and the decision is in settled() once."""
    journal = case.with_decisions("d1")
    positions = [journal.closed("d1", now=START + second) for second in (1, 2)]
    logged = settled(journal, now=CLOSES + 1)
    require(
        positions[0] == positions[1] and len(logged) == 1,
        given="d1 closed twice, then its window over",
        seen=f"positions {positions}, settled {len(logged)} times",
        remedy="settle where no position is set, in one transaction",
    )


@law
def a_window_closes_when_it_is_due(case: JournalCase) -> None:
    """A decision settles by itself when `now` reaches the end of its window, not before, and once."""
    journal = case.with_decisions("d1")
    counts = [len(settled(journal, now=now)) for now in (CLOSES - 1, CLOSES + 1, CLOSES + 2)]
    without = len(settled(journal))
    require(
        counts == [0, 1, 1] and without == 1,
        given="settled() 1 s before the window closes, and 1 s and 2 s after",
        seen=f"{counts} decisions, and {without} without `now`",
        remedy="settle what is due with window_closes_at <= now before reading",
    )


@law
def positions_count_up(case: JournalCase) -> None:
    """Decisions get 1, 2, 3, ... as they settle; settled(after) is exactly the rest."""
    journal = case.with_decisions("d1", "d2", "d3", "d4")
    given = [journal.closed(decision_id, now=START + 1) for decision_id in ("d3", "d1", "d4")]
    everything, rest = settled(journal), settled(journal, after=1)
    order = [(position, logged.decision.decision_id) for position, logged in everything]
    require(
        given == [1, 2, 3]
        and order == [(1, "d3"), (2, "d1"), (3, "d4")]
        and [position for position, _ in rest] == [2, 3],
        given="d3, d1 and d4 closed in that order, d2 left open",
        seen=f"positions {given}, settled {order}, after 1: {[position for position, _ in rest]}",
        remedy="number decisions when they settle, in the same transaction",
    )


@law
def replay_gives_the_same_sequence(case: JournalCase) -> None:
    """What has settled reads the same again, to the bit, whatever is written afterwards: append-only."""
    journal = case.with_decisions("d1", "d2", "d3")
    journal.fed_back(case.feedback("d1", slot=0))
    for decision_id in ("d2", "d1"):
        journal.closed(decision_id, now=START + 5)
    before = settled(journal)
    journal.fed_back(case.feedback("d2", slot=1, at=START + 6))
    journal.decided(case.decision("d1", user_id="u9"))
    journal.closed("d3", now=START + 7)
    again = settled(journal)[: len(before)]
    differs = [_differs(one, other) for one, other in zip(before, again, strict=True)]
    require(
        not any(differs),
        given="two settled decisions, read before and after late feedback, a double and another decision",
        seen=[found for found in differs if found],
        remedy="never update a settled row",
    )


@law
def forgets_who_and_keeps_what_happened(case: JournalCase) -> None:
    """forget() erases who asked and what; positions, propensities, items and rewards stay for the others to learn."""
    journal = case.make()
    for decision_id, user_id in (("d1", "u1"), ("d2", "u2"), ("d3", "u1")):
        journal.decided(case.decision(decision_id, user_id=user_id))
        journal.fed_back(case.feedback(decision_id, slot=0))
        journal.closed(decision_id, now=START + 5)
    counts = [journal.forget("u1"), journal.forget("u1")]
    logged = [entry for _, entry in settled(journal)]
    users = [entry.decision.request.user_id for entry in logged]
    texts = [entry.decision.request.text for entry in logged]
    kept = all(e.rewards[0] == case.worth and e.decision.slots == case.decision("d1").slots for e in logged)
    require(
        counts == [2, 0] and users == [None, "u2", None] and texts == [None, case.text, None] and kept,
        given="two decisions of u1 and one of u2, and forget('u1') twice",
        seen=f"forgot {counts}, users {users}, texts {texts}, slots and rewards {'kept' if kept else 'changed'}",
        remedy="blank user_id, text, history and attributes of that user's decisions, and nothing else",
    )


@law
def an_unknown_decision_cannot_close(case: JournalCase) -> None:
    """closed() of a decision_id that was never decided is an UnknownDecisionError."""
    journal = case.with_decisions("d1")
    refuses(
        lambda: journal.closed("never", now=START),
        UnknownDecisionError,
        given="closed('never')",
        remedy="look the decision up first and say which id is unknown",
    )


JOURNAL_LAWS: tuple[Law[JournalCase], ...] = (
    a_decision_comes_back_as_it_was,
    deciding_twice_keeps_the_first,
    feedback_becomes_the_slots_reward,
    feedback_told_twice_counts_once,
    of_contradictions_the_later_counts,
    feedback_before_its_decision_waits,
    late_feedback_is_counted_and_not_rewarded,
    closing_settles_once,
    a_window_closes_when_it_is_due,
    positions_count_up,
    replay_gives_the_same_sequence,
    forgets_who_and_keeps_what_happened,
    an_unknown_decision_cannot_close,
)


def check_journal(make: Callable[[], Journal], *, kind: str = "click", worth: float = 1.0) -> None:
    """Every law of a journal. make: an empty one; kind: of feedback, whose value 1 is worth `worth` and 0 nothing.

    Raises: ContractError.
    """
    check_all(JOURNAL_LAWS, JournalCase(make, kind, worth))


def _differs(one: tuple[int, Logged], other: tuple[int, Logged]) -> str | None:
    if one[0] != other[0]:
        return f"position {one[0]} became {other[0]}"
    if not np.array_equal(one[1].rewards, other[1].rewards):
        return f"rewards of {one[1].decision.decision_id} became {other[1].rewards.tolist()}"
    return same_decision(one[1].decision, other[1].decision)
