"""Any sequence of calls, against a model simple enough to be believed."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from equipoise.core import Decision, Feedback
from equipoise.journal import RewardSpec, SqliteJournal

from .samples import facts, make_decision

# Few ids and few moments, so that calls meet: ends of windows, changes of mind, late and early feedback.
IDS = st.sampled_from(["a", "b", "c"])
TIMES = st.sampled_from([101.0, 104.0, 106.0, 108.0])
KINDS = ("click", "like", "dislike")
GROUPS = {"click": "click", "like": "taste", "dislike": "taste"}
SPEC = RewardSpec.of({"click": 1.0, "like": 0.5, "dislike": -1.0, "low": -2.0, "high": 3.0})
WEIGHTS = {"click": 1.0, "like": 0.5, "dislike": -1.0}


@dataclass
class Row:
    event: Feedback
    status: str


@dataclass
class Model:
    """What a journal should do, over plain lists."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    settled: list[tuple[str, list[float]]] = field(default_factory=list)
    told: list[Row] = field(default_factory=list)

    def standing(self, event: Feedback, rows: list[Row]) -> Feedback | None:
        """The feedback that counts for the event's slot and group: the latest, then the last to arrive."""
        group = [
            row.event
            for row in rows
            if row.status in ("counted", "contradictory")
            and (row.event.decision_id, row.event.slot) == (event.decision_id, event.slot)
            and GROUPS[row.event.kind] == GROUPS[event.kind]
        ]
        return max(enumerate(group), key=lambda pair: (pair[1].at, pair[0]))[1] if group else None

    def judge(self, event: Feedback, rows: list[Row]) -> str:
        decision = self.decisions.get(event.decision_id)
        mine = [r.event for r in rows if decision is None or r.status != "unknown"]
        if any(
            (e.decision_id, e.slot, e.kind, e.value, e.at)
            == (event.decision_id, event.slot, event.kind, event.value, event.at)
            and (e.feedback_id is None or event.feedback_id is None)
            for e in mine
        ):
            return "duplicate"
        if decision is None:
            return "unknown"
        rival = self.standing(event, rows)
        if rival is not None and (rival.kind, rival.value) == (event.kind, event.value):
            return "duplicate"
        if event.decision_id in dict(self.settled) or event.at > decision.window_closes_at:
            return "late"
        return "counted" if rival is None else "contradictory"

    def fed_back(self, event: Feedback) -> str:
        status = self.judge(event, self.told)
        if event.feedback_id is not None and any(r.event.feedback_id == event.feedback_id for r in self.told):
            status = "duplicate"
        self.told.append(Row(event, status))
        return status

    def decided(self, decision: Decision) -> None:
        if decision.decision_id in self.decisions:
            return
        self.decisions[decision.decision_id] = decision
        for number, row in enumerate(self.told):
            if row.event.decision_id == decision.decision_id and row.status == "unknown":
                row.status = self.judge(row.event, self.told[:number])

    def settle(self, decision_id: str) -> int:
        names = [name for name, _ in self.settled]
        if decision_id not in names:
            rewards = []
            for slot in range(len(self.decisions[decision_id].slots)):
                ask = [Feedback(decision_id, slot, kind, 1.0, 0.0) for kind in ("click", "like")]
                counting = [found for one in ask if (found := self.standing(one, self.told)) is not None]
                rewards.append(min(max(sum(WEIGHTS[one.kind] * one.value for one in counting), -2.0), 3.0))
            self.settled.append((decision_id, rewards))
            return len(self.settled)
        return names.index(decision_id) + 1

    def settle_due(self, now: float) -> None:
        arrival = list(self.decisions)
        waiting = [d for name, d in self.decisions.items() if name not in dict(self.settled)]
        due = [d for d in waiting if d.window_closes_at <= now]
        for one in sorted(due, key=lambda d: (d.window_closes_at, arrival.index(d.decision_id))):
            self.settle(one.decision_id)


class JournalMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="journal-machine-"))
        self.model = Model()
        self.journal = SqliteJournal.open(self.folder / "j.db", rewards=SPEC)

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)

    @rule(decision_id=IDS, window=st.sampled_from([4, 6, 8]), seed=st.integers(0, 3))
    def decide(self, decision_id: str, window: int, seed: int) -> None:
        decision = make_decision(decision_id, window=float(window), seed=seed, k=3, m=2, d=2)
        stored = self.journal.decided(decision)
        self.model.decided(decision)
        assert facts(stored) == facts(self.model.decisions[decision_id])

    @rule(
        decision_id=IDS,
        slot=st.integers(0, 1),
        kind=st.sampled_from(KINDS),
        value=st.sampled_from([1.0, 2.0]),
        at=TIMES,
        feedback_id=st.none() | st.sampled_from(["e1", "e2"]),
    )
    def feed_back(
        self, decision_id: str, slot: int, kind: str, value: float, at: float, feedback_id: str | None
    ) -> None:
        event = Feedback(decision_id, slot, kind, value, at, feedback_id)
        assert self.journal.fed_back(event).status == self.model.fed_back(event)

    @precondition(lambda self: self.model.told)
    @rule(data=st.data(), kind=st.sampled_from(KINDS), value=st.sampled_from([1.0, 2.0]), at=TIMES)
    def feed_back_again(self, data: st.DataObject, kind: str, value: float, at: float) -> None:
        """On a slot that was heard of before: duplicates and changes of mind."""
        earlier = data.draw(st.sampled_from([row.event for row in self.model.told]))
        self.feed_back(earlier.decision_id, earlier.slot, kind, value, at, None)

    @rule(decision_id=IDS)
    def close(self, decision_id: str) -> None:
        if decision_id in self.model.decisions:
            assert self.journal.closed(decision_id, now=100.0) == self.model.settle(decision_id)

    @rule(now=TIMES)
    def settle(self, now: float) -> None:
        self.model.settle_due(now)
        assert sum(1 for _ in self.journal.settled(now=now)) == len(self.model.settled)

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = SqliteJournal.open(self.folder / "j.db", rewards=SPEC)

    @invariant()
    def same(self) -> None:
        replayed = [(one.decision.decision_id, one.rewards.tolist()) for _, one in self.journal.settled()]
        assert replayed == self.model.settled
        kept = {name: [one.status for one in self.journal.feedback_of(name)] for name in "abc"}
        assert kept == {
            name: [r.status for r in self.model.told if r.event.decision_id == name] for name in "abc"
        }
        counts = self.journal.counts()
        assert (counts.decisions, counts.settled) == (len(self.model.decisions), len(self.model.settled))
        assert counts.open == counts.decisions - counts.settled
        assert self.journal.integrity() == []


JournalMachine.TestCase.settings = settings(
    max_examples=45, stateful_step_count=40, deadline=None, derandomize=True
)
TestJournalMachine = JournalMachine.TestCase
