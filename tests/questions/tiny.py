"""Small made worlds: few answers, questions that lie near them, vectors of six numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from equipoise.lab.questions.world import Questions, QuestionsWorld

ANSWERS = ("card_lost", "age_limit", "top_up")


def write(
    folder: Path, name: str, rows: list[tuple[str, str]], *, header: tuple[str, ...] = ("text", "category")
) -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def folder_of(path: Path, *, answers: list[str] | None = None) -> Path:
    """A folder of the world's format, with 12 training and 3 test questions."""
    train = [(f"question {number} about {name}", name) for number in range(4) for name in ANSWERS]
    write(path, "train.csv", train)
    write(path, "test.csv", [(f"another about {name}", name) for name in ANSWERS])
    if answers is not None:
        (path / "categories.json").write_text(json.dumps(answers), encoding="utf-8")
    return path


def world(*, train: int = 300, test: int = 60, answers: int = 4, seed: int = 3) -> QuestionsWorld:
    """Questions around centres that have nothing to do with the answers' own vectors: text misleads here."""
    rng = np.random.default_rng(seed)
    centres = unit(rng.standard_normal((answers, 6)))

    def asked(n: int) -> Questions:
        right = rng.integers(answers, size=n)
        return Questions(unit(centres[right] + 0.15 * rng.standard_normal((n, 6))), right)

    names = tuple(f"answer_{number}" for number in range(answers))
    vectors = unit(rng.standard_normal((answers, 6)))
    return QuestionsWorld(names, vectors, asked(train), asked(test), "made@1")


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
