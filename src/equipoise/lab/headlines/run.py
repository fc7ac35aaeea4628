"""`equipoise simulate headlines`."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.core import ConfigurationError, InputError, Vectors
from equipoise.engine import nearest
from equipoise.lab.headlines.baselines import BASELINES
from equipoise.lab.headlines.data import HeadlineTest, read_tests, split
from equipoise.lab.headlines.picture import captured_picture
from equipoise.lab.headlines.score import table
from equipoise.lab.headlines.season import REFERENCES, Season, names
from equipoise.lab.headlines.texts import encoded
from equipoise.lab.headlines.world import Score, play
from equipoise.lab.play import Outcome, Play, Progress, refuse

VISITORS = (200, 1_000, 5_000)
SEEDS = 10
TRAIN_SHARE = 0.7


def run(asked: Play) -> Outcome:
    """Learn from the first tests, play the others. Raises: InputError, ConfigurationError, CatalogError."""
    refuse(asked, "headlines", "label")
    if asked.data is None:
        raise InputError("the world 'headlines' brings no data: name a folder with a tests.csv by --data")
    chosen = _known(asked.policies or names())
    tests = read_tests(asked.data)
    past, played = split(tests[: asked.size], asked.train_share or TRAIN_SHARE)
    season = Season.of(past, played, _encoded((*past, *played), asked.progress))
    scores = _scores(season, chosen, asked)
    rows = table(scores, tuple(BASELINES), REFERENCES)
    if asked.picture is not None:
        captured_picture(rows, asked.picture)
    return Outcome(tuple(rows), _caption(len(past), len(played)), differences=("captured-",))


def _known(policies: Sequence[str]) -> Sequence[str]:
    for name in policies:
        if name not in names():
            raise ConfigurationError(f"nobody is called '{name}'{nearest(name, [*names()])}")
    return policies


def _encoded(tests: Sequence[HeadlineTest], progress: Progress) -> list[Vectors]:
    return encoded(tests, progress=lambda done, total: progress("encoding", done, total, 0.0))


def _scores(season: Season, policies: Sequence[str], asked: Play) -> list[Score]:
    return [
        _score(season, name, visitors, asked.seeds or SEEDS, asked.progress)
        for name in policies
        for visitors in asked.visitors or VISITORS
    ]


def _score(season: Season, name: str, visitors: int, seeds: int, progress: Progress) -> Score:
    total, label = len(season.tests), f"{name} {visitors}"
    return play(
        season.tests,
        season.player(name, seeds=seeds),
        policy=name,
        visitors=visitors,
        seeds=seeds,
        watch=lambda done, captured: progress(label, done, total, captured),
    )


def _caption(past: int, played: int) -> str:
    return (
        f"learned from {past:,} tests, played {played:,}; captured: 0 is uniform, 1 the oracle; errors by a bootstrap"
        " over tests, of captured_by_seed over seeds"
    )
