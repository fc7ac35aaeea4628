"""A log of another system into the journal, so that the policy starts with what it knows.

Every foreign decision is journaled and settled like one of our own, in the order of its times, under the policy name
`imported` and with `imported` as the source of its slots. So statistics and posterior learn from it, replay gives
the same state bit for bit, and a log imported twice is learned once.

Where the log has propensities, a row counts by how rarely it was shown (`imported.even_weights`): what the other system
knew of its users when it chose, and our features do not say, then misleads nothing. Where it has none, estimates stand
in for evaluation, the source says `imported, estimated`, and rows count alike unless asked otherwise: an estimate knows
no more than the features do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from equipoise.core import (
    ConfigurationError,
    Decision,
    Feedback,
    InputError,
    Request,
    Slot,
    UnknownDecisionError,
    Vectors,
    fingerprint,
)
from equipoise.engine.deliberation import pair
from equipoise.engine.engine import Engine
from equipoise.engine.loading import rejects_path
from equipoise.engine.offline.foreign import Foreign, ForeignLog, Weighting
from equipoise.engine.offline.imported import ESTIMATED, IMPORTED, ROBUST
from equipoise.engine.offline.log_prior import LogPriors
from equipoise.engine.offline.robust_start import learn_log, require_possible
from equipoise.engine.parts import Parts
from equipoise.engine.questions import asked_of
from equipoise.evaluation.logs import Log, LogColumns, Reading, read_log
from equipoise.journal import RewardSpec

FIRST_BATCH, LARGEST_BATCH = 16, 512
"""Decisions between two looks at what was learned: few at first, when every row teaches much."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class WarmStarted:
    """What came of it.

    decisions, slots: taken in now. again: decisions that had been taken in before. left_out: rows set aside;
    notes: what for, and what was assumed. rejects: the file that keeps them with their lines, if any.
    rows, n_effective: usable rows of the log, and how many equally weighted ones they are worth. weighting: as chosen.
    estimated: whether propensities had to be. calibration: of the estimates, None where they are the log's own.
    propensities, weights: where they come from, and how rows count, in a sentence each. mean_reward: of the slots
    taken in. learned: the journal's position after it.
    """

    decisions: int
    slots: int
    again: int
    left_out: int
    notes: tuple[str, ...]
    rejects: str | None
    rows: int
    n_effective: float
    weighting: Weighting
    estimated: bool
    calibration: str | None
    propensities: str
    weights: str
    mean_reward: float
    learned: int


def warm_start(
    engine: Engine,
    path: Path | str,
    columns: LogColumns | None = None,
    *,
    form: str | None = None,
    kind: str | None = None,
    weighting: Weighting | None = None,
    progress: Progress | None = None,
) -> WarmStarted:
    """Take in a log. columns: which of its columns is what; item_id and reward are needed.

    form: the `format` of `Reading`; None takes it from the file's name. kind: the kind of feedback that rewards are
        journaled as; None takes the first plain one of [reward] that is worth something. weighting:
        `ips`, `dr` or `none`; None is `ips` where the log has propensities. With `dr` the policy begins with what the
        whole log says, doubly robust, see `log_prior`. progress: called with (done, total).
    Rows that cannot be used, those of unknown items among them, are set aside and counted.
    Raises: InputError: nothing usable, or a reward outside [reward] low to high; ConfigurationError: no item_id
        column, or no such kind. Then nothing was taken in.
    """
    parts, path = engine.parts, Path(path)
    rejects = rejects_path(parts.settings, path)
    log = _read(engine, path, columns, form, rejects)
    kind = _kind(parts.journal.rewards, kind)
    _check_rewards(log, parts.journal.rewards)
    foreign = ForeignLog.of(log, weighting)
    if foreign.weighting == "dr":
        require_possible(engine)
    before = parts.learner.statistics.state()
    intake = _Intake(engine, kind, _source(foreign), fingerprint(log.name))
    intake.take(foreign, progress)
    if foreign.weighting == "dr" and (intake.decisions or not _fitted(engine, log)):
        learn_log(engine, foreign, before, progress)
    return WarmStarted(
        decisions=intake.decisions,
        slots=intake.slots,
        again=intake.again,
        left_out=log.left_out,
        notes=log.notes,
        rejects=str(rejects) if rejects is not None and log.left_out else None,
        rows=len(log),
        n_effective=foreign.n_effective,
        weighting=foreign.weighting,
        estimated=foreign.estimated is not None,
        calibration=None if foreign.estimated is None else foreign.estimated.calibration,
        propensities=foreign.whence,
        weights=foreign.counting,
        mean_reward=intake.earned / intake.slots if intake.slots else 0.0,
        learned=parts.learner.position,
    )


def _source(foreign: ForeignLog) -> str:
    """Of its slots."""
    source = IMPORTED if foreign.estimated is None else ESTIMATED
    return source + ROBUST if foreign.weighting == "dr" else source


def _fitted(engine: Engine, log: Log) -> bool:
    """Whether the policy has begun with this log before."""
    return LogPriors(engine.parts.settings).has(log.name, engine.parts.stock.pairing.space)


class _Intake:
    """Brings foreign decisions in, batch by batch, and lets the engine learn in between."""

    def __init__(self, engine: Engine, kind: str, source: str, log: str) -> None:
        self.engine, self.kind, self.source, self.log = engine, kind, source, log
        self.decisions = self.slots = self.again = 0
        self.earned = 0.0
        self._now = time.time()

    def take(self, foreign: ForeignLog, progress: Progress | None) -> None:
        left, size, done = iter(foreign), FIRST_BATCH, 0
        while batch := list(islice(left, size)):
            self._batch([one for one in batch if not self._known(one)])
            size, done = min(2 * size, LARGEST_BATCH), done + len(batch)
            if progress is not None:
                progress(done, len(foreign))

    def _known(self, foreign: Foreign) -> bool:
        try:
            self.engine.parts.journal.decision(self._name(foreign))
        except UnknownDecisionError:
            return False
        self.again += 1
        return True

    def _batch(self, batch: Sequence[Foreign]) -> None:
        """Rewards are told first: a process killed between leaves no decision that would settle without them."""
        parts = self.engine.parts
        decisions = [self._decision(one) for one in batch]
        for decision, one in zip(decisions, batch, strict=True):
            for feedback in self._feedback(decision, one):
                parts.journal.fed_back(feedback)
        for stored in parts.journal.decided_many(decisions):
            parts.seen.shown(stored)
        self.engine.learn()
        self.decisions += len(batch)
        self.slots += sum(len(one.item_ids) for one in batch)
        self.earned += sum(sum(one.rewards) for one in batch)

    def _name(self, foreign: Foreign) -> str:
        """The same for the same decision of the same file, whatever stands around it."""
        return f"{IMPORTED}-{self.log}-{foreign.key}"

    def _decision(self, foreign: Foreign) -> Decision:
        parts, at = self.engine.parts, self._at(foreign)
        request = Request(user_id=foreign.user_id, attributes=foreign.attributes)
        drawn = dict(zip(foreign.item_ids, foreign.propensities, strict=True))
        slots = zip(foreign.item_ids, foreign.propensities, foreign.weights, strict=True)
        return Decision(
            decision_id=self._name(foreign),
            at=at,
            request=request,
            versions=replace(parts.current_versions, policy=f"{IMPORTED}#{self.log}"),
            candidates=tuple(drawn),
            sources=(self.source,) * len(drawn),
            probabilities=np.array(list(drawn.values())),
            slots=tuple(
                Slot(j, item_id, p, p * weight, self.source) for j, (item_id, p, weight) in enumerate(slots)
            ),
            features=_features(parts, request, foreign.item_ids, at=at),
            window_closes_at=at,
        )

    def _feedback(self, decision: Decision, foreign: Foreign) -> Iterator[Feedback]:
        weight = _weights(self.engine.parts.journal.rewards)[self.kind]
        for slot, reward in enumerate(foreign.rewards):
            if reward != 0.0:
                yield Feedback(
                    decision.decision_id,
                    slot=slot,
                    kind=self.kind,
                    value=reward / weight,
                    at=decision.at,
                    feedback_id=f"{decision.decision_id}-{slot}",
                )

    def _at(self, foreign: Foreign) -> float:
        """Never in the future, or it would wait for its window; now where the log has no time."""
        return self._now if foreign.at is None else min(foreign.at, self._now)


def _read(
    engine: Engine, path: Path, columns: LogColumns | None, form: str | None, rejects: Path | None
) -> Log:
    """The rows that can be used, in the order of their times."""
    if columns is not None and columns.item_id is None:
        raise ConfigurationError(
            'the columns name no item_id: write item_id = "the column with what was shown"'
        )
    how = Reading(
        format=form,
        skip_bad_rows=True,
        rejects=rejects,
        items=frozenset(engine.item_ids),
        sort=True,
        users=True,
    )
    return read_log(path, columns, how=how)


def _features(parts: Parts, request: Request, item_ids: Sequence[str], *, at: float) -> Vectors:
    """(m, d) of what was shown, by what is known at this place of the journal."""
    shelf = parts.stock.shelf
    asked = asked_of(request, parts, shelf, at=at)
    liked = shelf.cards[parts.liked(request.user_id, shelf)]
    rows = shelf.rows(item_ids)
    return pair(
        parts.stock.pairing,
        parts.learner.statistics.experience(item_ids, request.user_id),
        shelf.take(rows),
        shelf.vectors(rows),
        asked,
        parts.stock.pairing.outlook(asked, liked),
        parts.recall(shelf),
    )


def _weights(rewards: RewardSpec) -> dict[str, float]:
    """What one of each kind is worth, of the plain kinds that are worth something."""
    return {term.kind: term.weight for term in rewards.terms if term.full is None and term.weight > 0.0}


def _kind(rewards: RewardSpec, kind: str | None) -> str:
    """Raises: ConfigurationError: no such kind, or none that could carry a reward."""
    known = _weights(rewards)
    if kind in known:
        return kind
    if kind is None and known:
        return next(iter(known))
    raise ConfigurationError(
        f"rewards cannot be journaled as {'any kind' if kind is None else repr(kind)}: expected a plain kind of "
        f"[reward] with a weight above 0, of which there are {', '.join(known) or 'none'}"
    )


def _check_rewards(log: Log, rewards: RewardSpec) -> None:
    """Raises: InputError: a reward that [reward] would clip, and so learn something else."""
    wrong = np.flatnonzero((log.rewards < rewards.low) | (log.rewards > rewards.high))
    if wrong.size:
        raise InputError(
            f"{wrong.size:,} rewards of '{log.name}' lie outside [reward] {rewards.low:g} to {rewards.high:g}, such as "
            f"{log.rewards[wrong[0]]:g}: set low and high under [reward] to the log's, or scale its column"
        )
