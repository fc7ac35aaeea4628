"""Decisions once, feedback as it comes, windows by time, and what the engine learns from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.core import NoCandidatesError, Request

from .shop import START, opened, shown, visit


def test_a_decision_id_is_answered_once_whatever_is_asked_later() -> None:
    with opened(retrieval={"hide_seen": True}) as engine:
        first = engine.recommend(
            Request(user_id="u1", items=("i1", "i2")), slots=2, decision_id="same", at=START
        )
        engine.remove(["i1"])
        again = engine.recommend(
            Request(user_id="u1", items=("i1",)), slots=9, decision_id="same", at=START + 5.0
        )
        assert again.slots == first.slots
        assert again.at == START
        assert engine.status()["decisions"] == 1


def test_seen_items_are_hidden_from_their_user_alone_also_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db", n=6, retrieval={"hide_seen": True}) as engine:
        first = engine.recommend(Request(user_id="u1"), slots=4)
        second = engine.recommend(Request(user_id="u1"), slots=2)
        assert not set(shown(first)) & set(shown(second))
        assert len(engine.recommend(Request(user_id="u2"), slots=6).slots) == 6
        with pytest.raises(NoCandidatesError, match="6 already seen"):
            engine.recommend(Request(user_id="u1"), slots=1)
    with opened(tmp_path / "j.db", n=6, retrieval={"hide_seen": True}) as engine:
        with pytest.raises(NoCandidatesError, match="6 already seen"):
            engine.recommend(Request(user_id="u1"), slots=1)
        assert len(engine.recommend(Request(), slots=6).slots) == 6


def test_a_window_closes_by_itself_and_feedback_after_it_is_late() -> None:
    with opened() as engine:
        visit(engine, 0, settle=False)
        assert engine.status()["settled"] == 0
        receipt = engine.feedback("d0", slot=1, kind="click", at=START + 101.0)
        assert receipt.status == "late"
        assert engine.status()["settled"] == engine.status()["learned"] == 1
        assert engine.why("d0").rewards == (1.0, 0.0, 0.0)


def test_feedback_may_come_before_its_decision() -> None:
    with opened() as engine:
        assert engine.feedback("d0", slot=0, kind="click", at=START).status == "unknown"
        visit(engine, 0, click=None)
        assert engine.why("d0").rewards == (1.0, 0.0, 0.0)


def test_repeated_contradictory_and_settled_feedback_is_answered_clearly() -> None:
    with opened() as engine:
        visit(engine, 0, click=None, settle=False)
        say = [("like", START + 1.0), ("like", START + 1.0), ("dislike", START + 2.0)]
        told = [engine.feedback("d0", slot=0, kind=kind, at=at).status for kind, at in say]
        assert told == ["counted", "duplicate", "contradictory"]
        assert engine.settle("d0", at=START + 3.0) == engine.settle("d0", at=START + 4.0) == 1
        assert engine.feedback("d0", slot=0, kind="share", at=START + 5.0).status == "late"
        assert engine.status()["feedback"] == {"counted": 1, "duplicate": 1, "contradictory": 1, "late": 1}


def test_a_feedback_id_is_one_event() -> None:
    with opened() as engine:
        visit(engine, 0, click=None, settle=False)
        first = engine.feedback("d0", slot=0, kind="click", at=START, feedback_id="e1")
        second = engine.feedback("d0", slot=1, kind="click", at=START, feedback_id="e1")
        assert (first.status, second.status) == ("counted", "duplicate")


def test_rewards_follow_the_specification() -> None:
    """A click at .3 and 30 of 60 seconds at .2 make .3 + .2 x 30 / 60 = .4."""
    reward = {"click": 0.3, "dwell_seconds": {"weight": 0.2, "full": 60.0}}
    with opened(reward=reward) as engine:
        visit(engine, 0, click=1, settle=False)
        engine.feedback("d0", slot=1, kind="dwell_seconds", value=30.0, at=START + 2.0)
        engine.settle("d0", at=START + 3.0)
        assert engine.why("d0").rewards == pytest.approx((0.0, 0.4, 0.0))


def test_what_is_rewarded_is_shown_more() -> None:
    """Ten items at 1 / 10; i7 alone is ever liked, 40 times of 40 shown: its share must have grown fivefold."""
    with opened(n=10) as engine:
        listed = tuple(f"i{j}" for j in range(10))

        def share(number: int) -> float:
            decision = engine.recommend(
                Request(items=listed), slots=10, decision_id=f"d{number}", at=START + number
            )
            liked = shown(decision).index("i7")
            engine.feedback(decision.decision_id, slot=liked, kind="like", at=START + number)
            engine.settle(decision.decision_id, at=START + number)
            return float(decision.probabilities[decision.candidates.index("i7")])

        shares = [share(number) for number in range(41)]
    assert shares[-1] > 0.5 > shares[0]


def test_a_user_is_remembered_by_what_they_liked(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        decision = engine.recommend(Request(user_id="u1", items=("i1", "i2")), slots=2, at=START)
        engine.feedback(decision.decision_id, slot=0, kind="like", at=START + 1.0)
        engine.settle(decision.decision_id, at=START + 2.0)
        liked = engine.parts.learner.statistics.liked("u1")
        assert liked == (shown(decision)[0],)
    with opened(tmp_path / "j.db") as engine:
        assert engine.parts.learner.statistics.liked("u1") == liked


def test_status_counts_what_was_decided_and_learned() -> None:
    with opened() as engine:
        for number in range(3):
            visit(engine, number, settle=number < 2)
        status = engine.status()
    assert {key: status[key] for key in ("items", "decisions", "open", "settled", "learned", "bad_rows")} == {
        "items": 40,
        "decisions": 3,
        "open": 1,
        "settled": 2,
        "learned": 2,
        "bad_rows": 0,
    }
    # two clicks at 1.0 in six slots, shrunk to .1 by ten shows: (2 + 10 x .1) / (6 + 10)
    assert status["mean_reward"] == pytest.approx(3.0 / 16.0)
    assert status["trouble"] == []
