"""The five parts that can be swapped, each with the laws that `lab.contracts` checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from equipoise.core.records import (
    Baseline,
    Batch,
    Candidates,
    Decision,
    Estimate,
    FeatureSpace,
    Feedback,
    Floats,
    Logged,
    Receipt,
    State,
    Vectors,
)


@runtime_checkable
class Encoder(Protocol):
    """Texts to vectors.

    Laws: same text, same row, whatever the batch; rows finite, of unit length; an empty list gives (0, d).
    """

    @property
    def space(self) -> FeatureSpace: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Returns: (n, d) float32, row i for text i."""
        ...


@runtime_checkable
class Retriever(Protocol):
    """A query vector to k candidates, by inner product.

    Laws: at most k, no duplicates, dropped items never return; the exact index is the oracle for recall.
    """

    @property
    def space(self) -> FeatureSpace: ...

    def put(self, item_ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace items. vectors: (n, d) float32 in `space`."""
        ...

    def drop(self, item_ids: Sequence[str]) -> None:
        """Remove items; unknown ids are ignored."""
        ...

    def search(self, query: Vectors, k: int) -> Candidates:
        """The k items of greatest inner product with `query` (d,), best first; features are (k, 1) scores."""
        ...


class SlateDistribution(Protocol):
    """A distribution over k candidates for each slot, given the slots above it."""

    def given(self, above: Sequence[int]) -> Floats:
        """Returns: (k,) probabilities; sum 1, exactly 0 on the positions in `above`.

        `above` only ever grows by one position between calls.
        """
        ...


@runtime_checkable
class Policy(Protocol):
    """Candidates to a probability distribution.

    Laws: sums to 1 within 1e-9; every entry at least the floor; leaves the state unchanged; works before any
    update; permuting rows permutes entries; one batch equals its rows one by one; state round-trips.
    """

    @property
    def space(self) -> FeatureSpace: ...

    def distribution(self, candidates: Candidates, rng: np.random.Generator) -> Floats:
        """Returns: (k,) probabilities of slot 0; sum 1, none below the floor."""
        ...

    def slate(self, candidates: Candidates, rng: np.random.Generator) -> SlateDistribution:
        """The distribution of every slot; `slate(c, rng).given(())` equals `distribution(c, rng)`."""
        ...

    def update(self, batch: Batch) -> None:
        """Learn from settled rows, in their order."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


@runtime_checkable
class Journal(Protocol):
    """The append-only record.

    Laws: append-only but for `forget`; idempotent by id; each decision settles exactly once, when its window
    closes or when the caller says so, and gets the next position; late feedback is counted, never silently
    lost; replay gives the same sequence.
    """

    def decided(self, decision: Decision) -> Decision:
        """Store a decision; returns the stored one, which is the earlier one if the id is known."""
        ...

    def fed_back(self, feedback: Feedback) -> Receipt: ...

    def closed(self, decision_id: str, *, now: float) -> int:
        """Settle now, with what has come so far; returns the position, the old one if it had settled."""
        ...

    def settled(self, after: int = 0, now: float | None = None) -> Iterator[tuple[int, Logged]]:
        """Settled decisions at positions above `after`, in order; `now` first closes the windows due."""
        ...

    def forget(self, user_id: str) -> int:
        """Erase who the user was and what they asked; returns how many decisions were made anonymous."""
        ...


@runtime_checkable
class Estimator(Protocol):
    """Logged rewards to what another policy would have earned."""

    def estimate(
        self, rewards: Floats, propensities: Floats, target: Floats, baseline: Baseline | None = None
    ) -> Estimate:
        """Each argument is (n,), a baseline holds two of (n,); refuses a propensity of 0 or less."""
        ...
