"""Policies that break one law each, and one that breaks none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.core import (
    FeatureSpaceError,
)

from .space import FLOOR, SPACE


def rows_of(batch):
    """Features, reward and weight of each row."""
    weights = np.ones(len(batch)) if batch.weights is None else batch.weights
    return zip(batch.features.astype(float), batch.rewards, weights, strict=True)


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
        for x, reward, weight in rows_of(batch):
            self.a = self.a + weight * np.outer(x, x)
            self.b = self.b + weight * x * reward

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


class ForgetsWeights(Toy):
    def update(self, batch):
        super().update(replace(batch, weights=None))


class HiddenCount(Toy):
    learned = 0

    def scores(self, candidates, rng):
        return super().scores(candidates, rng) * (1.0 + 0.01 * self.learned)

    def update(self, batch):
        super().update(batch)
        self.learned += len(batch) if batch.weights is None else int(batch.weights.sum())


class LiveState(Toy):
    def update(self, batch):
        self.check(batch)
        for x, reward, weight in rows_of(batch):
            self.a += weight * np.outer(x, x)
            self.b += weight * x * reward

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
