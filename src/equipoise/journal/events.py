"""What happened to the engine itself, and what another policy would have done: events and trials.

An event is a step of the promotion gate. A trial says of one decision under which step it was made, who made it, and
in the shadow what the challenger would have shown instead. Both are written once and never changed, so that what the
gate came to can be computed again from the journal alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from equipoise.journal import statements as sql
from equipoise.journal.rows import Row, parsed, written


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """event_seq: 1, 2, 3, ... in order. at: seconds. kind: such as `promotion_started`. detail: plain values."""

    event_seq: int
    at: float
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """What another policy would have done in a decision's place.

    policy, learned: its name with fingerprint, and how far it had learned. target: (m,) its probability of each slot
    that was shown, given those above. item_ids, propensities: (m,) the slate that it would have shown, and the
    probability of each item given those above it.
    """

    policy: str
    learned: int
    target: tuple[float, ...]
    item_ids: tuple[str, ...]
    propensities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A decision's part in a promotion. stage: event_seq of the step that it was made under.

    challenger: whether the challenger made the decision. beside: what the other would have done, in the shadow.
    """

    stage: int
    challenger: bool
    beside: Beside | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A settled trial. seq: of its decision, in order of arrival. rewards, propensities: (m,) of the slots shown.

    target: (m,) the other policy's probabilities of them, in the shadow.
    """

    seq: int
    challenger: bool
    rewards: tuple[float, ...]
    propensities: tuple[float, ...]
    target: tuple[float, ...] | None


def add_event(db: sqlite3.Connection, kind: str, at: float, detail: Mapping[str, Any]) -> Event:
    """Write an event; returns it with its number."""
    event_seq = db.execute(sql.ADD_EVENT, (at, kind, written(detail))).lastrowid
    assert event_seq is not None  # an INSERT has one
    return Event(event_seq, at, kind, detail)


def add_trial(db: sqlite3.Connection, decision_id: str, trial: Trial) -> None:
    """Write a new decision's trial, in the transaction that writes the decision."""
    db.execute(sql.ADD_TRIAL, (trial.stage, *_beside_row(trial), decision_id))


def events(rows: Iterable[Row]) -> list[Event]:
    """From the rows of `statements.EVENTS`."""
    return [Event(event_seq, at, kind, json.loads(detail)) for event_seq, at, kind, detail in rows]


def trial(row: Row) -> Trial:
    """From a row of `statements.TRIAL_OF`."""
    stage, challenger, policy, learned, target, item_ids, propensities = row
    if policy is None:
        return Trial(stage, bool(challenger))
    lists = (tuple(found) for found in parsed((target, item_ids, propensities)))
    return Trial(stage, bool(challenger), Beside(policy, learned, *lists))


def outcomes(rows: Iterable[Row]) -> list[Outcome]:
    """From the rows of `statements.TRIALS_PAGE`, as far as all have settled: the first open one ends the list."""
    known = list(takewhile(lambda row: row[2] is not None, rows))
    if not known:
        return []
    seqs, challengers, rewards, propensities, targets = zip(*known, strict=True)
    lists = (parsed(texts) for texts in (rewards, propensities, (text or "null" for text in targets)))
    return [
        Outcome(seq, bool(challenger), tuple(earned), tuple(given), None if target is None else tuple(target))
        for seq, challenger, earned, given, target in zip(seqs, challengers, *lists, strict=True)
    ]


def _beside_row(trial: Trial) -> Row:
    beside = trial.beside
    if beside is None:
        return (int(trial.challenger), None, None, None, None, None)
    lists = (written(values) for values in (beside.target, beside.item_ids, beside.propensities))
    return (int(trial.challenger), beside.policy, beside.learned, *lists)
