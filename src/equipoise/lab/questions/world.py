"""The world's rules: one pass over the training questions in an order by seed, then the test questions unlearned.

A player sees the question's vector and the answers', shows one answer, and is told whether it was right: reward 1 or
0. Nobody tells which answer would have been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Encoder, Floats, Vectors, generator
from equipoise.encoders import CachedEncoder, cache_folder, open_encoder
from equipoise.lab.questions.data import Asked, QuestionData

LAST = 5
"""The last part of the pass that is scored: one in so many."""

Watch = Callable[[int, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """n questions as vectors (n, e), unit length, and the number of each one's right answer (n,)."""

    vectors: Vectors
    right: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.right)

    def take(self, rows: NDArray[np.int64]) -> Questions:
        return Questions(self.vectors[rows], self.right[rows])


@dataclass(frozen=True, slots=True, eq=False)
class QuestionsWorld:
    """answers: (k,) item_ids. answer_vectors: (k, e). encoder: the name and version of the space they are in."""

    answers: tuple[str, ...]
    answer_vectors: Vectors
    train: Questions
    test: Questions
    encoder: str

    def stream(self, seed: int, size: int | None = None) -> Questions:
        """The training questions in this seed's order, the first `size` of them."""
        order = generator(seed, "questions-order").permutation(len(self.train))
        return self.train.take(order[:size])


class Player(Protocol):
    """Who answers. Only a reference may look at what is right before it has shown it."""

    def choose(self, question: Vectors, rng: np.random.Generator) -> tuple[int, float]:
        """question: (e,). Returns: the answer that is shown, and the propensity that its dice had for it."""
        ...

    def learn(self, question: Vectors, answer: int, *, reward: float, propensity: float) -> None: ...

    def odds(self, question: Vectors, rng: np.random.Generator) -> Floats:
        """Returns: (k,) the probability of each answer, for a question that teaches nothing."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One pass. wrong: (n,) 1 or 0 in the order of the stream. propensities: (n,). test_wrong: (t,) the probability of
    a wrong answer to each test question, by the player's own odds, floor and all."""

    wrong: Floats
    propensities: Floats
    test_wrong: Floats

    @property
    def last_fifth(self) -> float:
        """Share of wrong answers over the last fifth of the pass."""
        return float(self.wrong[-max(1, len(self.wrong) // LAST) :].mean())


def play(
    world: QuestionsWorld, player: Player, *, seed: int, name: str, size: int | None = None, watch: Watch
) -> Played:
    """Every question of the stream once, then the test questions, each with dice of its own."""
    stream = world.stream(seed, size)
    n = len(stream)
    wrong, propensities = np.empty(n), np.empty(n)
    for at, (question, right) in enumerate(zip(stream.vectors, stream.right.tolist(), strict=True)):
        answer, propensities[at] = player.choose(question, generator(seed, f"{name}-{at}"))
        wrong[at] = float(answer != right)
        player.learn(question, answer, reward=1.0 - wrong[at], propensity=float(propensities[at]))
        if (at + 1) % 500 == 0:
            watch(at + 1, float(1.0 - wrong[: at + 1].mean()))
    return Played(wrong, propensities, tested(world.test, player, seed=seed, name=name))


def tested(test: Questions, player: Player, *, seed: int, name: str) -> Floats:
    """Returns: (t,) the probability that each test question is answered wrongly."""
    right = enumerate(zip(test.vectors, test.right.tolist(), strict=True))
    return np.array(
        [
            1.0 - player.odds(question, generator(seed, f"{name}-test-{at}"))[answer]
            for at, (question, answer) in right
        ]
    )


def world_of(
    data: QuestionData, *, encoder: Encoder | None = None, folder: Path | None = None
) -> QuestionsWorld:
    """The data encoded, by the embedded encoder unless another is given; vectors are kept in the cache folder."""
    cached = CachedEncoder(encoder or open_encoder("minilm"), folder or cache_folder(None) / "vectors")
    try:
        return QuestionsWorld(
            answers=data.answers,
            answer_vectors=cached.encode(data.answer_texts),
            train=_encoded(data.train, cached),
            test=_encoded(data.test, cached),
            encoder=f"{cached.space.name}@{cached.space.version}",
        )
    finally:
        cached.close()


def _encoded(asked: Asked, encoder: CachedEncoder) -> Questions:
    return Questions(encoder.encode(asked.texts), asked.right)
