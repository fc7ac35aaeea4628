"""What another policy thinks of a slate that was already shown: its probability of each slot, and its forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from equipoise.core import PINNED, Candidates, Decision, Floats, generator
from equipoise.engine.deliberation import Knowledge, Question, Recall, pair, pinned_items
from equipoise.policies import draw


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """Of the m slots of one decision, by slot.

    target: (m,) in [0, 1], the challenger's probability of the shown item given the items above it; 1 if pinned.
    shown: (m,) its forecast reward of the shown item. expected: (m,) its forecast under its own distribution of the
    slot, given the items above it. odds: m of (k,), its distribution over the decision's candidates, given the items
    above; None where a slot was pinned.
    """

    target: Floats
    shown: Floats
    expected: Floats
    odds: tuple[Floats | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """A decision's candidates (k,), and its pinned items in slot order, as one policy sees them."""

    candidates: Candidates
    pinned: Candidates


def opinion_of(knowledge: Knowledge, paired: Paired, decision: Decision, *, itself: bool) -> Opinion:
    """What `knowledge` thinks of a decision's slots, on the decision's own candidates.

    itself: the decision was made by this very policy; see `dice_beside`.
    """
    forecasts = _forecasts(knowledge, paired.candidates)
    pinned = iter(_forecasts(knowledge, paired.pinned).tolist())
    rows: list[tuple[float, float, float]] = []
    distributions: list[Floats | None] = []
    for odds, position in _asked(knowledge, paired, decision, itself=itself):
        distributions.append(odds)
        if odds is None:
            forced = next(pinned)
            rows.append((1.0, forced, forced))
        else:
            rows.append((float(odds[position]), float(forecasts[position]), float(odds @ forecasts)))
    target, shown, expected = np.array(rows, dtype=np.float64).T
    return Opinion(target, shown, expected, tuple(distributions))


def target_of(knowledge: Knowledge, paired: Paired, decision: Decision, *, itself: bool) -> tuple[float, ...]:
    """(m,) the `target` of `opinion_of` alone, without the forecasts."""
    asked = _asked(knowledge, paired, decision, itself=itself)
    return tuple(1.0 if odds is None else float(odds[position]) for odds, position in asked)


def _asked(
    knowledge: Knowledge, paired: Paired, decision: Decision, *, itself: bool
) -> Iterator[tuple[Floats | None, int]]:
    """For each slot shown the odds (k,) given the items above it, and the position of its item; None if pinned."""
    candidates = paired.candidates
    place = {item_id: position for position, item_id in enumerate(candidates.item_ids)}
    dice = dice_beside(decision, itself=itself)
    slate = knowledge.policy.slate(candidates, dice) if len(candidates) else None
    above: list[int] = []
    for slot in decision.slots:
        if slot.source == PINNED or slate is None:
            yield None, -1
        else:
            position = place[slot.item_id]
            yield slate.given(above), position
            above.append(position)


def dice_beside(decision: Decision, *, itself: bool) -> np.random.Generator:
    """The dice of a challenger's posterior draws: the decision's own where the very same policy made it, else others.

    The decision's dice also chose what was shown. A challenger that drew its beliefs from them would know something
    of that choice, and its importance weights would no longer be a function of the past alone, as unbiasedness needs.
    """
    name = decision.decision_id if itself else f"{decision.decision_id}/beside"
    return generator(decision.versions.seed, name)


def paired(knowledge: Knowledge, question: Question, recall: Recall) -> Paired:
    """The question's items with what `knowledge` knows of them."""
    pins = pinned_items(question.request)
    item_ids = (*question.candidates, *pins)
    experience = knowledge.statistics.experience(item_ids, question.request.user_id)
    rows = pair(
        knowledge.pairing,
        experience,
        question.shown,
        question.vectors,
        question.asked,
        question.outlook,
        recall,
    )
    space, user_id, k = knowledge.pairing.space, question.request.user_id, len(question.candidates)
    return Paired(
        Candidates(question.candidates, rows[:k], space, user_id, question.sources, question.vectors[:k]),
        Candidates(pins, rows[k:], space, user_id),
    )


def _forecasts(knowledge: Knowledge, candidates: Candidates) -> Floats:
    """(k,) expected rewards."""
    if not len(candidates):
        return np.zeros(0)
    return np.asarray(knowledge.policy.posterior.believe(candidates).mean, dtype=np.float64)


def shown_beside(
    knowledge: Knowledge, paired: Paired, decision: Decision, *, itself: bool
) -> tuple[tuple[str, float], ...]:
    """What `knowledge` would have shown in the slots that were not pinned: (item_id, propensity), top down."""
    free = sum(slot.source != PINNED for slot in decision.slots)
    if not free:
        return ()
    dice = dice_beside(decision, itself=itself)
    choice = draw(knowledge.policy.slate(paired.candidates, dice), free, dice)
    names = (paired.candidates.item_ids[position] for position in choice.positions.tolist())
    return tuple(zip(names, choice.propensities.tolist(), strict=True))
