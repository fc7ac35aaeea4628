"""Journals that break one law each, and one that breaks none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.core import (
    Decision,
    Feedback,
    Logged,
    Receipt,
    UnknownDecisionError,
)


class Memory:
    """A journal in dicts: clicks are worth their value, the latest by slot and kind counts."""

    def __init__(self) -> None:
        self.decisions: dict[str, Decision] = {}
        self.told: list[Feedback] = []
        self.log: dict[str, Logged] = {}

    def decided(self, decision):
        return self.decisions.setdefault(decision.decision_id, decision)

    def fed_back(self, feedback):
        return Receipt(self.received(feedback), "told")

    def received(self, feedback) -> str:
        if feedback.feedback_id and feedback.feedback_id in [told.feedback_id for told in self.told]:
            return "duplicate"
        same = [told for told in self.told if self.key(told) == self.key(feedback)]
        self.told.append(feedback)
        if feedback.decision_id in self.log:
            return "late"
        if feedback.decision_id not in self.decisions:
            return "unknown"
        return "contradictory" if same else "counted"

    @staticmethod
    def key(feedback):
        return (feedback.decision_id, feedback.slot, feedback.kind)

    def closed(self, decision_id, *, now):
        if decision_id not in self.decisions:
            raise UnknownDecisionError(f"no decision {decision_id!r}")
        if decision_id not in self.log:
            decision = self.decisions[decision_id]
            self.log[decision_id] = Logged(decision, self.rewards(decision))
        return list(self.log).index(decision_id) + 1

    def rewards(self, decision):
        rewards = np.zeros(len(decision.slots))
        for told in sorted(self.told, key=self.order):
            if told.decision_id == decision.decision_id:
                rewards[told.slot] = told.value
        return rewards

    def order(self, feedback):
        return feedback.at

    def settled(self, after=0, now=None):
        for decision in self.decisions.values():
            if now is not None and self.due(decision, now):
                self.closed(decision.decision_id, now=now)
        yield from list(enumerate(self.log.values(), start=1))[after:]

    def due(self, decision, now) -> bool:
        return decision.window_closes_at <= now

    def forget(self, user_id):
        theirs = [d for d in self.decisions.values() if d.request.user_id == user_id]
        for decision in theirs:
            blank = replace(decision, request=type(decision.request)())
            self.decisions[decision.decision_id] = blank
            if decision.decision_id in self.log:
                self.log[decision.decision_id] = self.blanked(self.log[decision.decision_id], blank)
        return len(theirs)

    def blanked(self, logged, blank):
        return Logged(blank, logged.rewards)


class ShortDecimals(Memory):
    def decided(self, decision):
        return super().decided(replace(decision, probabilities=np.round(decision.probabilities, 6)))


class LastDecisionWins(Memory):
    def decided(self, decision):
        if decision.decision_id not in self.log:
            self.decisions[decision.decision_id] = decision
        return decision


class OneSlotOff(Memory):
    def rewards(self, decision):
        rewards = super().rewards(decision)
        return rewards[[1, 0, 2]] if rewards[1] else rewards


class CountsDoubles(Memory):
    def received(self, feedback):
        status = super().received(feedback)
        return "counted" if status == "duplicate" else status


class LastToArriveWins(Memory):
    def order(self, feedback):
        return 0.0


class LosesTheUnknown(Memory):
    def received(self, feedback):
        status = super().received(feedback)
        if status == "unknown":
            self.told.pop()
        return status


class SilentAboutLate(Memory):
    def received(self, feedback):
        status = super().received(feedback)
        return "counted" if status == "late" else status


class NewPositionEachTime(Memory):
    closings = 0

    def closed(self, decision_id, *, now):
        again = decision_id in self.log
        return super().closed(decision_id, now=now) + again


class ClosesEarly(Memory):
    def due(self, decision, now):
        return decision.window_closes_at - 10 <= now


class SkipsTheFirst(Memory):
    """Reads one too few when asked for the rest."""

    def settled(self, after=0, now=None):
        yield from super().settled(after + 1 if after else 0, now)


class RewritesHistory(Memory):
    """Late feedback changes the rewards of a decision with feedback on another slot than the first."""

    def received(self, feedback):
        status = super().received(feedback)
        if status == "late" and feedback.slot:
            decision = self.decisions[feedback.decision_id]
            self.log[decision.decision_id] = Logged(decision, self.rewards(decision))
        return status


class ForgetsTheRewards(Memory):
    def blanked(self, logged, blank):
        return Logged(blank, np.zeros_like(logged.rewards))


class ClosesAnything(Memory):
    def closed(self, decision_id, *, now):
        return super().closed(decision_id, now=now) if decision_id in self.decisions else 0
