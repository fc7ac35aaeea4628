"""What only whole distributions tell: gathered from our own journal, which keeps that of every decision's top slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from equipoise.core import Baseline, Decision, Floats, Logged
from equipoise.evaluation.evidence import Beyond
from equipoise.evaluation.models import robust_weights
from equipoise.evaluation.targets.forecasts import PRIOR_ROWS


@dataclass(slots=True)
class Whole:
    """Grows by one settled decision at a time. clusters: item_id to its cluster; empty where nobody asks for `mips`.

    Forecasts for `mrdr` are weighted means of each item over the decisions that settled before: no decision's own reward
    is in them.
    """

    clusters: Mapping[str, int] = field(default_factory=dict)
    marginal: list[tuple[float, float]] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    means: _Means = field(default_factory=lambda: _Means())

    def add(self, logged: Logged, target: Floats, odds: Sequence[Floats | None]) -> None:
        """target: (m,) the challenger's probabilities of the slots. odds: m of (k,), None where a slot was pinned."""
        decision = logged.decision
        weights = target / np.array([slot.propensity for slot in decision.slots])
        forecasts = self.means.of(decision.candidates)
        for slot, chances in zip(decision.slots, odds, strict=True):
            own = float(self.means.of((slot.item_id,))[0])
            self.shown.append(own)
            self.expected.append(own if chances is None else float(chances @ forecasts))
        top = odds[0]
        for number, weight in enumerate(weights.tolist()):
            first = number == 0 and top is not None
            self.spread.append(_spread(top, decision) if first and top is not None else weight**2)
            self.marginal.append(self._marginal(top if number == 0 else None, decision))
        self.means.learn(logged, target)

    def beyond(self) -> Beyond:
        """Of all rows so far."""
        marginal = np.array(self.marginal, dtype=np.float64).reshape(-1, 2)
        return Beyond(
            marginal=(marginal[:, 0], marginal[:, 1]) if self.clusters else None,
            spread=np.array(self.spread),
            robust=Baseline(np.array(self.shown), np.array(self.expected)),
        )

    def _marginal(self, odds: Floats | None, decision: Decision) -> tuple[float, float]:
        """The probability of the shown item's cluster, as logged and by the challenger; 1 and 1 if it was pinned."""
        if odds is None or not self.clusters:
            return 1.0, 1.0
        groups = np.array([self.clusters.get(item_id, -1) for item_id in decision.candidates])
        same = groups == self.clusters.get(decision.slots[0].item_id, -1)
        return min(1.0, float(decision.probabilities[same].sum())), min(1.0, float(odds[same].sum()))


def _spread(odds: Floats, decision: Decision) -> float:
    """Sum over the candidates of target^2 / propensity, where there is any propensity."""
    able = decision.probabilities > 0.0
    return float((odds[able] ** 2 / decision.probabilities[able]).sum())


class _Means:
    """Weighted sums of rewards by item_id, and the shrunk means that they give."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}
        self._counts = self._total = 0.0
        self._rows = 0

    def learn(self, logged: Logged, target: Floats) -> None:
        propensities = np.array([slot.propensity for slot in logged.decision.slots])
        weights = robust_weights(propensities, target)
        for slot, weight, reward in zip(
            logged.decision.slots, weights.tolist(), logged.rewards.tolist(), strict=True
        ):
            count, total = self._sums.get(slot.item_id, (0.0, 0.0))
            self._sums[slot.item_id] = count + weight, total + weight * reward
            self._counts, self._total = self._counts + weight, self._total + weight * reward
            self._rows += 1

    def of(self, item_ids: Sequence[str]) -> Floats:
        """(k,) forecasts; 0 before any weight."""
        if self._counts <= 0.0:
            return np.zeros(len(item_ids))
        prior, middle = PRIOR_ROWS * self._counts / self._rows, self._total / self._counts
        found = np.array([self._sums.get(item_id, (0.0, 0.0)) for item_id in item_ids]).reshape(-1, 2)
        return np.asarray((found[:, 1] + prior * middle) / (found[:, 0] + prior))
