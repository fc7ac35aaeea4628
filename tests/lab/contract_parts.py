"""Small parts that keep every law, and ways to break just one, for the tests of the contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from equipoise.core import (
    Candidates,
    Decision,
    Estimate,
    FeatureSpace,
    FeatureSpaceError,
    Feedback,
    InputError,
    Logged,
    PropensityError,
    Receipt,
    UnknownDecisionError,
)

SPACE = FeatureSpace("toy", "1", 5)
FLOOR = 0.005


# ----------------------------------------------------------------------------------------------- encoders


class Letters:
    """Counts of letters, by their number modulo 5, at unit length."""

    space = SPACE

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 5), np.float32)
        for row, text in enumerate(texts):
            rows[row] = self.one(text)
        return rows

    def one(self, text: str) -> np.ndarray:
        counts = np.bincount([ord(letter) % 5 for letter in text], minlength=5).astype(np.float64)
        return (counts / np.linalg.norm(counts)).astype(np.float32)


class DoubleNumbers(Letters):
    def encode(self, texts):
        return super().encode(texts).astype(np.float64 if texts else np.float32)


class NothingForNothing(Letters):
    def encode(self, texts):
        return super().encode(texts) if texts else np.zeros(0, np.float32)


class NoNumber(Letters):
    def one(self, text):
        return super().one(text) if len(text) < 1000 else np.full(5, np.nan, np.float32)


class AnyLength(Letters):
    def one(self, text):
        return super().one(text) * np.float32(1.001)


class PaddedPooling(Letters):
    """Turns each row a little, by how long the longest text of the batch is."""

    def encode(self, texts):
        rows = super().encode(texts)
        if texts:
            rows[:, 0] += 1e-9 * max(map(len, texts)) ** 2
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


# --------------------------------------------------------------------------------------------- retrievers


class Shelf:
    """A dict that is sorted for every search."""

    space = SPACE

    def __init__(self) -> None:
        self.held: dict[str, np.ndarray] = {}

    def put(self, item_ids, vectors):
        vectors = np.asarray(vectors, np.float32)
        if vectors.shape != (len(item_ids), 5) or not np.isfinite(vectors).all():
            raise InputError("not (n, 5) finite numbers")
        self.held.update(zip(item_ids, vectors.copy(), strict=True))

    def drop(self, item_ids):
        for item_id in item_ids:
            self.held.pop(item_id, None)

    def search(self, query, k):
        if k < 1 or query.shape != (5,) or not np.isfinite(query).all():
            raise InputError("not 5 finite numbers, or k below 1")
        return self.answer(self.ranked(query), k)

    def ranked(self, query) -> list[tuple[str, float]]:
        scores = {item_id: np.float32(vector @ query) for item_id, vector in self.held.items()}
        return sorted(scores.items(), key=lambda pair: -pair[1])

    def answer(self, ranked, k):
        names = tuple(item_id for item_id, _ in ranked[:k])
        scores = np.array([score for _, score in ranked[:k]], np.float32).reshape(-1, 1)
        return Candidates(names, scores, self.space)


class Ghost(Shelf):
    def answer(self, ranked, k):
        return super().answer(ranked or [("ghost", 0.0)], k)


class OneShort(Shelf):
    def answer(self, ranked, k):
        return super().answer(ranked[:-1] if k > len(ranked) else ranked, k)


class Twice(Shelf):
    def answer(self, ranked, k):
        return super().answer([*ranked[:-1], ranked[0]] if ranked and k == len(ranked) else ranked, k)


class OtherScores(Shelf):
    def answer(self, ranked, k):
        found = super().answer(ranked, k)
        return replace(found, features=1 - found.features)


class FirstVectorStays(Shelf):
    def put(self, item_ids, vectors):
        before = dict(self.held)
        super().put(item_ids, vectors)
        self.held.update(before)


class Undead(Shelf):
    def drop(self, item_ids):
        super().drop(item_ids if len(item_ids) > 20 else item_ids[1:])


class StrictDrop(Shelf):
    def drop(self, item_ids):
        for item_id in item_ids:
            del self.held[item_id]


class Remembers(Shelf):
    def __init__(self):
        super().__init__()
        self.asked: list[bytes] = []

    def ranked(self, query):
        self.asked.append(query.tobytes())
        ranked = super().ranked(query)
        again = self.asked[-1] in self.asked[:-2] and self.asked[-2] != self.asked[-1]
        return ranked[1:] if again else ranked


class MissesTheBest(Shelf):
    def answer(self, ranked, k):
        best_is_a_unit_vector = ranked and ranked[0][1] < 1.5
        return super().answer(ranked[1:] if best_is_a_unit_vector and k == 20 else ranked, k)


class AnyQuery(Shelf):
    def search(self, query, k):
        return super().search(np.nan_to_num(query), k)


# ----------------------------------------------------------------------------------------------- policies


class Toy:
    """Ridge regression, one posterior draw, softmax, and a floor; its noise is drawn in feature space."""

    space = SPACE
    floor = FLOOR

    def __init__(self) -> None:
        self.a, self.b = np.eye(5), np.zeros(5)

    def weights(self, rng) -> np.ndarray:
        draw = np.linalg.solve(np.linalg.cholesky(self.a).T, rng.standard_normal(5))
        return np.linalg.solve(self.a, self.b) + draw

    def scores(self, candidates, rng) -> np.ndarray:
        return 6.0 * candidates.features @ self.weights(rng)

    def distribution(self, candidates, rng):
        return self.slate(candidates, rng).given(())

    def slate(self, candidates, rng):
        self.check(candidates)
        return ToySlate(self.scores(candidates, rng), self.floor, self)

    def finished(self, odds, above) -> np.ndarray:
        return odds

    def check(self, rows):
        if rows.space != self.space:
            raise FeatureSpaceError("another space")

    def update(self, batch):
        self.check(batch)
        for x, reward in zip(batch.features.astype(float), batch.rewards, strict=True):
            self.a = self.a + np.outer(x, x)
            self.b = self.b + x * reward

    def state(self):
        return {"a": self.a.copy(), "b": self.b.copy()}

    def restore(self, state):
        self.a, self.b = state["a"].copy(), state["b"].copy()


class ToySlate:
    def __init__(self, scores, floor, policy) -> None:
        self.scores, self.floor, self.policy = scores, floor, policy

    def given(self, above):
        left = np.ones(len(self.scores), bool)
        left[list(above)] = False
        odds = np.where(left, np.exp(self.scores - self.scores[left].max()), 0.0)
        k = left.sum()
        least = min(self.floor, 1.0 / k)
        odds = np.where(left, least + (1.0 - k * least) * odds / odds.sum(), 0.0)
        return self.policy.finished(odds, above)


class AColumn(Toy):
    def finished(self, odds, above):
        return odds.reshape(-1, 1) if len(odds) == 2 else odds


class NearlyOne(Toy):
    def finished(self, odds, above):
        return odds * (1 + 1e-8) if len(odds) == 3 else odds


class NoFloor(Toy):
    floor = 0.0


class NeedsRows(Toy):
    def finished(self, odds, above):
        return odds if self.b.any() else odds * np.nan


class LooksBack(Toy):
    """Answers a question that comes again by what it last said to another."""

    def __init__(self):
        super().__init__()
        self.asked, self.last = set(), None

    def weights(self, rng):
        weights = super().weights(rng)
        key = weights.tobytes()
        if key in self.asked and key != self.last.tobytes():
            weights = self.last
        self.asked.add(key)
        self.last = weights
        return weights


class FirstIsBest(Toy):
    def scores(self, candidates, rng):
        scores = super().scores(candidates, rng)
        scores[0] += 1.0
        return scores


class CountsWhatItShows(Toy):
    asked = 0

    def finished(self, odds, above):
        self.asked += 1
        return odds

    def state(self):
        return {**super().state(), "asked": np.array(self.asked)}

    def restore(self, state):
        super().restore(state)
        self.asked = int(state["asked"])


class ForgetsByBatch(Toy):
    def update(self, batch):
        self.check(batch)
        self.a = 0.99 * self.a
        super().update(batch)


class HiddenCount(Toy):
    learned = 0

    def scores(self, candidates, rng):
        return super().scores(candidates, rng) * (1.0 + 0.01 * self.learned)

    def update(self, batch):
        super().update(batch)
        self.learned += len(batch)


class LiveState(Toy):
    def update(self, batch):
        self.check(batch)
        for x, reward in zip(batch.features.astype(float), batch.rewards, strict=True):
            self.a += np.outer(x, x)
            self.b += x * reward

    def state(self):
        return {"a": self.a, "b": self.b}


class BorrowsState(Toy):
    def restore(self, state):
        self.a, self.b = state["a"], state["b"]


class AnySpace(Toy):
    def check(self, rows):
        if rows.space.dim != self.space.dim:
            raise FeatureSpaceError("another d")


class OtherFirstSlot(Toy):
    def distribution(self, candidates, rng):
        return 0.99 * super().distribution(candidates, rng) + 0.01 / len(candidates)


class LeaksUpwards(Toy):
    def finished(self, odds, above):
        if len(above) < 6:
            return odds
        odds = odds * (1 - 1e-6)
        odds[above[0]] = 1e-6
        return odds


# ----------------------------------------------------------------------------------------------- journals


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


# --------------------------------------------------------------------------------------------- estimators


class Ips:
    """Inverse propensity scoring (Horvitz and Thompson 1952)."""

    def estimate(self, rewards, propensities, target, baseline=None):
        if not len(rewards) == len(propensities) == len(target):
            raise InputError("lengths differ")
        self.check(propensities)
        terms = self.weights(propensities, target) * rewards
        return self.reported(terms, target / propensities)

    def check(self, propensities):
        if not np.all(propensities > 0):
            raise PropensityError("a propensity of 0 or less")

    def weights(self, propensities, target):
        return target / propensities

    def reported(self, terms, weights):
        n, value = len(terms), float(terms.mean())
        stderr = float(terms.std(ddof=1) / np.sqrt(n))
        worth = float(weights.sum() ** 2 / (weights**2).sum())
        return Estimate(value, stderr, value - 2 * stderr, value + 2 * stderr, n, worth)


class CountsWrongly(Ips):
    def reported(self, terms, weights):
        found = super().reported(terms, weights)
        return (
            replace(found, value=found.value * len(terms) / (len(terms) - 1)) if weights.std() == 0 else found
        )


class Clips(Ips):
    def weights(self, propensities, target):
        return np.minimum(super().weights(propensities, target), 2.0)


class Upside(Ips):
    def reported(self, terms, weights):
        found = super().reported(terms, weights)
        return replace(found, low=found.high + 1.0)


class AnyPropensity(Ips):
    def check(self, propensities):
        pass

    def weights(self, propensities, target):
        return target / np.maximum(np.nan_to_num(propensities, nan=1.0), 1e-3)

    def reported(self, terms, weights):
        return super().reported(terms, np.where(np.isfinite(weights), weights, 1.0))
