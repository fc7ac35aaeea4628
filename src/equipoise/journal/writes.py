"""What each write does inside its transaction: functions of the connection, run by `commits`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace

from equipoise.core import Decision, Feedback, Receipt, UnknownDecisionError
from equipoise.journal import statements as sql
from equipoise.journal.events import Trial, add_trial
from equipoise.journal.join import DUPLICATE, UNKNOWN, Standing, Told, judged, retold, rewards_of
from equipoise.journal.rewards import RewardSpec
from equipoise.journal.rows import Row, decoded, written


def add_decisions(
    db: sqlite3.Connection,
    decisions: Sequence[Decision],
    rows: Sequence[Row],
    spec: RewardSpec,
    trial: Trial | None = None,
) -> list[Decision]:
    """Store what is new and open its windows; returns the stored decisions, the earlier ones for known ids.

    trial: of the only decision, kept if the decision is new.
    """
    (last,) = db.execute(sql.LAST_SEQ).fetchone()
    added = db.executemany(sql.ADD_DECISION, rows).rowcount
    if added:
        db.execute(sql.OPEN_WINDOWS, (last,))
        for (decision_id,) in db.execute(sql.AWAITED, (last,)).fetchall():
            _adopt(db, decision_id, spec)
        if trial is not None:
            add_trial(db, decisions[0].decision_id, trial)
    if added == len(decisions):
        return list(decisions)
    return [decoded(db.execute(sql.ONE_DECISION, (one.decision_id,)).fetchall())[0] for one in decisions]


def add_feedback(db: sqlite3.Connection, feedback: Feedback, received_at: float, spec: RewardSpec) -> Receipt:
    """Judge a feedback and keep it, whatever it is.

    Raises: InputError: a slot that was not shown; nothing is kept.
    """
    standing = standing_of(db, feedback.decision_id)
    told = told_of(db, feedback.decision_id)
    if standing is not None:
        receipt = judged(feedback, told, standing, spec)
    elif retold(feedback, told):
        receipt = Receipt(DUPLICATE, "it was told before, and its decision is not known yet: kept aside once")
    else:
        receipt = Receipt(
            UNKNOWN,
            f"decision {feedback.decision_id!r} is not known: kept aside, and joined if the decision comes",
        )
    if feedback.feedback_id is not None and receipt.status != DUPLICATE:
        receipt = _once(db, feedback, receipt)
    _keep(db, feedback, received_at, receipt.status)
    return receipt


def close(db: sqlite3.Connection, decision_id: str, now: float, spec: RewardSpec) -> int:
    """Settle a decision unless it has settled; returns its position.

    Raises: UnknownDecisionError.
    """
    standing = standing_of(db, decision_id)
    if standing is None:
        raise UnknownDecisionError(
            f"decision {decision_id!r} is not in this journal: check the id, or which journal this is"
        )
    if standing.position is not None:
        return standing.position
    return _settle(db, decision_id, standing, now=now, reason="closed", spec=spec)


def close_due(db: sqlite3.Connection, now: float, limit: int, spec: RewardSpec) -> int:
    """Settle at most `limit` decisions whose windows have closed, in the order in which they did."""
    due = db.execute(sql.DUE, (now, limit)).fetchall()
    for seq, closes, decision_id, slots in due:
        standing = Standing(seq, closes, slots, None)
        _settle(db, decision_id, standing, now=now, reason="window", spec=spec)
    return len(due)


def forget(db: sqlite3.Connection, user_id: str) -> int:
    """Make a user's decisions anonymous; returns how many."""
    return db.execute(sql.FORGET, (user_id,)).rowcount


def standing_of(db: sqlite3.Connection, decision_id: str) -> Standing | None:
    row = db.execute(sql.STANDING, (decision_id,)).fetchone()
    return None if row is None else Standing(*row)


def told_of(db: sqlite3.Connection, decision_id: str) -> list[Told]:
    return told(db.execute(sql.TOLD, (decision_id,)).fetchall())


def told(rows: Iterable[Row]) -> list[Told]:
    """Feedback from the rows of `statements.TOLD`."""
    return [
        Told(
            feedback_seq,
            Feedback(decision_id, slot=slot, kind=kind, value=value, at=at, feedback_id=feedback_id),
            status,
            received_at,
        )
        for feedback_seq, decision_id, slot, kind, value, at, feedback_id, status, received_at in rows
    ]


def _settle(
    db: sqlite3.Connection, decision_id: str, standing: Standing, *, now: float, reason: str, spec: RewardSpec
) -> int:
    rewards = rewards_of(told_of(db, decision_id), standing.slots, spec)
    settlement = (standing.seq, now, reason, written(rewards), spec.fingerprint)
    position = db.execute(sql.ADD_SETTLEMENT, settlement).lastrowid
    db.execute(sql.CLOSE_WINDOW, (standing.window_closes_at, standing.seq))
    assert position is not None  # an INSERT has one
    return position


def _once(db: sqlite3.Connection, feedback: Feedback, receipt: Receipt) -> Receipt:
    """A feedback_id that was told before is one event, whatever else the second telling says."""
    known = db.execute(sql.KNOWN_FEEDBACK_ID, (feedback.feedback_id,)).fetchone()
    if known is None:
        return receipt
    return Receipt(
        DUPLICATE,
        f"feedback_id {feedback.feedback_id!r} was told before, of decision {known[0]!r} slot {known[1]}",
    )


def _keep(db: sqlite3.Connection, feedback: Feedback, received_at: float, status: str) -> None:
    f = feedback
    db.execute(
        sql.ADD_FEEDBACK, (f.decision_id, f.slot, f.kind, f.value, f.at, received_at, f.feedback_id, status)
    )
    db.execute(sql.TALLY, (status, 1))


def _adopt(db: sqlite3.Connection, decision_id: str, spec: RewardSpec) -> None:
    """Judge what came before its decision did, as if it came now; a slot that was not shown stays `unknown`."""
    standing = standing_of(db, decision_id)
    assert standing is not None
    earlier: list[Told] = []
    for one in told_of(db, decision_id):
        if one.status == UNKNOWN and one.feedback.slot < standing.slots:
            receipt = judged(one.feedback, earlier, standing, spec)
            one = replace(one, status=receipt.status)
            db.execute(sql.ADOPT_FEEDBACK, (receipt.status, one.feedback_seq))
            db.execute(sql.TALLY, (UNKNOWN, -1))
            db.execute(sql.TALLY, (receipt.status, 1))
        earlier.append(one)
