"""A plain reward model: each item's mean reward so far, from earlier parts of the log only.

Forecasts are functions of the past, so an estimator that leans on them stays unbiased whatever they say.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from equipoise.core import Baseline, Floats
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.models import robust_weights

PARTS = 100
"""A forecast is renewed that often in a log."""

PRIOR_ROWS = 20.0
"""What the mean over all items is worth beside an item's own rows."""


def parts_of(log: Log, parts: int = PARTS) -> Iterator[slice]:
    """Consecutive rows in `parts` parts of much the same length; no decision is cut in two."""
    decisions = int(log.decisions[-1]) + 1
    bounds = np.unique(np.linspace(0, decisions, min(parts, decisions) + 1).astype(np.int64))
    rows = np.searchsorted(log.decisions, bounds)
    for start, stop in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        yield slice(start, stop)


class ItemMeans:
    """Counts and sums of rewards for k items, and the shrunk means that they give."""

    def __init__(self, items: int) -> None:
        self._rows = 0
        self._counts, self._sums = np.zeros(items), np.zeros(items)

    def learn(self, log: Log, rows: slice, weights: Floats | None = None) -> None:
        """Add these rows of the log. weights: of these rows, how much each counts; None counts each 1."""
        codes, rewards, kinds = log.items.codes[rows], log.rewards[rows], len(self._counts)
        self._rows += len(codes)
        self._counts += np.bincount(codes, weights=weights, minlength=kinds)
        self._sums += np.bincount(
            codes, weights=rewards if weights is None else weights * rewards, minlength=kinds
        )

    def means(self) -> Floats:
        """(k,) forecast reward of each item; 0 before any row."""
        total = float(self._counts.sum())
        if total <= 0.0:
            return np.zeros(len(self._counts))
        prior = PRIOR_ROWS * total / self._rows  # in the same unit as the counts
        return np.asarray((self._sums + prior * float(self._sums.sum()) / total) / (self._counts + prior))


def placed_baseline(log: Log, probabilities: Floats, weights: Floats | None = None) -> Baseline:
    """Forecasts for a target without context. probabilities: (items of the log, slots), columns summing to at most 1.

    weights: (n,) how much each row counts in the model; see `robust_rows`.
    """
    model = ItemMeans(len(log.items.names))
    shown, expected = np.empty(len(log)), np.empty(len(log))
    for rows in parts_of(log):
        means = model.means()
        shown[rows] = means[log.items.codes[rows]]
        expected[rows] = (means @ probabilities)[log.slots[rows]]
        model.learn(log, rows, None if weights is None else weights[rows])
    return Baseline(shown, expected)


def uniform_baseline(log: Log, weights: Floats | None = None) -> Baseline:
    """Forecasts for the uniform target over all items of the log."""
    items = len(log.items.names)
    return placed_baseline(log, np.full((items, int(log.slots.max()) + 1), 1.0 / items), weights)


def robust_rows(log: Log, target: Floats) -> Floats | None:
    """(n,) how much each row counts in a model for `mrdr`; None without propensities. target: (n,)."""
    return None if log.propensities is None else robust_weights(log.propensities, target)
