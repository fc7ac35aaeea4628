"""What to measure players against: similarity alone, and a classifier that is told all the labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from equipoise.core import Floats, Vectors
from equipoise.lab.questions.world import LAST, Player, Questions, QuestionsWorld

PENALTY = 3e-4
"""Of half the squared weights, beside the mean log loss."""

SHARPNESS = 10.0
"""What a cosine is multiplied with before the softmax."""

STEPS = 60
"""Of L-BFGS; more change no answer that counts."""


class Unmoved:
    """Learns nothing, and shows the answer that a rule names."""

    def __init__(self, rule: Callable[[Vectors], int], answers: int) -> None:
        self._rule = rule
        self._answers = answers

    def choose(self, question: Vectors, rng: np.random.Generator) -> tuple[int, float]:
        return self._rule(question), 1.0

    def learn(self, question: Vectors, answer: int, *, reward: float, propensity: float) -> None:
        """Nothing to learn."""

    def odds(self, question: Vectors, rng: np.random.Generator) -> Floats:
        odds = np.zeros(self._answers)
        odds[self._rule(question)] = 1.0
        return odds


def similarity(world: QuestionsWorld, _name: str) -> Player:
    """The answer whose text is most like the question."""
    answers = world.answer_vectors
    return Unmoved(lambda question: int((answers @ question).argmax()), len(answers))


def full_labels(world: QuestionsWorld, stream: Questions) -> tuple[Floats, Floats]:
    """Multinomial logistic regression that is told the right answer of every question, whatever was shown.

    Each fifth of the stream is answered after learning those before it, the first by similarity; the test questions
    after all of it. Returns: (n,) and (t,), 1 for a wrong answer and 0 for a right one.
    """
    parts = np.array_split(np.arange(len(stream)), LAST)
    wrong = [_wrong(stream.take(parts[0]), world.answer_vectors)]
    for at in range(1, LAST):
        weights = fitted(stream.take(np.concatenate(parts[:at])), len(world.answers))
        wrong.append(_wrong(stream.take(parts[at]), weights))
    return np.concatenate(wrong), _wrong(world.test, fitted(stream, len(world.answers)))


def fitted(asked: Questions, k: int) -> Floats:
    """Returns: (k, e) weights, one row an answer; the penalty stands in for a bias, which unit vectors hardly need."""
    x = SHARPNESS * asked.vectors.astype(np.float64)
    n, e = x.shape
    hot = np.zeros((n, k))
    hot[np.arange(n), asked.right] = 1.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(k, e)
        logs = log_softmax(x @ weights.T, axis=1)
        value = -float((hot * logs).sum()) / n + PENALTY / 2.0 * float(flat @ flat)
        slope = (np.exp(logs) - hot).T @ x / n + PENALTY * weights
        return value, slope.ravel()

    found = minimize(loss, np.zeros(k * e), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return np.asarray(found.x.reshape(k, e))


def _wrong(asked: Questions, weights: Floats | Vectors) -> Floats:
    """(n,) 1 where the row of `weights` (k, e) nearest in direction is not the right one."""
    return np.asarray((asked.vectors @ weights.T).argmax(axis=1) != asked.right, dtype=np.float64)
