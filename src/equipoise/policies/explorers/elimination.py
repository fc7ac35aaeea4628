"""RegCB elimination: whatever may still be the best is shown, all alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.policies.base import Belief
from equipoise.policies.explorers.base import Stateless, among, leaders, spread_of
from equipoise.policies.ranges import require


@dataclass(frozen=True, kw_only=True)
class RegCB(Stateless):
    """Uniform over the candidates whose upper bound clears the best lower bound, mean -+ `width` x spread.

    Reference: Foster et al. 2018, Alg. 1 (elimination variant); their bounds come from a version space, ours
    from the posterior. width: 0 or more, in standard deviations.
    """

    name: ClassVar[str] = "regcb"
    needs_spread: ClassVar[bool] = True
    width: float = 2.0

    def __post_init__(self) -> None:
        require("width", self.width, 0.0)

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        chances = among(belief, available)
        reach = self.width * spread_of(belief)
        floor = np.where(chances > 0.0, belief.mean - reach, -np.inf).max()
        # The best mean is among them whatever rounding does to its two bounds.
        kept = chances * ((belief.mean + reach >= floor) | leaders(belief.mean, available))
        return np.asarray(kept / kept.sum())
