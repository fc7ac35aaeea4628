"""Propensities where a log has none: who would have been shown, learned from who was.

They are estimates, and every result that rests on them has to say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize

from equipoise.core import ConfigurationError, Floats
from equipoise.learning.offline.calibration import (
    Calibrated,
    by_isotonic,
    by_temperature,
    calibration_error,
    log_loss,
)
from equipoise.learning.offline.choices import ChoiceLog, Rows, chances
from equipoise.learning.offline.objectives import likelihood
from equipoise.learning.offline.reward_model import dealt

Calibration = Literal["temperature", "isotonic", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedPropensities:
    """values: (n,) in [least, 1]. method, calibration: how they were made. temperature: if one was fitted.

    log_loss: in nats, mean -log of what was shown; even_log_loss: that of an even choice among the candidates.
    error_before, error_after: expected calibration error without and with calibration. raised: how many were
    below `least` and brought up to it.
    """

    values: Floats
    method: str
    calibration: Calibration
    temperature: float | None
    log_loss: float
    even_log_loss: float
    error_before: float
    error_after: float
    raised: int

    def __str__(self) -> str:
        """The sentence that belongs beside every result that rests on them."""
        warm = "" if self.temperature is None else f" (temperature {self.temperature:.2f})"
        return (
            f"propensities were not logged but estimated by {self.method}, calibration {self.calibration}{warm}: "
            f"calibration error {self.error_after:.4f}, log loss {self.log_loss:.3f} against {self.even_log_loss:.3f} of "
            "an even choice; what the logging policy knew and these features do not is not corrected for"
        )


def estimate_propensities(
    log: ChoiceLog,
    *,
    rng: np.random.Generator,
    calibration: Calibration = "temperature",
    folds: int = 3,
    ridge: float = 1.0,
    least: float = 1e-4,
) -> EstimatedPropensities:
    """A multinomial logistic model of who is shown, over the candidates' features (McFadden 1974), cross-fitted.

    rng: deals the folds; each choice's probability is by a model that has not seen it, calibrated after. least:
    the smallest propensity given, so that no weight exceeds 1 / least.
    Raises: ConfigurationError: an unknown calibration, or least outside (0, 1).
    """
    if calibration not in _CALIBRATIONS or not 0.0 < least < 1.0:
        raise ConfigurationError(
            f"calibration {calibration!r} and least {least}: expected one of {', '.join(_CALIBRATIONS)}, and a least "
            "propensity between 0 and 1"
        )
    odds = _unseen(log, dealt(len(log), folds, rng), ridge)
    found = _CALIBRATIONS[calibration](log, odds)
    values = found.odds[log.shown]
    return EstimatedPropensities(
        values=np.clip(values, least, 1.0),
        method="a multinomial logistic model over the candidates' features",
        calibration=calibration,
        temperature=found.temperature,
        log_loss=log_loss(log, found.odds),
        even_log_loss=float(np.log(log.sizes).mean()),
        error_before=calibration_error(log, odds),
        error_after=calibration_error(log, found.odds),
        raised=int(np.count_nonzero(values < least)),
    )


def _unseen(log: ChoiceLog, fold: Rows, ridge: float) -> Floats:
    """(r,) odds of every candidate, by a model of the other folds."""
    odds = np.empty(len(log.features))
    of_row = fold[log.choice_of]
    for held_out in np.unique(fold):
        weights = _fitted(log.take(np.flatnonzero(fold != held_out)), ridge)
        mine = of_row == held_out
        odds[mine] = chances(log, weights)[mine]
    return odds


def _fitted(log: ChoiceLog, ridge: float) -> Floats:
    objective = likelihood(log, ridge=ridge)

    def downhill(weights: Floats) -> tuple[float, Floats]:
        value, gradient = objective(weights)
        return -value, -gradient

    first = np.zeros(log.features.shape[1])
    return np.asarray(minimize(downhill, first, jac=True, method="L-BFGS-B").x)


def _as_they_are(log: ChoiceLog, odds: Floats) -> Calibrated:
    return Calibrated(odds, None)


_CALIBRATIONS = {"temperature": by_temperature, "isotonic": by_isotonic, "none": _as_they_are}
