"""What an estimate is made from: one row per shown slot, in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, Floats, InputError

Integers = NDArray[np.int64]


class Codes(NamedTuple):
    """A column of names, each stored once. codes: (n,) integers into `names`."""

    codes: NDArray[np.integer]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """What few estimators need, and few logs can say; None where this one does not.

    clusters: (n,) which of the clusters of items that are alike the shown item is in; for `mips`. marginal: two of
    (n,), the probability of that cluster under the logging policy and under the target; without it `mips` finds its
    weights in the log. spread: (n,) sum over the candidates of target^2 / propensity, for `adaptive_dr`, which else
    estimates it. robust: forecasts of a model made for `mrdr`.
    """

    clusters: NDArray[np.integer] | None = None
    marginal: tuple[Floats, Floats] | None = None
    spread: Floats | None = None
    robust: Baseline | None = None

    def where(self, picked: Integers) -> Beyond:
        """Of these rows alone."""
        marginal, robust = self.marginal, self.robust
        return Beyond(
            clusters=None if self.clusters is None else self.clusters[picked],
            marginal=marginal and (marginal[0][picked], marginal[1][picked]),
            spread=None if self.spread is None else self.spread[picked],
            robust=robust and Baseline(robust.shown[picked], robust.expected[picked]),
        )


NOTHING = Beyond()
"""Of a log that can say none of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """n logged rows and what one target policy would have done in them.

    The rows of one decision stand together and in slot order.

    rewards: (n,). propensities: (n,) in (0, 1], a slot's probability given the slots above it.
    target: (n,) in [0, 1], the target policy's probability of the logged item, given the slots above it.
    decisions: (n,) int64, equal where rows belong to one decision, rising by one from 0.
    slots: (n,) integers from 0. at: (n,) seconds since 1970-01-01 UTC, NaN where unknown.
    items: codes and names of what was shown. loggers: codes and names of the policies that chose.
    groups: attribute to its codes and names. baseline: what a reward model forecasts, if there is one.
    logger_odds: logger to (n,), what it would have given to the logged item; only where the log says so.
    beyond: what some estimators need beside all that.
    """

    rewards: Floats
    propensities: Floats
    target: Floats
    decisions: Integers
    slots: NDArray[np.integer]
    at: Floats
    items: Codes
    loggers: Codes
    groups: Mapping[str, Codes] = field(default_factory=dict)
    baseline: Baseline | None = None
    logger_odds: Mapping[str, Floats] = field(default_factory=dict)
    beyond: Beyond = NOTHING

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def weights(self) -> Floats:
        """(n,) target / propensity: how much more often the target would have shown this item here."""
        return self.target / self.propensities

    @property
    def slate_size(self) -> int:
        """Rows of the longest decision."""
        return int(np.bincount(self.decisions).max()) if len(self) else 0

    def where(self, kept: NDArray[np.bool_]) -> Evidence:
        """The rows that are marked, as evidence of their own. kept: (n,)."""
        picked = np.flatnonzero(kept)
        codes = self.decisions[picked]
        decisions = np.cumsum(np.diff(codes, prepend=codes[:1]) != 0)
        baseline = self.baseline
        return Evidence(
            rewards=self.rewards[picked],
            propensities=self.propensities[picked],
            target=self.target[picked],
            decisions=decisions.astype(np.int64, copy=False),
            slots=self.slots[picked],
            at=self.at[picked],
            items=_picked(self.items, picked),
            loggers=_picked(self.loggers, picked),
            groups={name: _picked(codes, picked) for name, codes in self.groups.items()},
            baseline=baseline and Baseline(baseline.shown[picked], baseline.expected[picked]),
            logger_odds={name: odds[picked] for name, odds in self.logger_odds.items()},
            beyond=self.beyond.where(picked),
        )

    def group(self, attribute: str) -> Codes:
        """Raises: InputError: the log has no such attribute."""
        try:
            return self.groups[attribute]
        except KeyError:
            known = ", ".join(map(repr, self.groups)) or "none"
            raise InputError(
                f"the log has no attribute {attribute!r} to group by (it has {known}): a file's columns are "
                "named under 'attributes' in the columns file, a journal's attributes are those of its requests"
            ) from None


def _picked(column: Codes, rows: Integers) -> Codes:
    return Codes(column.codes[rows], column.names)


def one_name(name: str, n: int) -> Codes:
    """n rows that all say the same."""
    return Codes(np.zeros(n, dtype=np.uint16), (name,))
