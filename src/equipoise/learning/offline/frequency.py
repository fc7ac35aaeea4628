"""Propensities of a log that does not say what else could have been shown: how often each item was, given the context."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from equipoise.core import ConfigurationError, Floats, InputError
from equipoise.learning.offline.propensity import EstimatedPropensities

STRENGTHS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
MOST_CELLS = 20_000_000
"""Contexts times items up to which a temperature is fitted."""

Codes = NDArray[np.integer]


def frequency_propensities(items: Codes, contexts: Codes, *, least: float = 1e-4) -> EstimatedPropensities:
    """items, contexts: (n,) codes from 0 of what each row showed, and of the kind of moment it showed it in.

    A row's propensity is its item's share among the OTHER rows of its context, shrunk to the share in the whole log
    by as many pseudo-rows as make the log likeliest, then raised to a power that does (the temperature). Items that
    the log never shows get none of it.
    Raises: InputError: no rows, or lengths that differ. ConfigurationError: least outside (0, 1).
    """
    if not 0.0 < least < 1.0:
        raise ConfigurationError(f"least is {least} but must lie between 0 and 1")
    if not len(items) or items.shape != contexts.shape:
        raise InputError(
            f"{len(items)} items in {len(contexts)} contexts: expected as many of each, one at least"
        )
    counts = _Counts.of(items, contexts)
    strength = max(STRENGTHS, key=lambda rows: float(np.log(counts.others(rows)).mean()))
    raw = counts.others(strength)
    temperature, values = counts.tempered(raw, strength)
    fitted = temperature is not None
    return EstimatedPropensities(
        values=np.clip(values, least, 1.0),
        method=f"item frequencies in {counts.contexts} contexts, shrunk to the whole log's by {strength:g} rows",
        calibration="temperature" if fitted else "none",
        temperature=temperature,
        log_loss=float(-np.log(values).mean()),
        even_log_loss=float(np.log(counts.items)),
        error_before=counts.error(raw),
        error_after=counts.error(values),
        raised=int(np.count_nonzero(values < least)),
    )


class _Counts:
    """How often each item was shown, overall and in each context; by row, so that a row can leave itself out."""

    def __init__(self, items: Codes, contexts: Codes, k: int, c: int) -> None:
        self.items, self.contexts = k, c
        self._item, self._context = items, contexts
        self._overall = np.bincount(items, minlength=k).astype(np.float64)
        self._size = np.bincount(contexts, minlength=c).astype(np.float64)
        pair = contexts.astype(np.int64) * k + items
        self._pairs, row_of, pair_counts = np.unique(pair, return_inverse=True, return_counts=True)
        self._pair_counts = pair_counts.astype(np.float64)
        self._together = self._pair_counts[row_of]

    @classmethod
    def of(cls, items: Codes, contexts: Codes) -> _Counts:
        _, item = np.unique(items, return_inverse=True)
        _, context = np.unique(contexts, return_inverse=True)
        return cls(item, context, int(item.max()) + 1, int(context.max()) + 1)

    def others(self, strength: float) -> Floats:
        """(n,) the share of a row's item among the other rows; one pseudo-row an item keeps it above 0."""
        n = len(self._item)
        overall = self._overall[self._item] / (n - 1.0 + self.items)
        return np.asarray(
            (self._together - 1.0 + strength * overall) / (self._size[self._context] - 1.0 + strength)
        )

    def tempered(self, raw: Floats, strength: float) -> tuple[float | None, Floats]:
        """The likeliest temperature in [0.2, 5], and the rows' propensities by it."""
        if self.items * self.contexts > MOST_CELLS:
            return None, raw
        table = self._table(strength)
        logs = np.log(raw)

        def values(log_temperature: float) -> Floats:
            power = 1.0 / np.exp(log_temperature)
            sums = np.power(table, power).sum(axis=1)
            return np.asarray(np.exp(power * logs) / sums[self._context])

        found = minimize_scalar(
            lambda at: -float(np.log(values(at)).mean()), bounds=(np.log(0.2), np.log(5.0)), method="bounded"
        )
        return float(np.exp(found.x)), np.minimum(values(found.x), 1.0)

    def error(self, values: Floats) -> float:
        """Expected calibration error over (row, item) pairs, by the contexts' item counts, in probability.

        Over ten equal groups of the pairs that were shown: mean propensity against the share really shown.
        """
        shares = self._together / self._size[self._context]
        groups = np.array_split(np.argsort(values, kind="stable"), 10)
        gaps = [
            len(rows) * abs(float(values[rows].mean() - shares[rows].mean())) for rows in groups if len(rows)
        ]
        return sum(gaps) / len(values)

    def _table(self, strength: float) -> Floats:
        """(contexts, items) shrunk shares, from all rows."""
        overall = (self._overall + 1.0) / (len(self._item) + self.items)
        table = np.tile(strength * overall, (self.contexts, 1))
        table.reshape(-1)[self._pairs] += self._pair_counts
        return np.asarray(table / (self._size[:, None] + strength))
