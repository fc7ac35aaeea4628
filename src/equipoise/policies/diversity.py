"""What a slot's candidates lose for being like the items above it, in units of reward.

The loss is taken off the belief before the explorer looks at it, so it changes the odds and not the
dice: every slot's propensity stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from equipoise.core import Floats, Vectors
from equipoise.policies.ranges import require


class Diversity(Protocol):
    """How alike items push each other down."""

    def shift(self, vectors: Vectors, above: Sequence[int]) -> Floats:
        """vectors: (k, e) of unit length. Returns: (k,) what to add to each candidate's mean; 0 or less."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximalMarginalRelevance:
    """Take off `weight` times the cosine with the most alike of the items above.

    Reference: Carbonell and Goldstein 1998; their lambda relates to ours as weight = (1 - lambda) / lambda.
    weight: 0 or more, in units of reward.
    """

    weight: float

    def __post_init__(self) -> None:
        require("diversity_weight", self.weight, 0.0)

    def shift(self, vectors: Vectors, above: Sequence[int]) -> Floats:
        alike = (vectors @ vectors[list(above)].T).max(axis=1)
        return np.asarray(-self.weight * alike.astype(np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Determinantal:
    """Add `weight` times the log of the share of the candidate's vector that the items above leave open.

    That share is the candidate's conditional variance in a determinantal point process whose kernel is the
    cosine: det(L_above+i) / det(L_above) = L_ii - L_ia L_aa^-1 L_ai. `RIDGE` on the diagonal keeps a duplicate's
    log finite: it costs about 14 weights. Reference: Kulesza and Taskar 2012; Chen et al. 2018, eq. 3.
    """

    weight: float

    def __post_init__(self) -> None:
        require("diversity_weight", self.weight, 0.0)

    def shift(self, vectors: Vectors, above: Sequence[int]) -> Floats:
        items = vectors.astype(np.float64)
        shown = items[list(above)]
        across = items @ shown.T
        kernel = shown @ shown.T + RIDGE * np.eye(len(shown))
        explained = np.einsum("km,mk->k", across, np.linalg.solve(kernel, across.T))
        own = np.einsum("ke,ke->k", items, items)
        share = np.clip((own - explained) / np.maximum(own, RIDGE), RIDGE, 1.0)
        return np.asarray(self.weight * np.log(share))


RIDGE = 1e-6
