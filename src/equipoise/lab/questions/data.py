"""Questions and their answers, from a folder: train.csv and test.csv (text, category), and maybe categories.json."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from equipoise.core import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """n questions. texts: (n,). right: (n,) int64, the number of each one's right answer."""

    texts: tuple[str, ...]
    right: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True, eq=False)
class QuestionData:
    """answers: (k,) names, each also the item_id. train: learned from, one by one. test: asked without learning."""

    answers: tuple[str, ...]
    train: Asked
    test: Asked

    @property
    def answer_texts(self) -> list[str]:
        """(k,) what an encoder reads: the names with spaces between their words."""
        return [name.replace("_", " ") for name in self.answers]


def questions_from_folder(folder: Path) -> QuestionData:
    """Raises: InputError: a file that is missing, has other columns, no questions, or a category nobody knows."""
    train, test = _rows(folder / "train.csv"), _rows(folder / "test.csv")
    listed = folder / "categories.json"
    answers = _listed(listed) if listed.exists() else sorted({category for _, category in train})
    if len(answers) < 2:
        raise InputError(f"'{folder}' has {len(answers)} category but choosing needs 2 or more")
    number = {name: at for at, name in enumerate(answers)}
    return QuestionData(
        tuple(answers),
        _asked(train, number, folder / "train.csv"),
        _asked(test, number, folder / "test.csv"),
    )


def _rows(path: Path) -> list[tuple[str, str]]:
    """(text, category) of every line that has one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_columns(path, reader.fieldnames or ())
            rows = [(row["text"], row["category"]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"'{path}' cannot be read ({error}): give a folder with train.csv and test.csv"
        ) from error
    if not rows:
        raise InputError(f"'{path}' has no questions: one line each, below the header text,category")
    for number, (text, category) in enumerate(rows, start=1):
        if not (text or "").strip() or not category:
            raise InputError(
                f"question {number} of '{path}' lacks its text or its category: fill it or remove it"
            )
    return rows


def _check_columns(path: Path, found: object) -> None:
    names = list(found) if isinstance(found, (list, tuple)) else []
    for name in ("text", "category"):
        if name not in names:
            raise InputError(
                f"'{path}' has no column '{name}' but {names}: its first line must be text,category"
            )


def _listed(path: Path) -> list[str]:
    try:
        names = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"'{path}' cannot be read ({error}): it must be a JSON list of names") from error
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InputError(f'\'{path}\' must be a JSON list of names, such as ["card_arrival", "age_limit"]')
    if len(set(names)) < len(names):
        raise InputError(f"'{path}' names a category twice: name each once")
    return names


def _asked(rows: list[tuple[str, str]], number: dict[str, int], path: Path) -> Asked:
    for _, category in rows:
        if category not in number:
            raise InputError(
                f"'{path}' has the category '{category}', which is no answer: add it to categories.json, or leave"
                " its questions out"
            )
    return Asked(
        tuple(text for text, _ in rows), np.array([number[category] for _, category in rows], dtype=np.int64)
    )
