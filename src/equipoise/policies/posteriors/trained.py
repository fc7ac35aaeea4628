"""A policy whose weights were learned elsewhere, from a log: a softmax over linear scores that learns no more.

    pi_i = exp(x_i's) / sum_j exp(x_j's),    forecast reward of i  =  x_i'r

The scores s say what to show, the rewards r what it will earn: the policy was trained to earn much, not to forecast, so
that its scores are no rewards, and evaluation leans on r. Both belong to one feature space; weights may be given for
several, and those of the space at hand are taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import (
    Batch,
    Candidates,
    ConfigurationError,
    FeatureSpace,
    FeatureSpaceError,
    Floats,
    InputError,
    State,
    Vectors,
)
from equipoise.policies.base import Belief, dice
from equipoise.policies.explorers.base import Stateless
from equipoise.policies.stored import stored

TRAINED = "trained"
PARTS = ("scores", "rewards")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ScoredBelief(Belief):
    """A belief that also says what to show. scores: (k,), a candidate's log odds but for a constant."""

    scores: Floats


class TrainedPosterior:
    """Weights of one feature space, known for certain. weights: space, as text, to the (d,) `scores` and `rewards`.

    Raises: ConfigurationError: they are not such numbers. FeatureSpaceError: none are of this space.
    """

    def __init__(self, space: FeatureSpace, weights: object) -> None:
        self._space = space
        self._scores, self._rewards = (_numbers(part, weights, space) for part in PARTS)

    @property
    def space(self) -> FeatureSpace:
        return self._space

    @property
    def weights(self) -> Floats:
        """Returns: (d,) the scores' weights: along them lies what the policy would show."""
        return self._scores.copy()

    def draw_weights(self, standard: Vectors) -> Floats:
        """Returns: (d,) the same: nothing about them is uncertain."""
        return self.weights

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> ScoredBelief:
        """All draws are the mean itself, and the spread is 0."""
        features = candidates.features.astype(np.float64)
        mean = features @ self._rewards
        if draws:
            dice(rng)
        return ScoredBelief(
            item_ids=candidates.item_ids,
            mean=mean,
            spread=np.zeros(len(mean)) if spread else None,
            samples=np.tile(mean.astype(np.float32), (draws, 1)) if draws else None,
            rows=0,
            scores=features @ self._scores,
        )

    def check(self, batch: Batch) -> None:
        """Nothing is learned, so any row will do."""

    def update(self, batch: Batch) -> None:
        """Nothing is learned, whatever rows weigh: the weights are what the log made them."""

    def state(self) -> State:
        return {"scores": self._scores.copy(), "rewards": self._rewards.copy()}

    def restore(self, state: State) -> None:
        d = (self._space.dim,)
        scores, rewards = stored(state, "scores", d), stored(state, "rewards", d)
        self._scores, self._rewards = scores, rewards


class Scored(Stateless):
    """Softmax of a belief's scores."""

    name: ClassVar[str] = TRAINED

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        """Raises: InputError: a belief of another posterior, which has no scores."""
        if not isinstance(belief, ScoredBelief):
            raise InputError(
                f"policy '{TRAINED}' goes by the scores of its own weights, but got a belief without"
            )
        scores = belief.scores if available is None else np.where(available, belief.scores, -np.inf)
        odds = np.exp(scores - scores.max())
        return np.asarray(odds / odds.sum())


def _numbers(part: str, weights: object, space: FeatureSpace) -> Floats:
    """(d,) of `scores` or `rewards`."""
    table = _of_space(weights, space)
    try:
        found = np.array(table.get(part, ()), dtype=np.float64)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.shape != (space.dim,) or not np.isfinite(found).all():
        raise ConfigurationError(
            f"the {part} of policy '{TRAINED}' for {space} must be {space.dim} finite numbers: write its file anew with"
            " 'equipoise train'"
        )
    return found


def _of_space(weights: object, space: FeatureSpace) -> Mapping[str, Any]:
    if (
        not isinstance(weights, Mapping)
        or not weights
        or not all(isinstance(w, Mapping) for w in weights.values())
    ):
        raise ConfigurationError(
            f"policy '{TRAINED}' needs weights for its feature space: take the file that 'equipoise train' writes"
        )
    if str(space) not in weights:
        raise FeatureSpaceError(
            f"policy '{TRAINED}' was trained in {', '.join(weights)} but is to work in {space}: for a catalogue, train it"
            " with 'equipoise train' --journal, or --log with --config; for the items of a log, with --log"
        )
    table: Mapping[str, Any] = weights[str(space)]
    return table
