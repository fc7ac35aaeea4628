"""The table: what share of the possible gain was captured, and how sure that is.

Two things were sampled, so there are two standard errors: the tests (a bootstrap over them, seeds averaged) and the
coins (the spread of the seeds). Differences are paired: the same tests, the same visitors' coins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from equipoise.core import Floats
from equipoise.lab.headlines.world import Score
from equipoise.lab.play import Row

WORLD = "headlines"
BOOTSTRAPS = 2_000


def table(scores: Sequence[Score], baselines: Sequence[str], references: Sequence[str] = ()) -> list[Row]:
    """Rows `captured` (error over tests) and `captured_by_seed` (error over seeds) of every score, and
    `captured-<baseline>` (paired, over tests) of those that are neither baseline nor reference."""
    rows: list[Row] = []
    for score in scores:
        rows += _own(score)
        if score.policy not in (*baselines, *references):
            rows += _differences(score, [other for other in scores if other.policy in baselines])
    return rows


def _own(score: Score) -> Iterator[Row]:
    by_seed = score.captured
    seeds = len(by_seed)
    spread = float(by_seed.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else 0.0
    yield _row(
        score, "captured", float(by_seed.mean()), over_tests(score.gained.mean(axis=0), score.possible)
    )
    yield _row(score, "captured_by_seed", float(by_seed.mean()), spread)


def _differences(score: Score, others: Sequence[Score]) -> Iterator[Row]:
    for other in others:
        if other.visitors == score.visitors:
            apart = score.gained.mean(axis=0) - other.gained.mean(axis=0)
            value = float(apart.sum() / score.possible.sum())
            yield _row(score, f"captured-{other.policy}", value, over_tests(apart, score.possible))


def _row(score: Score, metric: str, value: float, stderr: float) -> Row:
    return Row(WORLD, score.policy, metric, value, stderr, len(score.gained), score.visitors)


def over_tests(gained: Floats, possible: Floats, *, seed: int = 0) -> float:
    """Standard error of sum(gained) / sum(possible), both (u,), when the tests were sampled (Efron 1979).

    A sample in which nothing was possible says nothing and is left out.
    """
    picks = np.random.default_rng(seed).integers(0, len(gained), (BOOTSTRAPS, len(gained)))
    total = possible[picks].sum(axis=1)
    kept = total > 0.0
    return float(np.std(gained[picks].sum(axis=1)[kept] / total[kept], ddof=1))
