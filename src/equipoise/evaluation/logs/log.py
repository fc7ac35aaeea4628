"""A log in columns: everything that was recorded, before any target policy is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, Floats, InputError, PropensityError
from equipoise.evaluation.evidence import NOTHING, Beyond, Codes, Evidence, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """n shown slots; the rows of one decision stand together and in slot order. See `Evidence` for the shared columns.

    name: whose log it is, in reports. propensities: None where nobody logged them.
    targets: policy to (n,), its probability of the shown item. logger_odds: the same of the log's own policies.
    on_policy: policy to the rewards of a log of its own. placed: those of the targets that do the same in every row, to
    (items, slots), their distributions. clusters: (n,) which items are alike, see `Beyond`.
    users: codes and names, if asked for. choices: (n,) how many candidates the decision had, if the log says so.
    left_out: bad rows that were set aside; duplicates: those of them that stood there before, None where rows have
    no decision_id to tell. notes: what was assumed in reading.
    """

    name: str
    rewards: Floats
    propensities: Floats | None
    decisions: Integers
    slots: NDArray[np.integer]
    at: Floats
    items: Codes
    loggers: Codes
    groups: Mapping[str, Codes] = field(default_factory=dict)
    targets: Mapping[str, Floats] = field(default_factory=dict)
    logger_odds: Mapping[str, Floats] = field(default_factory=dict)
    on_policy: Mapping[str, Floats] = field(default_factory=dict)
    placed: Mapping[str, Floats] = field(default_factory=dict)
    clusters: NDArray[np.integer] | None = None
    users: Codes | None = None
    choices: NDArray[np.integer] | None = None
    left_out: int = 0
    duplicates: int | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rewards)

    def evidence(
        self, target: Floats, *, baseline: Baseline | None = None, beyond: Beyond | None = None
    ) -> Evidence:
        """The log beside what one policy would have done; nothing is copied. target: (n,) in [0, 1].

        Raises: PropensityError: the log has no propensities, or the target is no probability. InputError: not n.
        """
        if self.propensities is None:
            raise PropensityError(
                "the log has no propensities, so nothing can be said of another policy: name their column under "
                "'propensity' in the columns file"
            )
        _require_probabilities(target, len(self))
        return Evidence(
            rewards=self.rewards,
            propensities=self.propensities,
            target=target,
            decisions=self.decisions,
            slots=self.slots,
            at=self.at,
            items=self.items,
            loggers=self.loggers,
            groups=self.groups,
            baseline=baseline,
            logger_odds=self.logger_odds,
            beyond=replace(beyond or NOTHING, clusters=self.clusters),
        )


def _require_probabilities(target: Floats, n: int) -> None:
    if target.shape != (n,):
        raise InputError(
            f"target has the shape {target.shape}: expected ({n},), one probability a logged row"
        )
    wrong = ~((target >= 0.0) & (target <= 1.0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise PropensityError(f"target probability {target[row]} in row {row + 1}: expected one from 0 to 1")
