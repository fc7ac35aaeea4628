"""One decision's reasoning, from what is known to the dice: made once to answer, and again to explain.

Everything it uses is either in the decision's record or rebuilt by replay, so the second time gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from equipoise.core import (
    PINNED,
    Candidates,
    Experience,
    Floats,
    Places,
    Request,
    SlateDistribution,
    Slot,
    Vectors,
    generator,
)
from equipoise.encoders import Asked, Outlook, Pairing, Shown
from equipoise.learning import Statistics
from equipoise.policies import BanditPolicy, draw

Recall = Callable[[Sequence[str]], tuple[tuple[str, ...], Vectors]]
"""Item_ids to those that the catalogue has, and their cards."""


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What a decision may draw on: the policy and the statistics as learned so far, and the fitted pairing."""

    policy: BanditPolicy
    statistics: Statistics
    pairing: Pairing
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One request made ready. candidates, sources: (k,). pinned: item_ids by slot. shown, vectors: the k
    candidates and then the pinned items, in slot order; vectors (k + pinned, e) are the encoder's; places (k + pinned,)
    where they stand in the catalogue, None where it is no longer the same."""

    decision_id: str
    request: Request
    asked: Asked
    outlook: Outlook
    candidates: tuple[str, ...]
    sources: tuple[str, ...]
    shown: Shown
    vectors: Vectors
    places: Places | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What came out. candidates: with features and vectors. probabilities: (k,) of slot 0. features: (m, d) by slot."""

    candidates: Candidates
    probabilities: Floats
    slots: tuple[Slot, ...]
    features: Vectors


def deliberate(knowledge: Knowledge, question: Question, recall: Recall, *, slots: int) -> Verdict:
    """Pair, weigh, throw the dice. slots: m, pinned ones included."""
    item_ids = (*question.candidates, *pinned_items(question.request))
    experience = knowledge.statistics.experience(item_ids, question.request.user_id, question.places)
    rows = pair(
        knowledge.pairing,
        experience,
        question.shown,
        question.vectors,
        question.asked,
        question.outlook,
        recall,
    )
    k = len(question.candidates)
    candidates = Candidates(
        item_ids=question.candidates,
        features=rows[:k],
        space=knowledge.pairing.space,
        user_id=question.request.user_id,
        sources=question.sources,
        vectors=question.vectors[:k],
        places=None if question.places is None else question.places.first(k),
    )
    free = slots - len(question.request.pinned)
    if not free:
        return _verdict(question, candidates, np.zeros(k), (), rows, slots)
    rng = generator(knowledge.seed, question.decision_id)
    slate = knowledge.policy.slate(candidates, rng)
    probabilities = slate.given(())
    choice = draw(_Known(slate, probabilities), free, rng)
    drawn = tuple(zip(choice.positions.tolist(), choice.propensities.tolist(), strict=True))
    return _verdict(question, candidates, probabilities, drawn, rows, slots)


def pair(
    pairing: Pairing,
    experience: Experience,
    shown: Shown,
    vectors: Vectors,
    asked: Asked,
    outlook: Outlook,
    recall: Recall,
) -> Vectors:
    """(k, d) policy features of k items, with what the statistics know of them and of the user."""
    experience, remembered = _remembered(experience, recall)
    likeness = asked.likeness
    similarity = None if likeness is None else np.asarray(vectors @ likeness, dtype=np.float64)
    return pairing.pair(asked, outlook, shown, experience, remembered, similarity=similarity)


def pinned_items(request: Request) -> tuple[str, ...]:
    """The pinned item_ids, by slot."""
    return tuple(request.pinned[slot] for slot in sorted(request.pinned))


def _remembered(experience: Experience, recall: Recall) -> tuple[Experience, Vectors]:
    """The user's past without items that have left the catalogue."""
    known, cards = recall(experience.recent)
    if len(known) < len(experience.recent):
        here = set(known)
        keep = [position for position, item_id in enumerate(experience.recent) if item_id in here]
        experience = replace(
            experience,
            recent=known,
            residuals=experience.residuals[keep],
            recent_asked=experience.recent_asked[keep],
        )
    return experience, cards


@dataclass(frozen=True, slots=True, eq=False)
class _Known(SlateDistribution):
    """A slate's distribution whose first slot has been asked already."""

    slate: SlateDistribution
    first: Floats

    def given(self, above: Sequence[int]) -> Floats:
        return self.slate.given(above) if len(above) else self.first


def _verdict(
    question: Question,
    candidates: Candidates,
    probabilities: Floats,
    drawn: tuple[tuple[int, float], ...],
    rows: Vectors,
    slots: int,
) -> Verdict:
    """Pinned items in their slots, drawn ones in the others, top-down."""
    pins = question.request.pinned
    pinned_row = {slot: len(candidates) + j for j, slot in enumerate(sorted(pins))}
    left = iter(drawn)
    filled: list[Slot] = []
    order: list[int] = []
    for slot in range(slots):
        if slot in pins:
            filled.append(Slot(slot, pins[slot], 1.0, 1.0, PINNED))
            order.append(pinned_row[slot])
            continue
        position, propensity = next(left)
        item_id, source = candidates.item_ids[position], candidates.sources[position]
        filled.append(Slot(slot, item_id, propensity, float(probabilities[position]), source))
        order.append(position)
    return Verdict(candidates, probabilities, tuple(filled), rows[order])
