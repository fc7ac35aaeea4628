"""Why a past decision came out as it did: made again from the journal, first in words, then in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from equipoise.core import PINNED, Decision, Slot, Vectors, Versions, generator
from equipoise.engine.deliberation import Knowledge, Verdict, deliberate
from equipoise.engine.parts import Parts
from equipoise.engine.past import question_of, recall_at
from equipoise.learning import Learner
from equipoise.policies import BanditPolicy, Belief, floored

PARTS_SHOWN = 4
LEAST_PART = 0.0005


@dataclass(frozen=True, slots=True)
class Part:
    """What a block of features added to an item's score, compared with the mean candidate, in units of reward."""

    name: str
    amount: float


@dataclass(frozen=True, slots=True)
class SlotReason:
    """One slot explained. mean, spread: what was expected of it then; similarity: to the request, or None.

    uncertain: share of its chance, in [0, 1], that would be gone had its mean been known for certain.
    """

    slot: int
    item_id: str
    sentence: str
    propensity: float
    probability: float
    source: str
    mean: float | None
    spread: float | None
    similarity: float | None
    uncertain: float | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`reproduced` is True when slots, propensities, distribution and features came out the same, bit for bit;
    `differences` names what did not."""

    decision_id: str
    at: float
    policy: str
    summary: str
    reproduced: bool
    differences: tuple[str, ...]
    slots: tuple[SlotReason, ...]
    versions: Versions
    rewards: tuple[float, ...] | None


def explain(parts: Parts, decision_id: str) -> Explanation:
    """Make the decision again with what was known then. Raises: UnknownDecisionError."""
    decision = parts.journal.decision(decision_id)
    settled = parts.journal.logged(decision_id)
    obstacles = _obstacles(parts, decision)
    rewards = None if settled is None else tuple(settled.rewards.tolist())
    if obstacles:
        reasons = tuple(_unexplained(slot) for slot in decision.slots)
        return _explanation(decision, obstacles, reasons, rewards)
    learner = learned_up_to(parts, decision.versions.learned)
    knowledge = replace(parts.knowledge, policy=learner.policy, statistics=learner.statistics)
    vector = parts.request_vector(decision.request)
    question = question_of(decision, learner.statistics, parts.stock, vector)
    recall = recall_at(decision.versions.catalog, parts.stock)
    verdict = deliberate(knowledge, question, recall, slots=len(decision.slots))
    reasons = _reasons(knowledge, verdict, decision)
    return _explanation(decision, _differences(decision, verdict), reasons, rewards)


def learned_up_to(parts: Parts, position: int) -> Learner[BanditPolicy]:
    """What had been learned at a position of the journal: the nearest checkpoint, and replay from there."""
    learner = parts.learner_anew()
    found = None if parts.checkpoints is None else parts.checkpoints.latest(at_most=position)
    if found is not None:
        learner.restore(found[1], position=found[0])
    settled = takewhile(lambda entry: entry[0] <= position, parts.journal.settled(learner.position))
    parts.learn_from(learner, settled)
    return learner


def _obstacles(parts: Parts, decision: Decision) -> tuple[str, ...]:
    """Why the decision cannot be made again with what is open now."""
    then, now = decision.versions, parts.current_versions
    found = []
    if then.encoder != now.encoder:
        found.append(f"it was made with the encoder {then.encoder}; {now.encoder} is open")
    if then.pairing != now.pairing:
        found.append(f"it was made with the pairing {then.pairing.version}; {now.pairing.version} is open")
    if then.policy != now.policy:
        found.append(f"it was made by the policy {then.policy}; {now.policy} is open")
    if then.seed != now.seed:
        found.append(f"it was made with the seed {then.seed}; {now.seed} is set")
    return tuple(found)


def _differences(decision: Decision, verdict: Verdict) -> tuple[str, ...]:
    """What came out otherwise, down to the last bit."""
    found = []
    if verdict.slots != decision.slots:
        found.append("the slots or their propensities")
    if verdict.probabilities.tobytes() != decision.probabilities.tobytes():
        found.append("the distribution")
    if verdict.features.tobytes() != decision.features.tobytes():
        found.append("the features")
    return tuple(found)


def _reasons(knowledge: Knowledge, verdict: Verdict, decision: Decision) -> tuple[SlotReason, ...]:
    policy, candidates = knowledge.policy, verdict.candidates
    if not len(candidates):
        return tuple(_unexplained(slot) for slot in decision.slots)
    belief = policy.believe(candidates, generator(decision.versions.seed, decision.decision_id))
    place = {item_id: position for position, item_id in enumerate(candidates.item_ids)}
    above: list[int] = []
    reasons = []
    for slot in decision.slots:
        if slot.source == PINNED:
            reasons.append(_unexplained(slot))
            continue
        reasons.append(_reason(knowledge, verdict, belief, slot, place[slot.item_id], above))
        above.append(place[slot.item_id])
    return tuple(reasons)


def _reason(
    knowledge: Knowledge, verdict: Verdict, belief: Belief, slot: Slot, position: int, above: Sequence[int]
) -> SlotReason:
    available = np.ones(len(belief), dtype=np.bool_)
    available[list(above)] = False
    uncertain = _uncertain(knowledge, belief, position, available, slot.propensity)
    best = int(np.argmax(np.where(available, belief.mean, -np.inf)))
    similarity = knowledge.pairing.layout.slices["similar to request"].start
    spread = None if belief.spread is None else float(belief.spread[position])
    return SlotReason(
        slot=slot.slot,
        item_id=slot.item_id,
        sentence=_sentence(belief, position, best, uncertain, slot.propensity),
        propensity=slot.propensity,
        probability=slot.probability,
        source=slot.source,
        mean=float(belief.mean[position]),
        spread=spread,
        similarity=float(verdict.candidates.features[position, similarity]) or None,
        uncertain=uncertain,
        parts=_parts(knowledge, verdict.candidates.features, position),
    )


def _uncertain(
    knowledge: Knowledge, belief: Belief, position: int, available: NDArray[np.bool_], propensity: float
) -> float:
    """1 - (its chance had its mean been certain) / (its chance), the others' beliefs as they were."""
    samples = belief.samples
    if samples is not None:
        samples = samples.copy()
        samples[:, position] = belief.mean[position]
    spread = belief.spread
    if spread is not None:
        spread = spread.copy()
        spread[position] = 0.0
    certain = replace(belief, samples=samples, spread=spread)
    policy = knowledge.policy
    odds = floored(
        policy.explorer.distribution(certain, available), policy.floor, np.flatnonzero(~available).tolist()
    )
    return float(np.clip(1.0 - odds[position] / propensity, 0.0, 1.0))


def _sentence(belief: Belief, position: int, best: int, uncertain: float, propensity: float) -> str:
    mean = float(belief.mean[position])
    if uncertain > 0.5:
        return f"shown mostly to learn: {uncertain:.0%} of its chance came from uncertainty"
    if position == best:
        learned = f"; {uncertain:.0%} of its chance came from uncertainty" if uncertain > 0.05 else ""
        return f"shown because it promised most ({mean:.3g} expected){learned}"
    behind = float(belief.mean[best]) - mean
    if behind < 1e-9 * max(1.0, abs(mean)):
        return f"shown as one of several that promised most ({mean:.3g} expected): the dice chose"
    return (
        f"shown although another promised {behind:.2g} more: the policy gives others a chance, here {propensity:.1%}"
        if uncertain < 0.05
        else f"shown for its promise ({mean:.3g} expected, {behind:.2g} behind the best) and, "
        f"for {uncertain:.0%} of its chance, to learn"
    )


def _parts(knowledge: Knowledge, features: Vectors, position: int) -> tuple[Part, ...]:
    """The blocks that set this candidate most apart from the mean one, by the policy's mean weights."""
    weights = knowledge.policy.weights
    if weights is None:
        return ()
    apart = (features[position] - features.mean(axis=0)) * weights
    amounts = {name: float(apart[cut].sum()) for name, cut in knowledge.pairing.layout.slices.items()}
    ranked = sorted(amounts.items(), key=lambda entry: -abs(entry[1]))
    return tuple(Part(name, amount) for name, amount in ranked[:PARTS_SHOWN] if abs(amount) >= LEAST_PART)


def _unexplained(slot: Slot) -> SlotReason:
    sentence = (
        "pinned by the request: no dice were thrown" if slot.source == PINNED else "could not be made again"
    )
    return SlotReason(
        slot.slot,
        slot.item_id,
        sentence,
        slot.propensity,
        slot.probability,
        slot.source,
        None,
        None,
        None,
        None,
        (),
    )


def _explanation(
    decision: Decision,
    differences: tuple[str, ...],
    reasons: tuple[SlotReason, ...],
    rewards: tuple[float, ...] | None,
) -> Explanation:
    return Explanation(
        decision_id=decision.decision_id,
        at=decision.at,
        policy=decision.policy,
        summary=_summary(decision, reasons),
        reproduced=not differences,
        differences=differences,
        slots=reasons,
        versions=decision.versions,
        rewards=rewards,
    )


def _summary(decision: Decision, reasons: tuple[SlotReason, ...]) -> str:
    shares = [reason.uncertain for reason in reasons if reason.uncertain is not None]
    learning = sum(share > 0.5 for share in shares)
    known = decision.versions.learned
    told = "nothing had been learned yet" if not known else f"{known} decisions had been learned from"
    return (
        f"{len(decision.candidates)} candidates for {len(decision.slots)} slots, when {told}; "
        f"{learning} of {len(shares)} slots were filled mostly to learn"
    )
