"""A question and its answers as candidate features (k, d), each way for another posterior."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.core import FeatureSpace, Vectors
from equipoise.lab.questions.world import QuestionsWorld

SHARED = 2
"""Every view begins with 1 and the similarity of question and answer."""

PROJECTED = 126
"""Numbers of a projected question; with the first two, as many as the package's own pairing allows."""

SEED = 20


class View:
    """(k, d) features of one question: 1, its similarity to each answer, then columns of the view's own."""

    def __init__(
        self, world: QuestionsWorld, name: str, columns: Callable[[Vectors], Vectors], width: int
    ) -> None:
        """columns: a question (e,) to (width,), the same for every answer, or to (k, width)."""
        self.space = FeatureSpace(f"questions-{name}", world.encoder, SHARED + width)
        self._answers = world.answer_vectors
        self._columns = columns

    def features(self, question: Vectors) -> Vectors:
        """question: (e,). Returns: (k, d) float32 in `space`."""
        out = np.empty((len(self._answers), self.space.dim), dtype=np.float32)
        out[:, 0] = 1.0
        out[:, 1] = self._answers @ question
        out[:, SHARED:] = self._columns(question)
        return out


def whole(world: QuestionsWorld) -> View:
    """The question's vector as it is."""
    return View(world, "whole", lambda question: question, world.answer_vectors.shape[1])


def projected(world: QuestionsWorld, *, width: int = PROJECTED) -> View:
    """The question along `width` random directions, at right angles to each other, at a length of about 1.

    No question need be seen to choose them. Reference: Johnson and Lindenstrauss 1984.
    """
    e = world.answer_vectors.shape[1]
    width = min(width, e)
    directions, _ = np.linalg.qr(np.random.default_rng(SEED).standard_normal((e, width)))
    scaled = (directions * np.sqrt(e / width)).astype(np.float32)
    return View(world, f"projected-{width}", lambda question: question @ scaled, width)


def products(world: QuestionsWorld, *, width: int = PROJECTED) -> View:
    """Question times answer, number by number, along the answers' principal directions."""
    answers = world.answer_vectors
    _, _, directions = np.linalg.svd(answers, full_matrices=False)
    kept = directions[:width].T
    coordinates = answers @ kept
    scale = np.float32(np.sqrt(kept.shape[1]))
    return View(world, "products", lambda question: (question @ kept) * coordinates * scale, kept.shape[1])
