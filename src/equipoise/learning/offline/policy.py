"""A policy whose weights were learned elsewhere: softmax over linear scores, with a floor. It learns no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, Floats, InputError, State
from equipoise.learning.offline.choices import ChoiceLog, chances

REMEDY = "train it again on a log whose features come from this pairing"


class SoftmaxPolicy:
    """Satisfies `core.Policy`. weights: (d,) in `space`. floor: each of k candidates gets at least min(floor, 1 / k)."""

    def __init__(self, weights: Floats, *, space: FeatureSpace, floor: float = 0.0002) -> None:
        if weights.shape != (space.dim,) or not np.isfinite(weights).all():
            raise ConfigurationError(
                f"the weights have shape {weights.shape} but must be {space.dim} finite numbers"
            )
        if not 0.0 <= floor <= 1.0:
            raise ConfigurationError(f"floor is {floor} but must lie between 0 and 1: 0.0002 is usual")
        self._weights = np.array(weights, dtype=np.float64)
        self._space = space
        self.floor = floor

    @property
    def space(self) -> FeatureSpace:
        return self._space

    def distribution(self, candidates: Candidates, rng: np.random.Generator) -> Floats:
        """Returns: (k,). No chance enters it: rng is not used."""
        return self.slate(candidates, rng).given(())

    def slate(self, candidates: Candidates, rng: np.random.Generator) -> SoftmaxSlate:
        """Each further slot is a softmax over what is left, with the same floor."""
        self._space.require(candidates.space, who="the learned policy", remedy=REMEDY)
        if not len(candidates):
            raise InputError("there is no candidate to choose from: give one at least")
        return SoftmaxSlate(candidates.features.astype(np.float64) @ self._weights, self.floor)

    def chances(self, log: ChoiceLog) -> Floats:
        """(n,) the probability of what each choice showed, among its candidates."""
        least = np.minimum(self.floor, 1.0 / log.sizes)
        odds = chances(log, self._weights)[log.shown]
        return np.asarray(least + (1.0 - log.sizes * least) * odds)

    def update(self, batch: Batch) -> None:
        """Nothing is learned: the weights are what the log made them."""
        self._space.require(batch.space, who="the learned policy", remedy=REMEDY)

    def state(self) -> State:
        return {"weights": self._weights.copy()}

    def restore(self, state: State) -> None:
        """Raises: InputError: not the state of such a policy in this space."""
        weights = state.get("weights")
        if weights is None or weights.shape != (self._space.dim,):
            raise InputError(f"the state has no weights ({self._space.dim},): it is another policy's")
        self._weights = np.array(weights, dtype=np.float64)


class SoftmaxSlate:
    """scores: (k,)."""

    def __init__(self, scores: Floats, floor: float) -> None:
        self._scores = scores
        self._floor = floor

    def given(self, above: Sequence[int]) -> Floats:
        left = np.ones(len(self._scores), dtype=np.bool_)
        left[list(above)] = False
        count = int(left.sum())
        chances = np.zeros(len(self._scores))
        if count:
            odds = np.exp(self._scores[left] - self._scores[left].max())
            least = min(self._floor, 1.0 / count)
            chances[left] = least + (1.0 - count * least) * odds / odds.sum()
        return chances
