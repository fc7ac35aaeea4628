"""Feedback and its receipts: nothing is lost, each event counts once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from equipoise.core import Feedback, InputError
from equipoise.journal import SqliteJournal

from .samples import make_decision


def told(
    kind: str = "click", value: float = 1.0, *, at: float = 101.0, slot: int = 0, **more: str
) -> Feedback:
    return Feedback(more.get("decision_id", "d1"), slot, kind, value, at, more.get("feedback_id"))


def rewards(journal: SqliteJournal) -> list[float]:
    journal.closed("d1", now=200.0)
    settled = journal.logged("d1")
    assert settled is not None
    return settled.rewards.tolist()


def statuses(journal: SqliteJournal, *feedbacks: Feedback) -> list[str]:
    return [journal.fed_back(feedback).status for feedback in feedbacks]


def test_all_that_was_told_is_kept_with_its_status(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    events = [told(), told(), told(value=2.0), told(slot=2), told(at=161.0, slot=1), told(decision_id="d9")]
    given = statuses(journal, *events)
    assert given == ["counted", "duplicate", "contradictory", "counted", "late", "unknown"]
    kept = journal.feedback_of("d1") + journal.feedback_of("d9")
    assert [one.feedback for one in kept] == events
    assert [one.status for one in kept] == given
    assert journal.counts().feedback == {
        "contradictory": 1,
        "counted": 2,
        "duplicate": 1,
        "late": 1,
        "unknown": 1,
    }
    assert journal.integrity() == []


def test_a_window_ends_with_its_last_moment(journal: SqliteJournal) -> None:
    journal.decided(make_decision(at=100.0, window=60.0))
    assert statuses(journal, told(at=160.0), told(at=math.nextafter(160.0, 161.0), slot=1)) == [
        "counted",
        "late",
    ]
    assert rewards(journal) == [1.0, 0.0, 0.0]


def test_feedback_on_a_settled_decision_is_late_unless_it_was_told_before(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    assert statuses(journal, told()) == ["counted"]
    assert rewards(journal) == [1.0, 0.0, 0.0]
    assert statuses(journal, told(), told(slot=1), told(value=0.0)) == ["duplicate", "late", "late"]
    assert rewards(journal) == [1.0, 0.0, 0.0]


def test_a_feedback_id_is_one_event_whatever_it_says(journal: SqliteJournal) -> None:
    journal.decided_many([make_decision(), make_decision("d2")])
    events = [
        told(feedback_id="e1"),
        told(feedback_id="e1", slot=1),
        told(feedback_id="e1", decision_id="d2"),
        told(feedback_id="e2", slot=1),
    ]
    assert statuses(journal, *events) == ["counted", "duplicate", "duplicate", "counted"]
    assert rewards(journal) == [1.0, 1.0, 0.0]


def test_of_contradictory_values_the_later_counts(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    # 30 s then 6 s: .5 x 6/60 = .05; then word of 60 s from between the two, which does not count
    events = [
        told("dwell_seconds", value, at=at) for value, at in ((30.0, 110.0), (6.0, 130.0), (60.0, 120.0))
    ]
    receipts = [journal.fed_back(event) for event in events]
    assert [one.status for one in receipts] == ["counted", "contradictory", "contradictory"]
    assert "dwell_seconds = 6 on slot 0, counts" in receipts[2].detail
    assert rewards(journal) == [0.05, 0.0, 0.0]


def test_a_change_of_mind_and_back(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    events = [
        told("like", at=101.0),
        told("dislike", at=102.0),
        told("like", at=103.0),
        told("like", at=104.0),
    ]
    assert statuses(journal, *events) == ["counted", "contradictory", "contradictory", "duplicate"]
    assert rewards(journal) == [1.0, 0.0, 0.0]


def test_the_same_event_again_is_a_duplicate_even_if_it_has_lost(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    like, dislike = told("like", at=101.0), told("dislike", at=102.0)
    assert statuses(journal, like, dislike, like) == ["counted", "contradictory", "duplicate"]
    assert rewards(journal) == [0.0, 0.0, 0.0]


def test_feedback_that_comes_before_its_decision_is_joined(journal: SqliteJournal) -> None:
    events = [
        told(at=101.0),
        told(at=101.0),
        told(value=0.5, at=102.0),
        told(slot=7),
        told(at=999.0, slot=2),
        told(feedback_id="e1", slot=1),
    ]
    early = ["unknown", "duplicate", "unknown", "unknown", "unknown", "unknown"]
    assert statuses(journal, *events) == early
    journal.decided_many([make_decision("d0"), make_decision("d1")])
    # slot 7 was not shown, so it stays aside
    joined = ["counted", "duplicate", "contradictory", "unknown", "late", "counted"]
    assert [one.status for one in journal.feedback_of("d1")] == joined
    assert journal.counts().feedback == {
        "contradictory": 1,
        "counted": 2,
        "duplicate": 1,
        "late": 1,
        "unknown": 1,
    }
    assert rewards(journal) == [0.5, 1.0, 0.0]
    assert journal.integrity() == []


def test_the_receipt_is_a_sentence(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    assert journal.fed_back(told()).detail == "click = 1 on slot 0 counts"
    assert journal.fed_back(told()).detail == "click = 1 on slot 0 was told before: nothing changes"
    assert "1 s after the window closed" in journal.fed_back(told(at=161.0, slot=1)).detail
    assert "'d9' is not known: kept aside" in journal.fed_back(told(decision_id="d9")).detail
    journal.closed("d1", now=170.0)
    assert "settled at position 1" in journal.fed_back(told(slot=1)).detail


def test_numpys_numbers_are_numbers(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    feedback = Feedback("d1", np.int64(1), "click", np.float32(1.0), 101)  # type: ignore[arg-type]
    assert journal.fed_back(feedback).status == "counted"
    assert journal.feedback_of("d1")[0].feedback == told(slot=1)


@pytest.mark.parametrize(
    ("feedback", "message"),
    [
        (told("clik"), "did you mean 'click'"),
        (told(slot=3), "has no slot 3: its slots are 0 to 2"),
        (told(slot=-1), "slot is -1"),
        (told(slot=1.5), "slot is 1.5"),  # type: ignore[arg-type]
        (told(value=math.nan), "value nan"),
        (told(value="1"), "value '1'"),  # type: ignore[arg-type]
        (told(at=math.inf), "at is inf"),
        (told(at="now"), "at is 'now'"),  # type: ignore[arg-type]
        (told(decision_id=""), "decision_id is ''"),
        (told(feedback_id=""), "feedback_id is ''"),
        (told(feedback_id="\ud800"), "cannot store a value"),
        (told(slot=2**70, decision_id="d9"), "cannot store a value"),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_kept(feedback: Feedback, message: str) -> None:
    with SqliteJournal.open(":memory:") as journal:
        journal.decided(make_decision())
        with pytest.raises(InputError, match=message):
            journal.fed_back(feedback)
        assert journal.counts().feedback == {}
        assert journal.fed_back(told()).status == "counted"


@pytest.mark.parametrize("now", [math.nan, math.inf, None, "later"])
def test_a_time_that_is_none_is_refused(now: float) -> None:
    with SqliteJournal.open(":memory:") as journal:
        journal.decided(make_decision())
        with pytest.raises(InputError, match="now is"):
            journal.closed("d1", now=now)
        with pytest.raises(InputError, match="now is"):
            journal.due(now)
        assert journal.counts().open == 1
