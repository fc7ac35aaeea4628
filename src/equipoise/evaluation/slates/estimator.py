"""What every slate estimator is: terms (n,) whose mean is the value, and the estimate made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from equipoise.core import Estimate, Floats, InputError
from equipoise.evaluation.slates.log import SlateLog


class Terms(Protocol):
    def __call__(self, log: SlateLog) -> Floats: ...


class Worth(Protocol):
    def __call__(self, log: SlateLog) -> float: ...


@dataclass(frozen=True, slots=True)
class SlateEstimator:
    """One way to say what another policy would have earned with its slates.

    name: as in the registry. assumes: in plain words, what must hold for the value to be right. compute: a log
    to (n,) terms whose mean is the value. weigh: a log to its effective sample size. level: of the interval.
    """

    name: str
    assumes: str
    compute: Terms
    weigh: Worth
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise InputError(f"level is {self.level} but must lie between 0 and 1: 0.95 is usual")

    def terms(self, log: SlateLog) -> Floats:
        """(n,) one number a decision; their mean is the value, their spread its uncertainty.

        Of a self-normalised estimator these are the value plus each row's influence on it (the delta method),
        so that mean and spread can be used in the same way.
        """
        return self.compute(log)

    def estimate(self, log: SlateLog) -> Estimate:
        """The value with a normal interval; from one row alone, stderr is infinite."""
        terms = self.compute(log)
        n, value = len(terms), float(terms.mean())
        stderr = float(terms.std(ddof=1) / np.sqrt(n)) if n > 1 else np.inf
        half = float(-special.ndtri((1.0 - self.level) / 2.0)) * stderr
        return Estimate(
            value=value,
            stderr=stderr,
            low=value - half,
            high=value + half,
            n=n,
            n_effective=self.weigh(log),
        )
