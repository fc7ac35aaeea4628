"""A small world whose truth is known: two kinds of users, six items in three families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Baseline

CHANCES = np.array([[0.05, 0.10, 0.30, 0.35, 0.60, 0.70], [0.50, 0.45, 0.30, 0.20, 0.10, 0.15]])
"""(2, 6), chance of a reward by kind of user and item."""

LOGGING = np.array([[0.3, 0.25, 0.2, 0.12, 0.08, 0.05], [0.05, 0.08, 0.12, 0.2, 0.25, 0.3]])
TARGET = np.array([[0.02, 0.05, 0.1, 0.2, 0.28, 0.35], [0.4, 0.3, 0.1, 0.1, 0.05, 0.05]])
OTHER = np.array([[0.1, 0.1, 0.1, 0.2, 0.2, 0.3], [0.3, 0.3, 0.1, 0.1, 0.1, 0.1]])
FAMILIES = np.array([0, 0, 1, 1, 2, 2])

TRUTH = float((CHANCES * TARGET).sum(axis=1).mean())
WRONG = np.array([[0.3, 0.3, 0.1, 0.5, 0.3, 0.9], [0.2, 0.6, 0.2, 0.5, 0.3, 0.1]])
"""Forecasts of a poor reward model."""


@dataclass(frozen=True)
class Log:
    rewards: np.ndarray
    propensities: np.ndarray
    target: np.ndarray
    kinds: np.ndarray
    shown: np.ndarray

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.rewards, self.propensities, self.target

    def baseline(self, forecast: np.ndarray, policy: np.ndarray = TARGET) -> Baseline:
        expected = (policy * forecast).sum(axis=1)
        return Baseline(forecast[self.kinds, self.shown], expected[self.kinds])


def thrown(n: int, seed: int, *, logging: np.ndarray = LOGGING, chances: np.ndarray = CHANCES) -> Log:
    """n rows by the logging policy."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(2, size=n)
    shown = (rng.random((n, 1)) > np.cumsum(logging, axis=1)[kinds][:, :-1]).sum(axis=1)
    rewards = (rng.random(n) < chances[kinds, shown]).astype(float)
    return Log(rewards, logging[kinds, shown], TARGET[kinds, shown], kinds, shown)


def z_of(values: np.ndarray, truth: float) -> float:
    """How many standard errors the mean of independent estimates lies from the truth."""
    return float((values.mean() - truth) / (values.std(ddof=1) / np.sqrt(len(values))))
