"""Probabilities of a model to probabilities that come true as often as they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression, minimize_scalar

from equipoise.core import Floats
from equipoise.learning.offline.choices import ChoiceLog, normalised

BINS = 10
SMALLEST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """odds: (r,) sum 1 within each choice. temperature: what the scores were divided by; None where they were not."""

    odds: Floats
    temperature: float | None


def by_temperature(log: ChoiceLog, odds: Floats) -> Calibrated:
    """Odds to the power 1 / t, the t in [0.05, 20] under which what was shown is likeliest (Guo et al. 2017).

    odds: (r,) of a model that has not seen the choice, or the t would only flatter it.
    """
    scores = np.log(np.maximum(odds, SMALLEST))

    def loss(log_temperature: float) -> float:
        return log_loss(log, normalised(log, scores / np.exp(log_temperature)))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    temperature = float(np.exp(found.x))
    return Calibrated(normalised(log, scores / temperature), temperature)


def by_isotonic(log: ChoiceLog, odds: Floats) -> Calibrated:
    """A rising step function from odds to how often such a candidate was shown, brought to sum 1 in each choice.

    Reference: Zadrozny & Elkan 2002. Steps of 0 get half a show in their rows, so that nothing becomes impossible.
    """
    order = np.argsort(odds, kind="stable")
    shown = np.zeros(len(odds))
    shown[log.shown] = 1.0
    fitted = isotonic_regression(shown[order]).x
    least = 0.5 / max(float(np.count_nonzero(fitted <= 0.0)), 1.0)
    found = np.empty(len(odds))
    found[order] = np.maximum(fitted, least)
    return Calibrated(found / np.add.reduceat(found, log.starts)[log.choice_of], None)


def log_loss(log: ChoiceLog, odds: Floats) -> float:
    """Mean -log of the probability of what was shown, in nats."""
    return float(-np.log(np.maximum(odds[log.shown], SMALLEST)).mean())


def calibration_error(log: ChoiceLog, odds: Floats) -> float:
    """How far probabilities are from how often they come true: mean over ten equal groups of rows by odds, in
    probability (expected calibration error)."""
    shown = np.zeros(len(odds))
    shown[log.shown] = 1.0
    groups = np.array_split(np.argsort(odds, kind="stable"), BINS)
    gaps = [len(rows) * abs(float(odds[rows].mean() - shown[rows].mean())) for rows in groups if len(rows)]
    return sum(gaps) / len(odds)
