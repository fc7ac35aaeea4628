"""scikit-learn's digits as a logged bandit.

The protocol is that of Open Bandit Pipeline's published run (its example for multi-class data, after Dudik et al.
2011 and Su et al. 2020): 30 % of the images train two classifiers. The logging policy is a logistic regression,
played with probability 0.4 and even dice else; the target policy is a small random forest, played with
probability 0.9.
The other 70 % are logged once each: the policy names a digit and earns 1 if it is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, Floats, MissingExtraError
from equipoise.evaluation.models import ScikitModel, action_pairs, cross_fitted, with_actions

ACTIONS = 10
LOGGED_SHARE = 0.7
LOGGING_SKILL, TARGET_SKILL = 0.4, 0.9
FOLDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class DigitsLog:
    """n logged images. context: (n, 64). actions: (n,) in [0, 10). rewards: (n,), 0 or 1.

    logging, target: (n, 10), each policy's distribution. truth: what the target policy earns on these images.
    """

    context: Floats
    actions: NDArray[np.int64]
    rewards: Floats
    logging: Floats
    target: Floats
    truth: float

    @property
    def propensities(self) -> Floats:
        """(n,), of the logged actions."""
        return self._of_shown(self.logging)

    @property
    def target_of_shown(self) -> Floats:
        """(n,), the target policy's probability of the logged actions."""
        return self._of_shown(self.target)

    def baseline(self, *, seed: int = 0, weights: Floats | None = None) -> Baseline:
        """What 30 shallow boosted trees make of pixels and action, cross-fitted; far too few for a good forecast."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        trees = HistGradientBoostingClassifier(
            max_iter=30, learning_rate=0.01, max_depth=5, min_samples_leaf=10, random_state=12345
        )
        return cross_fitted(
            ScikitModel(trees),
            with_actions(self.context, self.actions, ACTIONS),
            self.rewards,
            candidates=action_pairs(self.context, self.target),
            folds=FOLDS,
            seed=seed,
            weights=weights,
        )

    def _of_shown(self, distribution: Floats) -> Floats:
        return np.asarray(distribution[np.arange(len(self.actions)), self.actions])


def digits_log(seed: int) -> DigitsLog:
    """The log of one seed, which splits the images and throws the logging policy's dice.

    Raises: MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
    except ModuleNotFoundError as missing:
        raise MissingExtraError("the digits need scikit-learn: pip install 'equipoise[sklearn]'") from missing
    images, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits))
    train, logged = np.split(order, [len(digits) - round(LOGGED_SHARE * len(digits))])
    skilled = LogisticRegression(C=100, max_iter=10_000, random_state=12345)
    forest = RandomForestClassifier(n_estimators=30, max_depth=5, min_samples_leaf=10, random_state=12345)
    logging, target = (
        _softened(model.fit(images[train], digits[train]).predict(images[logged]), skill)
        for model, skill in ((skilled, LOGGING_SKILL), (forest, TARGET_SKILL))
    )
    actions = (rng.random((len(logged), 1)) > np.cumsum(logging, axis=1)[:, :-1]).sum(axis=1)
    rewards = (actions == digits[logged]).astype(np.float64)
    truth = float(target[np.arange(len(logged)), digits[logged]].mean())
    return DigitsLog(np.asarray(images[logged], float), actions, rewards, logging, target, truth)


def _softened(named: NDArray[Any], skill: float) -> Floats:
    """(n, 10): the named digit with probability `skill`, even dice else. named: (n,)."""
    return np.asarray(skill * np.eye(ACTIONS)[named] + (1.0 - skill) / ACTIONS)
