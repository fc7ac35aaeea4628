"""Two reward models of our own: ridge and logistic regression.

A model is a frozen recipe: `fit` gives a forecast, a function from features (p, d) to rewards (p,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from equipoise.core import Floats, InputError

Forecast: TypeAlias = Callable[[Floats], Floats]
"""Features (p, d) to forecast rewards (p,)."""


class RewardModel(Protocol):
    """A recipe for forecasts."""

    def fit(self, features: Floats, rewards: Floats, weights: Floats | None = None) -> Forecast:
        """features: (n, d). rewards: (n,). weights: (n,) at least 0, how much each row counts; None for alike."""
        ...


@dataclass(frozen=True, slots=True)
class Ridge:
    """Least squares with a penalty on the squared slopes, none on the constant (Hoerl and Kennard 1970).

    penalty: above 0, in rows: the prior precision of a slope in units of the noise's.
    """

    penalty: float = 1.0

    def __post_init__(self) -> None:
        _above_zero(self.penalty)

    def fit(self, features: Floats, rewards: Floats, weights: Floats | None = None) -> Forecast:
        """As `RewardModel.fit`. Raises: InputError."""
        x, y, w = checked_rows(features, rewards, weights)
        mean_x, mean_y = w @ x / w.sum(), float(w @ y / w.sum())
        centred = x - mean_x
        gram = (centred * w[:, None]).T @ centred + self.penalty * np.eye(x.shape[1])
        slopes = np.linalg.solve(gram, centred.T @ (w * (y - mean_y)))
        return lambda given: np.asarray(mean_y + (given - mean_x) @ slopes)


@dataclass(frozen=True, slots=True)
class Logistic:
    """The chance of a reward, by Newton's steps on the penalised likelihood; for rewards in [0, 1].

    penalty: above 0, the prior precision of a slope; the constant has none of note. steps: at most so many.
    """

    penalty: float = 1.0
    steps: int = 50

    def __post_init__(self) -> None:
        _above_zero(self.penalty)

    def fit(self, features: Floats, rewards: Floats, weights: Floats | None = None) -> Forecast:
        """As `RewardModel.fit`. Raises: InputError: also for a reward outside [0, 1]."""
        x, y, w = checked_rows(features, rewards, weights)
        if y.min() < 0.0 or y.max() > 1.0:
            raise InputError(
                f"rewards lie between {y.min():g} and {y.max():g} but a logistic model needs them in [0, 1]: take Ridge"
            )
        mean = w @ x / w.sum()
        design = np.column_stack([np.ones(len(x)), x - mean])
        penalty = np.full(design.shape[1], self.penalty)
        penalty[0] = 1e-9 * w.sum()
        found = _newton(design, y, w, penalty, self.steps)
        return lambda given: _chance(found[0] + (given - mean) @ found[1:])


def _newton(design: Floats, y: Floats, w: Floats, penalty: Floats, steps: int) -> Floats:
    """(d + 1,), the most likely coefficients; a step that does not help is halved."""
    share = float(np.clip(w @ y / w.sum(), 1e-6, 1.0 - 1e-6))
    found = np.zeros(design.shape[1])
    found[0] = np.log(share / (1.0 - share))
    loss = _loss(found, design, y, w, penalty)
    for _ in range(steps):
        chance = _chance(design @ found)
        slope = design.T @ (w * (chance - y)) + penalty * found
        curve = (design * (w * chance * (1.0 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-6 and _loss(found - size * step, design, y, w, penalty) > loss:
            size /= 2.0
        found = found - size * step
        before, loss = loss, _loss(found, design, y, w, penalty)
        if before - loss <= 1e-10 * (1.0 + abs(loss)):
            break
    return found


def _loss(found: Floats, design: Floats, y: Floats, w: Floats, penalty: Floats) -> float:
    logits = design @ found
    return float(w @ (np.logaddexp(0.0, logits) - y * logits) + 0.5 * penalty @ found**2)


def _chance(logits: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def _above_zero(penalty: float) -> None:
    if not penalty > 0.0:
        raise InputError(f"penalty is {penalty!r} but must be above 0: 1 is a mild one")


def checked_rows(features: Floats, rewards: Floats, weights: Floats | None) -> tuple[Floats, Floats, Floats]:
    """x (n, d), y (n,) and w (n,) as float64. Raises: InputError: shapes or numbers that do not fit."""
    x, y = np.asarray(features, dtype=np.float64), np.asarray(rewards, dtype=np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if x.ndim != 2 or y.shape != (len(x),) or w.shape != y.shape or len(x) == 0:
        raise InputError(
            f"features have shape {x.shape}, rewards {y.shape}, weights {w.shape} but (n, d), (n,), (n,) are expected"
        )
    good = np.isfinite(x).all(axis=1) & np.isfinite(y) & np.isfinite(w) & (w >= 0.0)
    if not good.all():
        raise InputError(
            f"row {int(np.flatnonzero(~good)[0])} has a feature, a reward or a weight that is no finite number, or a "
            "weight below 0: drop the row"
        )
    if not w.sum() > 0.0:
        raise InputError("all weights are 0: there is nothing to learn from")
    return x, y, w
