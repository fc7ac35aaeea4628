"""What a world is asked, and what it answers: the same for every world, so that one command plays them all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from equipoise.core import InputError

Progress = Callable[[str, int, int, float], None]
"""Called with who plays, how far they are, out of how much, and the mean so far of the world's score."""


def silent(_who: str, _done: int, _total: int, _mean: float, /) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a world's table. Its page says what each metric is.

    visitors: for how many visitors the policy chose, where the world has several lengths.
    stderr: of the value, from what the world's page says was sampled; seeds: how often it was played.
    """

    world: str
    policy: str
    metric: str
    value: float
    stderr: float
    seeds: int
    visitors: int | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """What a person may say of a play; what a world has no use for, it refuses.

    data: a folder of the world's format; None means data that the world makes or a package brings.
    policies: who plays; empty means the world's own list. seeds: how often; None means the world's own number.
    train_share: the earlier part of the data, which may be learned from as a log, in (0, 1).
    label: the class column of a classification table. visitors: lengths of stream. size: rounds, items or rows
    to play at most; None means all. picture: where to draw.
    Raises: InputError: fewer seeds than 1, a share outside (0, 1), or a length below 1.
    """

    data: Path | None = None
    policies: tuple[str, ...] = ()
    seeds: int | None = None
    train_share: float | None = None
    visitors: tuple[int, ...] = ()
    label: str | None = None
    size: int | None = None
    picture: Path | None = None
    progress: Progress = silent

    def __post_init__(self) -> None:
        if self.seeds is not None and self.seeds < 1:
            raise InputError(f"seeds is {self.seeds} but must be 1 or more: play each policy at least once")
        if self.train_share is not None and not 0.0 < self.train_share < 1.0:
            raise InputError(f"train share is {self.train_share} but must lie between 0 and 1, such as 0.7")
        for name, value in (("size", self.size), *(("visitors", count) for count in self.visitors)):
            if value is not None and value < 1:
                raise InputError(f"{name} is {value} but must be 1 or more")


@dataclass(frozen=True, slots=True)
class Outcome:
    """rows: the table. caption: one line on what the errors are over. differences: how the names of those metrics
    begin that are differences between two players."""

    rows: tuple[Row, ...]
    caption: str
    differences: tuple[str, ...] = ()


def refuse(play: Play, world: str, *names: str) -> None:
    """Raises: InputError: the play says something that this world has no use for."""
    for name in names:
        if getattr(play, name) not in (None, ()):
            raise InputError(f"the world '{world}' has no use for {name.replace('_', ' ')}: leave it out")


def write_csv(rows: Sequence[Row], path: Path) -> Path:
    """One line a row under the names of `Row`; an empty cell is None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(astuple(row) for row in rows)
    return path
