"""Softmax on similarity, with a learned sharpness and item values that adapt.

    pi_i = exp(C s_i) / sum_j exp(C s_j),    s_i = S_i + w Q_i

S_i is the candidate's similarity to the request, or, where the policy was not told which feature that is, the
posterior's mean. Q_i is what this very item has lately been worth,

    Q_i <- alpha_i r + (1 - alpha_i) Q_i,    alpha_i <- alpha_i + eta (|r - Q_i| - alpha_i),

so that surprises make an item quick to learn and confirmations make it slow (associability: Pearce and Hall 1980;
the hybrid of Li et al. 2011). An item never shown is worth the running mean reward.

C climbs the expected reward by REINFORCE (Williams 1992): d log pi_i / dC = s_i - sum_j pi_j s_j. A settled row
does not carry the other candidates, so that sum is replaced by the running mean of s over shown rows, which
estimates its average over requests; C <- C + rate (r - mean r) (s_i - mean s). The step is exact on average
where requests are alike, and attenuated or biased by as much as reward and s move together between
requests. Rows must come from this policy's own choices. Rewards are assumed to lie in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, Floats, State
from equipoise.policies.base import Belief
from equipoise.policies.ranges import require
from equipoise.policies.stored import names, stored
from equipoise.policies.weights import copies, refuse_heavy, weights_of

SHARPEST = 200.0
"""Beyond this C the softmax of similarities is greedy, and its gradient is lost."""

SLOWEST = 0.01
"""Running means never average over more than about 100 rows, and an item never stops learning."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxSettings:
    """sharpness: C before any row, 0 to 200. rate: its step, 0 to keep it. value_weight: w, 0 to leave item
    values out. associability: alpha of an item's first row, in [0, 1]. adaptation: eta, in [0, 1].
    """

    sharpness: float = 5.0
    rate: float = 0.5
    value_weight: float = 0.5
    associability: float = 0.5
    adaptation: float = 0.2

    def __post_init__(self) -> None:
        require("sharpness", self.sharpness, 0.0, SHARPEST)
        require("rate", self.rate, 0.0)
        require("value_weight", self.value_weight, 0.0)
        require("associability", self.associability, 0.0, 1.0)
        require("adaptation", self.adaptation, 0.0, 1.0)


class Softmax:
    """The one explorer that learns: its sharpness and its items' values."""

    name: ClassVar[str] = "softmax"
    draws: ClassVar[int] = 0
    needs_spread: ClassVar[bool] = False
    learns: ClassVar[bool] = True

    def __init__(self, settings: SoftmaxSettings | None = None) -> None:
        self._settings = settings or SoftmaxSettings()
        self._sharpness = self._settings.sharpness
        self._rows: float = 0
        self._mean_reward = 0.0
        self._mean_score = 0.0
        self._values: dict[str, tuple[float, float]] = {}

    @property
    def sharpness(self) -> float:
        """C as learned so far."""
        return self._sharpness

    def value(self, item_id: str) -> float:
        """Q of the item; the running mean reward if it was never shown."""
        return self._values.get(item_id, (self._mean_reward, 0.0))[0]

    def distribution(self, belief: Belief, available: NDArray[np.bool_] | None = None) -> Floats:
        signal = belief.mean if belief.similarity is None else belief.similarity
        heights = self._sharpness * (signal + self._worth(belief.item_ids))
        if available is not None:
            heights = np.where(available, heights, -np.inf)
        odds = np.exp(heights - heights.max())
        return np.asarray(odds / odds.sum())

    def update(self, batch: Batch, signals: Floats) -> None:
        refuse_heavy(batch, who="softmax")
        rows = zip(batch.item_ids, signals.tolist(), batch.rewards.tolist(), weights_of(batch), strict=True)
        for item_id, signal, reward, weight in rows:
            for share in copies(weight):
                self._climb(signal + self._settings.value_weight * self.value(item_id), reward, share)
                self._revalue(item_id, reward, share)

    def _worth(self, item_ids: tuple[str, ...]) -> Floats | float:
        weight = self._settings.value_weight
        return weight * np.array([self.value(item_id) for item_id in item_ids]) if weight else 0.0

    def _climb(self, score: float, reward: float, share: float) -> None:
        """share: of a row, in (0, 1], that every step is multiplied by."""
        if self._rows:
            step = share * (reward - self._mean_reward) * (score - self._mean_score)
            self._sharpness = min(max(self._sharpness + self._settings.rate * step, 0.0), SHARPEST)
        self._rows += 1 if share == 1.0 else share
        pace = max(share / self._rows, share * SLOWEST)
        self._mean_reward += pace * (reward - self._mean_reward)
        self._mean_score += pace * (score - self._mean_score)

    def _revalue(self, item_id: str, reward: float, share: float) -> None:
        unseen = (self._mean_reward, self._settings.associability)
        value, alpha = self._values.get(item_id, unseen)
        surprise = abs(reward - value)
        quicker = alpha + share * self._settings.adaptation * (surprise - alpha)
        self._values[item_id] = (value + share * alpha * (reward - value), min(max(quicker, SLOWEST), 1.0))

    def state(self) -> State:
        return {
            "climb": np.array([self._sharpness, self._mean_reward, self._mean_score]),
            "rows": np.array(self._rows),
            "ids": names(self._values),
            "values": np.array(list(self._values.values())).reshape(len(self._values), 2),
        }

    def restore(self, state: State) -> None:
        ids = [str(item_id) for item_id in stored(state, "ids")]
        values = stored(state, "values", (len(ids), 2)).tolist()
        climb = stored(state, "climb", (3,)).tolist()
        self._rows = stored(state, "rows", ()).item()
        self._sharpness, self._mean_reward, self._mean_score = climb
        self._values = {item_id: (q, alpha) for item_id, (q, alpha) in zip(ids, values, strict=True)}
