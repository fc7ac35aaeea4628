"""What a policy is made of: a posterior believes, an explorer turns the belief into a distribution.

Letters: k candidates, d features, s posterior draws, n rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from equipoise.core import (
    Batch,
    Candidates,
    ConfigurationError,
    FeatureSpace,
    Floats,
    InputError,
    State,
    Vectors,
)
from equipoise.policies.ranges import require


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is believed of the d weights before any row: independent normals.

    mean: (d,) in units of reward per feature.
    precision: (d,) above 0, in units of the noise: a precision of 5 counts as much as 5 rows in which this
        feature alone was 1, so the weight's variance is (noise variance) / 5.
    """

    mean: Floats
    precision: Floats

    @classmethod
    def flat(cls, dim: int, *, precision: float = 1.0) -> Prior:
        """Mean 0 and the same precision for each of `dim` weights: ridge regression's penalty."""
        require("precision", precision, 0.0, above=True)
        return cls(np.zeros(dim), np.full(dim, float(precision)))

    def fit(self, dim: int) -> Prior:
        """This prior as fresh float64 arrays, checked for `dim` weights.

        Raises: ConfigurationError: wrong shape, or a precision that is not finite and above 0.
        """
        mean, precision = (np.array(part, dtype=np.float64) for part in (self.mean, self.precision))
        if mean.shape != (dim,) or precision.shape != (dim,):
            raise ConfigurationError(
                f"the prior has mean {mean.shape} and precision {precision.shape} but the feature space has"
                f" {dim} features: both must be ({dim},)"
            )
        if not (np.isfinite(mean).all() and np.isfinite(precision).all() and (precision > 0).all()):
            raise ConfigurationError("the prior must be finite, with every precision above 0")
        return Prior(mean, precision)


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What a posterior believes of k candidates.

    item_ids: (k,). mean: (k,) expected reward.
    spread: (k,) standard deviation of the mean reward (not of a reward: noise is left out), or None where the
        explorer did not ask.
    samples: (s, k) float32 joint posterior draws of the mean rewards, or None where the explorer did not ask.
    rows: how many rows the posterior has learned from.
    similarity: (k,) of item and request, or None where the policy was not told which feature it is.
    """

    item_ids: tuple[str, ...]
    mean: Floats
    spread: Floats | None
    samples: Vectors | None
    rows: int
    similarity: Floats | None = None

    def __len__(self) -> int:
        return len(self.item_ids)

    def shifted(self, by: Floats) -> Belief:
        """The same belief with `by` (k,) added to every mean, draw and similarity."""
        return replace(
            self,
            mean=self.mean + by,
            samples=None if self.samples is None else self.samples + by.astype(np.float32),
            similarity=None if self.similarity is None else self.similarity + by,
        )


@runtime_checkable
class Posterior(Protocol):
    """What has been learned of the mean reward.

    Laws: believing changes nothing; one batch equals its rows one by one, bit for bit; state round-trips,
    bit for bit; permuting the candidates permutes the belief.
    """

    @property
    def space(self) -> FeatureSpace: ...

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        """The belief, with `draws` joint samples by `rng` and with the spread only where asked: both cost."""
        ...

    def check(self, batch: Batch) -> None:
        """Raises: InputError: a row that this posterior cannot learn, such as a reward out of its range."""
        ...

    def update(self, batch: Batch) -> None:
        """Learn from rows that the policy has found sound, in their order."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


def dice(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator that draws need. Raises: InputError: there is none."""
    if rng is None:
        raise InputError("posterior draws need a random generator: give believe(..., rng=)")
    return rng


@runtime_checkable
class Sequential(Protocol):
    """An explorer that fills a slate more cheaply than by asking `distribution` anew for every slot."""

    def opened(self, belief: Belief) -> Callable[[Sequence[int]], Floats]:
        """Returns: what gives (k,) odds from the positions above, which grow; the same numbers as `distribution`."""
        ...


@runtime_checkable
class Directed(Protocol):
    """A posterior whose mean is linear in the features, so that an index can be searched along its weights."""

    @property
    def weights(self) -> Floats:
        """Returns: (d,) mean weights."""
        ...

    def draw_weights(self, standard: Vectors) -> Floats:
        """Returns: (d,) one posterior draw of the weights, made of the standard normals (d,)."""
        ...


@runtime_checkable
class Explorer(Protocol):
    """A belief to a distribution, before the floor.

    Laws: sums to 1; exactly 0 outside `available`; permuting the candidates permutes it; changes nothing. It
    never remembers what it chose, so late and batched feedback cannot break it.
    """

    @property
    def name(self) -> str: ...

    @property
    def draws(self) -> int:
        """How many posterior draws it needs."""
        ...

    @property
    def needs_spread(self) -> bool: ...

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        """Returns: (k,). available: (k,) candidates still in play, at least one; None means all."""
        ...

    @property
    def learns(self) -> bool:
        """Whether `update` does anything."""
        ...

    def update(self, batch: Batch, signals: Floats) -> None:
        """Learn from settled rows. signals: (n,) similarity, or else mean reward, forecast before the row."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...
