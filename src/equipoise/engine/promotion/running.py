"""A promotion under way: who decides next, what the challenger would have done, and what the outcomes say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from equipoise.core import PINNED, Decision, EquipoiseError, Floats, JournalError, number
from equipoise.engine.challenge.catalogues import Catalogues
from equipoise.engine.challenge.weighing import paired, shown_beside, target_of
from equipoise.engine.parts import Parts
from equipoise.engine.promotion.record import ADVANCED, PROMOTED, ROLLED_BACK, Promotion, plain
from equipoise.engine.promotion.sums import Sums
from equipoise.evaluation.gate import SHADOW, Rules, Stage, Step, Terms, shadow_terms
from equipoise.journal import Beside, Outcome, SqliteJournal, Trial

COIN = float(2**128)


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Who makes a decision. parts: of the one that does. stage: event_seq of the step that it is made under."""

    parts: Parts
    stage: int
    challenger: bool
    running: Running

    def trial(self, decision: Decision) -> Trial:
        """The decision's part in the promotion; in the shadow with what the challenger would have done."""
        return self.running.trial(self, decision)


class Running:
    """The engine's side of a gate. Called under the engine's lock, but for `turn`.

    Nothing here is a memory of its own: events, trials and rewards are in the journal, and a process that starts
    anew goes on from the sums that were kept last, or reads the current stage's outcomes again, and stands where it
    stood.
    """

    def __init__(self, promotion: Promotion, *, incumbent: Parts, challenger: Parts) -> None:
        self.incumbent = incumbent
        self.challenger = challenger
        self._catalogues = Catalogues(challenger.stock)
        self._sums = Sums(incumbent.settings)
        self._open(promotion)

    def turn(self, decision_id: str) -> Turn:
        """Who decides: a coin that depends on (configured seed, decision_id) alone says so.

        A slot's logged propensity is its probability given this coin, under the policy that the coin chose.
        """
        opened, share = self._now
        chosen = coin(self.incumbent.settings.seed, decision_id) < share
        parts = self.challenger if chosen else self.incumbent
        return Turn(parts, opened, chosen, self)

    def trial(self, turn: Turn, decision: Decision) -> Trial:
        """See `Turn.trial`."""
        if turn.stage != self.promotion.opened[SHADOW].event_seq:
            return Trial(turn.stage, turn.challenger)
        return Trial(turn.stage, challenger=False, beside=self._beside(decision))

    def follow(self, *, at: float) -> str:
        """Learn from what has settled and let the gate look at it. Returns: the state that the promotion is in.

        at: when, for the events that come of it.
        """
        side = self.challenger
        side.teach(side.learner)
        if side.learner.position - side.saved >= side.settings.journal.checkpoint_every:
            side.checkpoint()
        while self.promotion.state == "running":
            step = self._looked(side.journal)
            if step is None:
                break
            self._step(step, at=at)
        if self.promotion.state == "running":
            self._sums.keep(self.promotion, self.stage, self._after)
            side.unsaved = side.unsaved or self._sums.trouble
        return self.promotion.state

    def keep(self) -> None:
        """Save what the challenger has learned, and the sums of the stage."""
        self.challenger.checkpoint()
        self._sums.keep(self.promotion, self.stage, self._after, now=True)

    def relearn(self) -> None:
        """Rebuild what the challenger learned, and the stage's sums, from the journal as it now is."""
        self._sums.drop()
        self.challenger.relearn()
        self._open(self.promotion)

    def summed_again(self) -> bool:
        """Whether the outcomes in the journal, read from the stage's first on, give the sums that it stands at."""
        fresh = self.promotion.stage(self.stage.stage)
        slots = int(self.promotion.started["shadow_slots"])
        for page in self.challenger.journal.outcomes(self.opened):
            upto = [outcome for outcome in page if outcome.seq <= self._after]
            if upto:
                observed(fresh, upto, slots=slots)
        mine, theirs = self.stage.state(), fresh.state()
        return all(np.array_equal(mine[name], theirs[name]) for name in mine)

    def _step(self, step: Step, *, at: float) -> None:
        """Write the step down and take it; where it cannot be written, the stage begins anew, as after a restart."""
        try:
            event = self.challenger.journal.note(self._kind(step), at=at, detail=plain(step))
        except EquipoiseError:
            self._open(self.promotion)
            raise
        self._open(Promotion((*self.promotion.events, event)))
        with suppress(
            JournalError
        ):  # those of the stage that ended have another name, and take up room at most
            self._sums.drop()

    def _open(self, promotion: Promotion) -> None:
        """Begin, or resume, the stage that the latest event opened."""
        self.promotion = promotion
        self.opened = promotion.opened[-1].event_seq
        last_seq = self.challenger.journal.counts().decisions
        self.stage, self._after = self._sums.resumed(promotion, last_seq=last_seq)
        self._now = self.opened, self.stage.share  # one assignment, since `turn` holds no lock

    def _looked(self, journal: SqliteJournal) -> Step | None:
        """Show the stage what has settled since."""
        slots = int(self.promotion.started["shadow_slots"])
        for page in journal.outcomes(self.opened, self._after):
            self._after = page[-1].seq
            step = observed(self.stage, page, slots=slots)
            if step is not None:
                return step
        return None

    def _kind(self, step: Step) -> str:
        if step.verdict == "roll_back":
            return ROLLED_BACK
        return ADVANCED if step.stage + 1 < self.stage.rules.stages else PROMOTED

    def _beside(self, decision: Decision) -> Beside:
        side = self.challenger
        versions = side.current_versions
        vector = side.request_vector(decision.request)
        question = self._catalogues.question_of(decision, side.learner.statistics, vector)
        recall = self._catalogues.at(decision.versions.catalog).recall
        itself = decision.versions.policy == versions.policy
        seen = paired(side.knowledge, question, recall)
        slots = _filled(decision, shown_beside(side.knowledge, seen, decision, itself=itself))
        return Beside(
            policy=versions.policy,
            learned=versions.learned,
            target=target_of(side.knowledge, seen, decision, itself=itself),
            item_ids=tuple(item_id for item_id, _ in slots),
            propensities=tuple(propensity for _, propensity in slots),
        )


def coin(seed: int, decision_id: str) -> float:
    """In [0, 1), from the decision's own seed; the decision's dice and the search's are others."""
    return number(seed, f"{decision_id}/promotion") / COIN


def observed(stage: Stage, page: Sequence[Outcome], *, slots: int) -> Step | None:
    """Show a stage some settled decisions, in order. slots: how many top slots a shadow compares."""
    if stage.stage == SHADOW:
        return stage.observe(_shadow_terms(stage.rules, page, slots))
    challenger = np.array([outcome.challenger for outcome in page], dtype=np.bool_)
    return stage.assigned(_earned(page), challenger)


def _earned(page: Sequence[Outcome]) -> Floats:
    """(n,) mean reward of each decision's slots."""
    return np.array([sum(outcome.rewards) / len(outcome.rewards) for outcome in page])


def _shadow_terms(rules: Rules, page: Sequence[Outcome], slots: int) -> Terms:
    """Of the top slots in which there was anything to choose; where there were none, no difference at all."""
    below, above = np.zeros(len(page)), np.zeros(len(page))
    compared = [_compared(outcome, slots) for outcome in page]
    for h in sorted({len(rewards) for rewards, _ in compared} - {0}):
        rows = [row for row, (rewards, _) in enumerate(compared) if len(rewards) == h]
        rewards, weights = (np.array([compared[row][part] for row in rows]) for part in (0, 1))
        terms = shadow_terms(rules, rewards, weights)
        below[rows], above[rows] = terms.below, terms.above
    return Terms(below, above, _earned(page))


def _compared(outcome: Outcome, slots: int) -> tuple[list[float], list[float]]:
    """Rewards and importance weights, of at most so many slots from the top, without pinned and forced ones."""
    assert (
        outcome.target is not None
    )  # a shadow's trials are written with what the challenger would have done
    rewards, weights, product = [], [], 1.0
    for reward, propensity, target in zip(outcome.rewards, outcome.propensities, outcome.target, strict=True):
        if propensity < 1.0 or target < 1.0:
            product *= target / propensity
            rewards.append(reward)
            weights.append(product)
    return rewards[:slots], weights[:slots]


def _filled(decision: Decision, drawn: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Item and propensity of each slot: pinned ones as they were, the others as drawn."""
    left = iter(drawn)
    return [(slot.item_id, 1.0) if slot.source == PINNED else next(left) for slot in decision.slots]
