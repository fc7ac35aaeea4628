"""The nouns: frozen records of everything that flows between the rooms.

Letters: n decisions or rows, k candidates, m slots, d features, e numbers in an encoder's vector.
Times are seconds since 1970-01-01 UTC, as floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import FeatureSpaceError, InputError
from equipoise.core.places import Places

Floats: TypeAlias = NDArray[np.float64]
"""Posteriors, probabilities and rewards."""

Vectors: TypeAlias = NDArray[np.float32]
"""Encoded texts and policy features."""

State: TypeAlias = dict[str, NDArray[Any]]
"""What a part has learned, as named arrays; everything that a checkpoint stores."""

PINNED = "pinned"
"""The source of a slot that the request filled itself; its propensity is 1."""


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """The name of the space that a vector lives in. Equal dim is not equal space."""

    name: str
    version: str
    dim: int

    def __str__(self) -> str:
        return f"{self.name}@{self.version} (d={self.dim})"

    def require(self, other: FeatureSpace, *, who: str, remedy: str) -> None:
        """Refuse vectors of another space.

        Raises: FeatureSpaceError: `other` is not this very space.
        """
        if other != self:
            raise FeatureSpaceError(f"{who} works in {self} but got features in {other}: {remedy}")


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asks, with their history. Every field may be left out.

    text: what the user typed or is looking at.
    user_id: who asks; None is a stranger.
    history: item_ids that the user liked, oldest first; None lets the journal say it.
    attributes: facts of the moment, such as `{"device": "phone", "hour": 21}`.
    filters: catalogue attributes an item must have: a value, a list of allowed values, or
        `{"min": 1, "max": 5}` on numbers (both ends included).
    items: rank only these item_ids; None means the whole catalogue.
    exclude: item_ids never to show.
    pinned: slot to item_id; those slots are filled without dice.
    Raises: InputError: history, items or exclude is a single text, or nothing to go through.
    """

    text: str | None = None
    user_id: str | None = None
    history: tuple[str, ...] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    pinned: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("history", "items", "exclude"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, tuple):
                object.__setattr__(self, name, _item_ids(name, value))


def _item_ids(name: str, value: object) -> tuple[str, ...]:
    """Raises: InputError: a single text, whose letters would count as item_ids, or nothing to go through."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InputError(f"{name} is {value!r:.60} but must be several item_ids: write ['i7', 'i9']")
    return tuple(value)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What may be shown now.

    item_ids: (k,), distinct.
    features: (k, d) float32 in `space`, one row per candidate: what is like what. A retriever, which knows
        no features yet, gives (k, 1) scores in its own space.
    space: the feature space of `features`.
    user_id: who asks, so that a posterior can keep an offset for this very user.
    sources: (k,), where each candidate came from.
    vectors: (k, e) float32 unit vectors of the items, for diversity; None where nobody needs them.
    places: of the items in a list that requests share; None only makes look-ups slower.
    """

    item_ids: tuple[str, ...]
    features: Vectors
    space: FeatureSpace
    user_id: str | None = None
    sources: tuple[str, ...] = ()
    vectors: Vectors | None = None
    places: Places | None = None

    def __len__(self) -> int:
        return len(self.item_ids)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What the dice said.

    positions: (m,) int64 indices into the candidates, distinct, slot 0 first.
    propensities: (m,) in (0, 1], a slot's probability given the slots above it.
    """

    positions: NDArray[np.int64]
    propensities: Floats


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a slate, as shown.

    slot: counts from 0, top first.
    propensity: the probability with which this item was drawn here, given the slots above; 1 if pinned.
    probability: the item's share in the distribution over all candidates before any slot was filled.
    source: where the candidate came from, or `pinned`.
    """

    slot: int
    item_id: str
    propensity: float
    probability: float
    source: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Everything that must be as it was for a decision to be made again.

    encoder: space of the texts' vectors. pairing: space of the policy's features. catalog: snapshot version.
    policy: name and fingerprint of the policy's settings. learned: journal position up to which it had
    learned. seed: the configured seed.
    """

    encoder: FeatureSpace
    pairing: FeatureSpace
    catalog: int
    policy: str
    learned: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """One answered request, complete enough to be made again years later.

    candidates: (k,) item_ids; sources: (k,); probabilities: (k,) distribution before any slot was filled.
    slots: (m,) as shown. features: (m, d) float32, the policy features of the shown items, by slot.
    window_closes_at: feedback that comes later no longer counts.
    """

    decision_id: str
    at: float
    request: Request
    versions: Versions
    candidates: tuple[str, ...]
    sources: tuple[str, ...]
    probabilities: Floats
    slots: tuple[Slot, ...]
    features: Vectors
    window_closes_at: float

    @property
    def policy(self) -> str:
        """The policy's name, without the fingerprint of its settings."""
        return self.versions.policy.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Feedback:
    """Something that the user did.

    kind: a name from the reward specification, such as `click` or `dwell_seconds`.
    value: the amount, in the unit that the kind's name says; 1 for a plain event.
    at: when the user did it.
    feedback_id: the caller's own id of the event, if any; the same id twice is one event.
    """

    decision_id: str
    slot: int
    kind: str
    value: float
    at: float
    feedback_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The journal's answer to one feedback.

    status: `counted`, `duplicate` (told before, nothing changes), `contradictory` (another value for the
        same slot and kind: the later one in `at` counts), `late` (the decision has settled: kept, counted
        as late, no longer rewarded) or `unknown` (no such decision yet: kept aside, and joined if the
        decision arrives before it settles).
    detail: the same in a sentence.
    """

    status: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """A settled decision. rewards: (m,), by slot."""

    decision: Decision
    rewards: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows to learn from, in the order in which they settled.

    item_ids: (n,). user_ids: (n,), None for strangers. features: (n, d) float32 in `space`.
    rewards: (n,). propensities: (n,) in (0, 1].
    weights: (n,) finite and 0 or more, how many rows each counts for: a row of weight 2 is the row twice, one of
        weight 0 is none. None is 1 for all.
    Raises: InputError: weights that cannot be.
    """

    item_ids: tuple[str, ...]
    user_ids: tuple[str | None, ...]
    features: Vectors
    rewards: Floats
    propensities: Floats
    space: FeatureSpace
    weights: Floats | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            _check_weights(self.weights, len(self.item_ids))

    def __len__(self) -> int:
        return len(self.item_ids)


def _check_weights(weights: Floats, n: int) -> None:
    """Raises: InputError: not n numbers, finite and 0 or more."""
    if weights.shape != (n,):
        raise InputError(
            f"weights have shape {weights.shape} but there are {n} rows: give one a row, or None"
        )
    wrong = np.flatnonzero(~((weights >= 0.0) & (weights < np.inf)))
    if wrong.size:
        raise InputError(
            f"row {wrong[0]} has weight {weights[wrong[0]]} but it must be finite and 0 or more: how often the "
            "row counts, so that 0 leaves it out"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Experience:
    """What the journal has shown so far of k items and one user: the pairing's inputs beyond text.

    overall: mean reward of everything shown, shrunk to the configured expectation.
    item_means: (k,) shrunk mean rewards minus `overall`; item_counts: (k,) how often each was shown.
    item_asked: (k,) how many requests had named the item among those to rank; item_asked_lately: (k,) how many of
        about the last `asked_memory`, older ones fading.
    item_company: (k,) how well what requests named beside the item had been taken: over those requests the mean of the
        others' mean `item_means` at the time, shrunk to 0 by one request.
    user_mean: the user's shrunk mean reward minus `overall`; user_count: how many slots they answered for.
    recent: (h,) item_ids last shown to the user, oldest first, at most as many as the statistics keep.
    residuals: (h,) their rewards minus what item and user had led to expect. recent_asked: (h,) as `item_asked`.
    """

    overall: float
    item_means: Floats
    item_counts: Floats
    item_asked: Floats
    item_asked_lately: Floats
    item_company: Floats
    user_mean: float
    user_count: float
    recent: tuple[str, ...]
    residuals: Floats
    recent_asked: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What a reward model says of n logged rows, for estimators that lean on one.

    shown: (n,) forecast reward of the logged action. expected: (n,) forecast reward of the target policy,
    the sum over the candidates of target probability times forecast.
    """

    shown: Floats
    expected: Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a policy would have earned: value, its standard error, its interval, rows used and their worth."""

    value: float
    stderr: float
    low: float
    high: float
    n: int
    n_effective: float
