"""A policy that learns from the log as it goes, and says before each part what it would have shown in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from equipoise.core import (
    Baseline,
    Batch,
    Candidates,
    FeatureSpace,
    Floats,
    Policy,
    State,
    Vectors,
    generator,
)
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.models import robust_weights
from equipoise.evaluation.targets.chances import Chances
from equipoise.evaluation.targets.forecasts import ItemMeans, parts_of

LOG_SPACE = "log-items"
"""The space in which a log's items are described, by name."""

DIM = 64
"""Numbers of a row that say what an item is in a context."""

RETRAINED = 100
"""How often in a log the policy learns what it has seen since."""


def feature_space(log: Log) -> FeatureSpace:
    """The space in which `Learning` describes the items of a log."""
    return FeatureSpace(LOG_SPACE, "+".join(log.groups) or "plain", DIM)


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """name: in reports. policy: in `feature_space(log)`, without any row learned; it is taught in place.

    The candidates of every row are all items of the log, and the policy learns from what the log shows, not from what
    it would have shown itself. What it would have done in a part of the log depends on the parts before alone, so the
    weights are functions of the past and inverse-propensity sums stay unbiased.
    """

    name: str
    policy: Policy
    seed: int = 0

    def chances(self, log: Log) -> Chances:
        """Every item is a candidate in every row; within a part the policy does not change."""
        described = DescribedLog(log)
        before = self.policy.state()
        plain, robust = (ItemMeans(len(log.items.names)) for _ in range(2))
        target, shown = np.empty(len(log)), np.empty((len(log), 2))
        expected = np.empty((len(log), 2))
        for number, rows in enumerate(parts_of(log, RETRAINED)):
            means = np.column_stack([plain.means(), robust.means()])
            part = _Part(described, self.policy, means, generator(self.seed, f"part {number}"))
            for decision in _decisions(log, rows):
                target[decision], expected[decision] = part.asked(decision)
            shown[rows] = means[log.items.codes[rows]]
            self.policy.update(described.batch(rows))
            plain.learn(log, rows)
            robust.learn(log, rows, _robust_rows(log, target, rows))
        items = len(log.items.names)
        note = f"{_taught(before, self.policy.state())}; candidates are all {items:,} items of the log"
        first, second = (Baseline(shown[:, model], expected[:, model]) for model in range(2))
        return Chances(self.name, target, first, robust=lambda: second, known_items=items, note=note)


def _taught(before: State, after: State) -> str:
    """What became of a policy along the log; one whose weights are fixed, such as a trained one, learns nothing."""
    if all(np.array_equal(value, after[name]) for name, value in before.items()):
        return "learns nothing from the log: it is judged as it stands"
    return f"learns {RETRAINED} times from the parts of the log before"


def _robust_rows(log: Log, target: Floats, rows: slice) -> Floats | None:
    return None if log.propensities is None else robust_weights(log.propensities[rows], target[rows])


def _decisions(log: Log, rows: slice) -> list[slice]:
    """The rows of each decision, one slice each."""
    codes = log.decisions[rows]
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1)) + rows.start
    ends = np.append(starts[1:], rows.stop)
    return [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


class DescribedLog:
    """The log with a vector for each item in each context.

    contexts: (n,) codes of the combinations of attributes that occur.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        self.space = feature_space(log)
        columns = [np.asarray(codes.codes, dtype=np.int64) for codes in log.groups.values()]
        self.contexts: NDArray[np.int64] = np.zeros(len(log), dtype=np.int64)
        for column, codes in zip(columns, log.groups.values(), strict=True):
            _, self.contexts = np.unique(self.contexts * len(codes.names) + column, return_inverse=True)
        self._known: dict[int, Vectors] = {}

    def features(self, row: int) -> Vectors:
        """(k, d) of all items in the context of a row."""
        context = int(self.contexts[row])
        if context not in self._known:
            facts = [f"{name}={codes.names[codes.codes[row]]}" for name, codes in self.log.groups.items()]
            self._known[context] = np.stack([_vector(item, facts) for item in self.log.items.names])
        return self._known[context]

    def batch(self, rows: slice) -> Batch:
        log = self.log
        codes = log.items.codes[rows]
        features = np.stack(
            [self.features(row)[code] for row, code in zip(range(rows.start, rows.stop), codes, strict=True)]
        )
        propensities = np.ones(len(codes)) if log.propensities is None else log.propensities[rows]
        return Batch(
            item_ids=tuple(log.items.names[code] for code in codes),
            user_ids=(None,) * len(codes),
            features=features,
            rewards=log.rewards[rows],
            propensities=propensities,
            space=self.space,
        )


def _vector(item: str, facts: list[str]) -> Vectors:
    """(d,) unit vector: a constant, and the item alone and with each fact, hashed to signs (Weinberger et al. 2009)."""
    vector = np.zeros(DIM, dtype=np.float32)
    vector[0] = 1.0
    for word in (item, *facts, *(f"{item}\x00{fact}" for fact in facts)):
        number = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
        vector[1 + number % (DIM - 1)] += 1.0 if number >> 63 else -1.0
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@dataclass(slots=True)
class _Part:
    """A policy between two lessons: what it says of a context and the slots above is asked once.

    forecasts: (k, 2) mean rewards of the items, by two models.
    """

    described: DescribedLog
    policy: Policy
    forecasts: Floats
    rng: np.random.Generator
    known: dict[tuple[int, tuple[int, ...]], Floats] = field(default_factory=dict)

    def asked(self, decision: slice) -> tuple[Floats, Floats]:
        """(m,) probability of each shown item given those above, and (m, 2) expected forecasts of the slot."""
        shown = self.described.log.items.codes[decision].tolist()
        odds = [self._odds(decision.start, tuple(shown[:slot])) for slot in range(len(shown))]
        target = np.array([chances[code] for chances, code in zip(odds, shown, strict=True)])
        return target, np.array([chances @ self.forecasts for chances in odds])

    def _odds(self, row: int, above: tuple[int, ...]) -> Floats:
        key = (int(self.described.contexts[row]), above)
        if key not in self.known:
            log = self.described.log
            candidates = Candidates(log.items.names, self.described.features(row), self.described.space)
            slate = self.policy.slate(candidates, self.rng)
            for depth in range(len(above)):
                slate.given(above[:depth])
            self.known[key] = slate.given(above)
        return self.known[key]
