"""`equipoise simulate linear`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.core import Floats, generator
from equipoise.evaluation.charts import COLOURS, figure, plain, save
from equipoise.lab.linear.players import DEFAULT, check_names, regret_of
from equipoise.lab.linear.world import linear_world, slope
from equipoise.lab.play import Outcome, Play, Row, refuse

ITEMS = (10, 1_000, 100_000)
ROUNDS = 2_000
SEEDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One player over all seeds of one world. regrets: (s, rounds) running sums."""

    policy: str
    text: bool
    items: int
    regrets: Floats

    @property
    def world(self) -> str:
        """`text-1000` or `plain-1000`."""
        return f"{'text' if self.text else 'plain'}-{self.items}"

    def rows(self) -> list[Row]:
        """The regret after all rounds and the slope of its mean curve; errors are over seeds."""
        ends, slopes = self.regrets[:, -1], np.array([slope(curve) for curve in self.regrets])
        rows = [_row(self, "regret", ends)]
        return rows if np.isnan(slopes).any() else [*rows, _row(self, "slope", slopes)]


def _row(course: Course, metric: str, values: Floats) -> Row:
    stderr = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return Row("linear", course.policy, f"{metric}-{course.world}", float(values.mean()), stderr, len(values))


def run(play: Play) -> Outcome:
    """Every player in the same six worlds; `size` is how many rounds."""
    refuse(play, "linear", "data", "train_share", "visitors", "label")
    names = tuple(dict.fromkeys(play.policies or DEFAULT))
    check_names(names)
    worlds = [(text, items) for text in (True, False) for items in ITEMS]
    courses = [_course(play, name, text, items) for text, items in worlds for name in names]
    if play.picture is not None:
        regret_picture(courses, play.picture)
    return Outcome(
        tuple(row for course in courses for row in course.rows()),
        "regret in rewards lost, and its exponent in rounds; text: features help, plain: they do not; errors over seeds",
    )


def _course(play: Play, name: str, text: bool, items: int) -> Course:
    seeds = range(play.seeds or SEEDS)
    return Course(name, text, items, np.array([_curve(play, name, text, items, seed) for seed in seeds]))


def _curve(play: Play, name: str, text: bool, items: int, seed: int) -> Floats:
    rounds, label = play.size or ROUNDS, f"{'text' if text else 'plain'}-{items}"
    world = linear_world(items, rounds, text=text, rng=generator(seed, f"linear-{label}"))

    def watch(done: int, lost: float) -> None:
        play.progress(f"{name} {label}", done, rounds, lost)

    return regret_of(name, world, generator(seed, f"{name}-{label}"), watch)


def regret_picture(courses: Sequence[Course], path: Path) -> Path:
    """Regret over rounds, both logarithmic: a panel a world, and the square root of rounds that theory promises.

    Raises: MissingExtraError: matplotlib is not installed.
    """
    drawn = figure(width=12.0, height=7.2)
    for at, world in enumerate(dict.fromkeys(course.world for course in courses)):
        axes = drawn.add_subplot(2, 3, at + 1)
        here = [course for course in courses if course.world == world and course.regrets.any()]
        for course, colour in zip(here, COLOURS * 2, strict=False):
            curve = course.regrets.mean(axis=0)
            rounds = np.arange(1, len(curve) + 1)
            axes.plot(rounds, curve, color=colour, lw=1.5, label=f"{course.policy}  {curve[-1]:.0f}")
        if here:
            _theory(axes, max(float(course.regrets.mean(axis=0)[-1]) for course in here), len(curve))
        kind, items = world.split("-")
        told = "text that helps" if kind == "text" else "text that does not"
        plain(axes, title=f"{int(items):,} items, {told}", xlabel="rounds", ylabel="regret")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.legend(frameon=False, fontsize=7)
    return save(drawn, path)


def _theory(axes: Any, end: float, rounds: int) -> None:
    """A line of slope one half, up to `end` at the last round, and one of slope 1 beside it."""
    at = np.array([1.0, float(rounds)])
    axes.plot(at, end * (at / rounds) ** 0.5, color="#333333", lw=1.0, ls="--", label="slope 1/2")
    axes.plot(at, end * (at / rounds), color="#333333", lw=1.0, ls=":", label="slope 1")
