"""What a policy learned from a log tries to make large, with its gradient.

With w_i = min(clip, pi(shown_i) / p_i), and a reward model's forecasts q:

- ips:   u_i = w_i r_i                                   (Swaminathan & Joachims 2015)
- dr:    u_i = sum_a pi(a) q(a) + w_i (r_i - q(shown_i)) (Dudík et al. 2011)
- snips: the ratio sum(w r) / sum(w)                     (Swaminathan & Joachims 2015b, Norm-POEM)

the objective is   mean(u) - variance * sqrt(Var(u) / n) - ridge |weights|^2 / (2 n),   the counterfactual risk
minimisation of POEM: of two policies that look alike, the one that the log knows better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.learning.offline.choices import ChoiceLog, chances

Objective = Callable[[Floats], tuple[float, Floats]]
"""Weights (d,) to value and gradient (d,)."""

TINY = 1e-12


def additive(log: ChoiceLog, q: Floats | None, *, clip: float, variance: float, ridge: float) -> Objective:
    """ips where `q` is None, else dr. q: (r,) forecast of every candidate."""
    propensities, choice, n = log.logged(), log.choice_of, len(log)
    forecast = np.zeros(len(log.features)) if q is None else q
    left = log.rewards - forecast[log.shown]

    def objective(weights: Floats) -> tuple[float, Floats]:
        odds = chances(log, weights)
        ratios = odds[log.shown] / propensities
        kept = np.minimum(ratios, clip)
        model = np.add.reduceat(odds * forecast, log.starts)
        terms = kept * left + model
        spread = np.sqrt(terms.var(ddof=1) / n) if n > 1 else 0.0
        value = terms.mean() - variance * spread - ridge * (weights @ weights) / (2 * n)
        push = 1.0 / n - variance * (terms - terms.mean()) / (n * max(n - 1, 1) * max(spread, TINY))
        moved = push * kept * left * (ratios <= clip)
        rows = odds * (push[choice] * (forecast - model[choice]) - moved[choice])
        return float(value), _gradient(log, moved, rows) - ridge * weights / n

    return objective


def normalising(log: ChoiceLog, *, clip: float, variance: float, ridge: float) -> Objective:
    """snips, with the variance of the ratio by the delta method."""
    propensities, choice, n, rewards = log.logged(), log.choice_of, len(log), log.rewards

    def objective(weights: Floats) -> tuple[float, Floats]:
        odds = chances(log, weights)
        ratios = odds[log.shown] / propensities
        kept = np.minimum(ratios, clip)
        total = max(float(kept.sum()), TINY)
        value = float(kept @ rewards) / total
        off = rewards - value
        squares = float((kept * off) @ (kept * off))
        spread = np.sqrt(squares) / total
        slope = off / total
        along = 2.0 * kept * off**2 - 2.0 * float((kept * kept) @ off) * slope
        push = slope - variance * (along / (2.0 * max(np.sqrt(squares), TINY) * total) - spread / total)
        moved = push * kept * (ratios <= clip)
        gradient = _gradient(log, moved, -odds * moved[choice]) - ridge * weights / n
        return value - variance * spread - ridge * float(weights @ weights) / (2 * n), gradient

    return objective


def likelihood(log: ChoiceLog, *, ridge: float) -> Objective:
    """Mean log probability of what was shown: who chose, not what it earned."""
    choice, n = log.choice_of, len(log)

    def objective(weights: Floats) -> tuple[float, Floats]:
        odds = chances(log, weights)
        value = float(np.log(np.maximum(odds[log.shown], 1e-300)).mean())
        moved = np.full(n, 1.0 / n)
        gradient = _gradient(log, moved, -odds * moved[choice]) - ridge * weights / n
        return value - ridge * float(weights @ weights) / (2 * n), gradient

    return objective


def _gradient(log: ChoiceLog, shown: Floats, rows: Floats) -> Floats:
    """(d,) sum of shown (n,) times the shown features, and rows (r,) times all features."""
    every = rows.copy()
    every[log.shown] += shown
    features: NDArray[np.floating] = log.features
    return np.asarray(every.astype(features.dtype) @ features, dtype=np.float64)
