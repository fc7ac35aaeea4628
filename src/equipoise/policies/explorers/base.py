"""What the explorers share: ties are split, so that a candidate's odds never depend on its position."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, Floats, InputError, State, Vectors
from equipoise.policies.base import Belief

TIE = 1e-6
"""Values this near, relative to the best, are one value: float32 knows no better."""


class Stateless:
    """An explorer with nothing to learn."""

    name: ClassVar[str]
    draws: int = 0
    needs_spread: ClassVar[bool] = False
    learns: ClassVar[bool] = False

    def update(self, batch: Batch, signals: Floats) -> None:
        """Nothing to learn."""

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""


def leaders(scores: Floats | Vectors, available: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """scores: (k,) or (s, k). Returns: the same shape, True where a row's best available candidates are."""
    if available is not None:
        scores = scores + np.where(available, 0.0, -np.inf).astype(scores.dtype)
    best = scores.max(axis=-1, keepdims=True)
    return np.asarray(scores >= best - TIE * np.abs(best))


def winners(scores: Floats, available: NDArray[np.bool_] | None = None) -> Floats:
    """scores: (k,). Returns: (k,) all the probability on the best, equal shares where they tie."""
    best = leaders(scores, available)
    return best / np.count_nonzero(best)


def frequencies(samples: Vectors, available: NDArray[np.bool_] | None = None) -> Floats:
    """samples: (s, k). Returns: (k,) the share of the draws in which each candidate is the best."""
    best = leaders(samples, available)
    draws, k = best.shape
    if np.count_nonzero(best) == draws:
        return np.asarray(np.bincount(np.flatnonzero(best) % k, minlength=k) / draws)
    return np.asarray((best / np.count_nonzero(best, axis=1, keepdims=True)).sum(axis=0) / draws)


def tally(best: Vectors) -> Vectors:
    """best: (s, k) of 0 and 1. Returns: (s,) how many lead each draw; as a product, which BLAS sums 3 x faster."""
    return np.asarray(best @ np.ones(best.shape[1], dtype=np.float32))


def among(belief: Belief, available: NDArray[np.bool_] | None) -> Floats:
    """Returns: (k,) 1 for candidates in play and 0 for the others."""
    return np.ones(len(belief)) if available is None else available.astype(np.float64)


def drawn(belief: Belief) -> Vectors:
    """The belief's samples. Raises: InputError: there are none."""
    if belief.samples is None:
        raise InputError("the belief has no draws, which this explorer needs: ask the posterior for them")
    return belief.samples


def spread_of(belief: Belief) -> Floats:
    """The belief's spread. Raises: InputError: there is none."""
    if belief.spread is None:
        raise InputError("the belief has no spread, which this explorer needs: ask the posterior for it")
    return belief.spread
