"""Any scikit-learn estimator as a reward model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.core import Floats, MissingExtraError
from equipoise.evaluation.models.own import Forecast, checked_rows


@dataclass(frozen=True, slots=True, eq=False)
class ScikitModel:
    """A fresh clone for each fit. A classifier forecasts the mean of its classes under `predict_proba`.

    estimator: with `fit` and `predict`; with `sample_weight` in `fit` where weights are used.
    """

    estimator: Any

    def fit(self, features: Floats, rewards: Floats, weights: Floats | None = None) -> Forecast:
        """As `RewardModel.fit`. Raises: InputError; MissingExtraError: scikit-learn is not installed."""
        try:
            from sklearn.base import clone, is_classifier
        except ModuleNotFoundError as missing:
            raise MissingExtraError(
                "a scikit-learn reward model needs scikit-learn: pip install 'equipoise[sklearn]'"
            ) from missing
        x, y, w = checked_rows(features, rewards, weights)
        fitted = clone(self.estimator)
        fitted.fit(x, y) if weights is None else fitted.fit(x, y, sample_weight=w)
        if is_classifier(fitted):
            classes = np.asarray(fitted.classes_, dtype=np.float64)
            return lambda given: np.asarray(fitted.predict_proba(given) @ classes, dtype=np.float64)
        return lambda given: np.asarray(fitted.predict(given), dtype=np.float64)
