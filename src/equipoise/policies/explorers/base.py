"""What the explorers share: ties are split, so that a candidate's odds never depend on its position."""

from __future__ import annotations

from functools import lru_cache
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
    if available is not None:
        samples = samples + np.where(available, 0.0, -np.inf).astype(samples.dtype)
    draws, k = samples.shape
    first, near = nearest(samples)
    if near is None:
        return np.asarray(np.bincount(first, minlength=k) / draws)
    draw, candidate = np.divmod(np.flatnonzero(near), k)
    shares = 1.0 / np.bincount(draw)[draw]
    return np.asarray(np.bincount(candidate, weights=shares, minlength=k) / draws)


def nearest(samples: Vectors) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """samples: (s, k). Returns: (s,) the first best of each draw, and (s, k) whether a candidate is within rounding of
    it; None where each draw has one best alone.
    """
    s, k = samples.shape
    first = samples.argmax(axis=1)
    best = samples.take(first + _starts(s, k))
    near = samples >= (best - TIE * np.abs(best))[:, np.newaxis]
    return first, near if np.count_nonzero(near) > s else None


@lru_cache(maxsize=64)
def _starts(s: int, k: int) -> NDArray[np.int64]:
    """(s,) where each row of an (s, k) array begins; not to be written into."""
    return np.arange(0, s * k, k)


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
