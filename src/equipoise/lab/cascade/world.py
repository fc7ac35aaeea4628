"""The cascade world: every slate of a small catalogue, so that truth is a sum and not a simulation.

A context comes by chance; the logging policy fills the slots top-down; each slot is rewarded with 1 or 0, with a
chance that may depend on the items above it (the cascade of Craswell et al. 2008 made smooth), or below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.evaluation.slates import SlateLog, with_baseline
from equipoise.lab.cascade.settings import CascadeSettings, chances, conditionals, slates


@dataclass(frozen=True, slots=True, eq=False)
class CascadeWorld:
    """logging, target: (c, k^m, m) probability of each slot's item given those above, for every slate.
    chances: (c, k^m, m) of a reward of 1. Contexts are equally likely."""

    settings: CascadeSettings
    logging: Floats
    target: Floats
    chances: Floats

    @classmethod
    def of(cls, settings: CascadeSettings, *, seed: int) -> CascadeWorld:
        """The world of this seed; logging and target policy are independent draws."""
        rng = np.random.default_rng(seed)
        reward = chances(settings, rng)
        return cls(settings, conditionals(settings, rng), conditionals(settings, rng), reward)

    def truth(self, weights: Floats | None = None) -> float:
        """Expected sum of a slate's rewards, each times its slot's weight, under the target policy."""
        slate = self.target.prod(axis=2)
        return float((slate * self._rewards(weights).sum(axis=2)).sum(axis=1).mean())

    def log(
        self,
        n: int,
        rng: np.random.Generator,
        *,
        baseline: float | Literal["learned"] | None = None,
        weights: Floats | None = None,
        on_policy: bool = False,
    ) -> SlateLog:
        """n logged slates under the logging policy.

        baseline: adds a reward model's forecasts, the true ones times this factor (1 is a perfect model);
            `learned` fits one to the log itself, on features that say which pair of items stand together.
        on_policy: the target is the logging policy itself.
        """
        target = self.logging if on_policy else self.target
        contexts = rng.integers(self.settings.contexts, size=n)
        shown = self._draw(contexts, rng)
        rewards = (rng.random((n, self.settings.slots)) < self.chances[contexts, shown]).astype(np.float64)
        log = SlateLog(
            rewards=rewards,
            propensities=self.logging[contexts, shown],
            target=target[contexts, shown],
            slot_weights=weights,
        )
        if baseline is None:
            return log
        if baseline == "learned":
            features = self._features()
            means = self._mean_features(target)
            return with_baseline(log, features[contexts, shown], means[contexts, shown], rng=rng)
        to_go, expected = (table[contexts, shown] for table in self.to_go(target, weights))
        return replace(log, q_shown=baseline * to_go, q_expected=baseline * expected)

    def to_go(self, policy: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """The true forecasts of a policy, (c, k^m, m) each, for every slate.

        First: expected rewards from slot j downwards, given the items in slots 0..j, if the policy fills those
        below. Second: its mean over the policy's item for slot j, given the items above.
        """
        s = self.settings
        cube = (s.contexts,) + (s.items,) * s.slots
        rewards = self._rewards(weights)
        shown, expected = np.empty_like(rewards), np.empty_like(rewards)
        for slot in range(s.slots):
            ahead = rewards[..., slot:].sum(axis=2).reshape(cube)
            for below in reversed(range(slot + 1, s.slots)):
                ahead = _mean_over(ahead, policy[..., below].reshape(cube), axis=below + 1)
            shown[..., slot] = ahead.reshape(s.contexts, -1)
            expected[..., slot] = _mean_over(ahead, policy[..., slot].reshape(cube), axis=slot + 1).reshape(
                s.contexts, -1
            )
        return shown, expected

    def _rewards(self, weights: Floats | None) -> Floats:
        return self.chances if weights is None else np.asarray(self.chances * weights)

    def _features(self) -> Floats:
        """(c, k^m, m, c k + k^2) which item in which context, and which items stand above which."""
        s = self.settings
        grid = slates(s)
        rows, places = np.indices(grid.shape)
        features = np.zeros((s.contexts, *grid.shape, s.contexts * s.items + s.items**2))
        for context in range(s.contexts):
            features[context, rows, places, context * s.items + grid] = 1.0
        for slot in range(s.slots):
            for above in range(slot):
                pair = s.contexts * s.items + grid[:, above] * s.items + grid[:, slot]
                features[:, np.arange(len(grid)), slot, pair] += 1.0
        return features

    def _mean_features(self, policy: Floats) -> Floats:
        """(c, k^m, m, d) their mean over the policy's item for the slot, given those above."""
        s = self.settings
        features = self._features()
        cube = (s.contexts,) + (s.items,) * s.slots
        for slot in range(s.slots):
            here = features[:, :, slot].reshape(*cube, -1)
            chances = policy[..., slot].reshape(cube)[..., None]
            # Given the items above, the slots below change nothing here, so any one of them may stand for all.
            features[:, :, slot] = _mean_over(here, chances, axis=slot + 1).reshape(
                features[:, :, slot].shape
            )
        return features

    def _draw(self, contexts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) which slate each context was shown."""
        sums = np.cumsum(self.logging.prod(axis=2), axis=1)
        uniform = rng.random(len(contexts)) * sums[contexts, -1]
        shown = np.empty(len(contexts), dtype=np.int64)
        for context in range(self.settings.contexts):
            mine = contexts == context
            shown[mine] = np.searchsorted(sums[context], uniform[mine], side="right")
        return shown


def _mean_over(values: Floats, chances: Floats, *, axis: int) -> Floats:
    """The mean along one slot's axis, put back in every place along it."""
    return np.broadcast_to((values * chances).sum(axis=axis, keepdims=True), values.shape)
