"""A challenger judged on the engine's own journal: what it would have done, knowing only what was known then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core import Decision, Floats, Logged
from equipoise.engine.challenge.beside import beside
from equipoise.engine.challenge.catalogues import Catalogues
from equipoise.engine.challenge.weighing import Opinion, opinion_of, paired
from equipoise.engine.offline.imported import IMPORTED
from equipoise.engine.parts import Parts, Progress
from equipoise.engine.settings import Settings

if TYPE_CHECKING:
    from equipoise.engine.engine import Engine


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One settled decision as the challenger saw it. position: in the journal, from 1.

    logged: the decision, with the incumbent's propensities in its slots, and its rewards (m,).
    target: (m,) the challenger's probability of each slot's item given the items above it, over the decision's own
    candidates; 1 in pinned slots. shown, expected: (m,) the challenger's forecast reward of the slot's item, and of
    its own distribution of the slot. odds: m of (k,), those distributions, see `Opinion`.
    """

    position: int
    logged: Logged
    target: Floats
    shown: Floats
    expected: Floats
    odds: tuple[Floats | None, ...] = ()


def judged(engine: Engine, challenger: Settings, *, progress: Progress | None = None) -> Iterator[Judged]:
    """Every settled decision of our own, in order of settlement, with the probabilities a challenger gives its slots.

    The challenger learns from the log as it goes: before it judges a decision it has learned exactly what the
    incumbent had then (`versions.learned`), and never the decision's own reward or dice. Its weights target /
    propensity are therefore functions of the past, and an inverse-propensity sum of (weight x reward - value) is a
    martingale: unbiased although both policies were learning. Forecasts are functions of the past likewise.

    Two things limit what the answer means. The challenger is confined to the candidates that were found for the
    incumbent; what its own search would have found is not in the log. And it learns from what the incumbent showed,
    not from what it would have shown itself.

    Imported decisions are learned from but not judged: their records list as candidates what was shown and no more, so
    any policy would seem to have shown the same.

    A challenger of the incumbent's own settings gives back the logged propensities, bit for bit.
    challenger: as `challenger_settings` reads them. progress: called with (done, total).
    Raises: ConfigurationError, EncoderError, FeatureSpaceError: the challenger cannot be built.
    """
    side = beside(engine.parts, challenger)
    journal, catalogues = side.journal, Catalogues(side.stock)
    learned = journal.learned()
    total = len(learned)
    # Decisions may settle in another order than they were made: each waits here until its place has come.
    order, turn = np.argsort(learned, kind="stable") + 1, 0
    ready: dict[int, Opinion] = {}
    for position, logged in journal.settled():
        if position > total:
            return
        while turn < total and learned[order[turn] - 1] < position:
            ahead = int(order[turn])
            past = logged if ahead == position else journal.at_position(ahead)
            if past.decision.policy != IMPORTED:
                ready[ahead] = _opinion(side, catalogues, past.decision)
            turn += 1
        opinion = ready.pop(position, None)
        if opinion is not None:
            yield Judged(position, logged, opinion.target, opinion.shown, opinion.expected, opinion.odds)
        side.learn_from(side.learner, [(position, logged)])
        if progress is not None:
            progress(position, total)


def _opinion(side: Parts, catalogues: Catalogues, decision: Decision) -> Opinion:
    """What the challenger, as it has learned so far, thinks of a past decision."""
    vector = side.request_vector(decision.request)
    question = catalogues.question_of(decision, side.learner.statistics, vector)
    recall = catalogues.at(decision.versions.catalog).recall
    itself = decision.versions.policy == side.current_versions.policy
    return opinion_of(side.knowledge, paired(side.knowledge, question, recall), decision, itself=itself)
