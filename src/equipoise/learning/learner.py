"""Settled decisions to an updated policy and statistics, in the journal's order and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, EquipoiseError, Floats, InputError, Journal, Logged, Policy, State
from equipoise.learning.statistics import Statistics

P = TypeVar("P", bound=Policy)

Translate = Callable[[Logged, "Learner[Any]"], Logged]
"""A settled decision to the same one with features that the policy understands."""

Weigh = Callable[[Logged], tuple[Floats | None, Floats | None]]
"""A settled decision to how many rows each of its slots counts for, (m,), for the policy and for the statistics;
None: one each."""


def alike(logged: Logged) -> tuple[None, None]:
    """Every slot counts for one row."""
    return None, None


class Columns(Protocol):
    """Consecutive settled decisions. positions: (n,) of each row's decision, ascending."""

    @property
    def positions(self) -> NDArray[np.int64]: ...

    @property
    def batch(self) -> Batch: ...


@runtime_checkable
class Columnar(Protocol):
    """A journal that also hands over what learning needs of many decisions at once."""

    def settle_due(self, now: float) -> int: ...

    def batches(self, after: int = 0, size: int = 1024) -> Iterator[Columns]: ...


def batch_of(logged: Logged, weights: Floats | None = None) -> Batch:
    """The rows of one settled decision, by slot, as they were when it was made. weights: (m,), see `Batch`."""
    decision = logged.decision
    return Batch(
        item_ids=tuple(slot.item_id for slot in decision.slots),
        user_ids=(decision.request.user_id,) * len(decision.slots),
        features=decision.features,
        rewards=logged.rewards,
        propensities=np.array([slot.propensity for slot in decision.slots]),
        space=decision.versions.pairing,
        weights=weights,
    )


class Learner(Generic[P]):
    """What has been learned up to `position`: a policy and the running statistics.

    The state is a function of the settled decisions 1..position alone (law 1): learning online, learning in
    one go, and resuming from a checkpoint give the same bits.
    """

    def __init__(self, policy: P, statistics: Statistics, *, weigh: Weigh = alike) -> None:
        self.policy = policy
        self.statistics = statistics
        self.position = 0
        self._weigh = weigh

    def learn(self, settled: Iterable[tuple[int, Logged]], *, translate: Translate | None = None) -> int:
        """Learn from settled decisions that follow `position`; returns how many there were.

        A batch that the policy refuses leaves everything as it was before that decision.
        Raises: InputError: a position not above `position`, so that no decision is learned twice.
        """
        count = 0
        for position, logged in settled:
            if position <= self.position:
                raise InputError(
                    f"position {position} was to be learned after {self.position}: pass on what journal.settled("
                    f"{self.position}) gives, each decision once and in its order"
                )
            weights, shows = self._weigh(logged)
            batch = batch_of(logged if translate is None else translate(logged, self), weights)
            self.policy.update(batch)
            self.statistics.update(batch if shows is weights else replace(batch, weights=shows))
            self.statistics.asked_for(logged.decision.request.items or ())
            self.position = position
            count += 1
        return count

    def catch_up(
        self, journal: Journal, *, now: float | None = None, translate: Translate | None = None
    ) -> int:
        """Learn from everything that has settled since; `now` first closes the windows due.

        Without `translate` or weights, a journal that gives columns is read by columns: the same state, several times
        sooner.
        """
        if translate is not None or self._weigh is not alike or not isinstance(journal, Columnar):
            return self.learn(journal.settled(self.position, now), translate=translate)
        if now is not None:
            journal.settle_due(now)
        count = self._learn_columns(journal.batches(self.position))
        return count + self.learn(journal.settled(self.position))

    def _learn_columns(self, columns: Iterable[Columns]) -> int:
        """Learn many decisions at once; stops before a part that the policy refuses, of which some may be sound."""
        count = 0
        for part in columns:
            try:
                self.policy.update(part.batch)
            except EquipoiseError:
                break
            self.statistics.update(part.batch)
            self.position = int(part.positions[-1])
            count += len(np.unique(part.positions))
        return count

    def state(self) -> State:
        """Policy and statistics side by side, under the prefixes `policy/` and `statistics/`."""
        return {
            **{f"policy/{key}": value for key, value in self.policy.state().items()},
            **{f"statistics/{key}": value for key, value in self.statistics.state().items()},
        }

    def restore(self, state: State, *, position: int) -> None:
        """Take over a state that had learned up to `position`.

        Raises: InputError, FeatureSpaceError: another policy's or a damaged state; what was learned before is kept.
        """
        before = self.policy.state()
        self.policy.restore(_below(state, "policy/"))
        try:
            self.statistics.restore(_below(state, "statistics/"))
        except EquipoiseError:
            self.policy.restore(before)
            raise
        self.position = position


def same_state(one: State, other: State) -> bool:
    """Equal bit for bit: the same names, types, shapes and bytes."""
    return one.keys() == other.keys() and all(
        one[key].dtype == other[key].dtype
        and one[key].shape == other[key].shape
        and one[key].tobytes() == other[key].tobytes()
        for key in one
    )


def _below(state: State, prefix: str) -> State:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
