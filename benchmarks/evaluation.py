"""Speed and accuracy of off-policy evaluation, each number by a command.

    python benchmarks/evaluation.py            # speed, a table: ours against the textbook formula in plain numpy
    python benchmarks/evaluation.py --json     # rows: name, ours_ms, peer, peer_ms, ratio
    python benchmarks/evaluation.py --digits   # relative errors on the digits, 20 seeds (needs equipoise[sklearn])
    python benchmarks/evaluation.py --tuning   # how well tuned estimators choose, over worlds of many kinds
    python benchmarks/evaluation.py --alone    # ips against numpy's value alone: no error, no check, no table of 80

Speed is processor time of one thread, ours and the peer in turns. The log has 1,000,000 rows of 80 actions, the target
policy's distribution is (n, 80). The peer is the textbook's formula for the value and its standard error in plain numpy,
as one writes it down. Ours also checks every number and gives the interval and the effective sample size.
The rows named "columns" start from the probability of the shown action, without the table of 80.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# Some machines set these for older libraries; they slow numpy down.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np

from equipoise.core import Baseline, Estimate
from equipoise.evaluation.estimators import (
    ClippedIps,
    Dr,
    Ips,
    OptimisticDr,
    RowEstimator,
    Sndr,
    Snips,
    SubGaussianDr,
    SubGaussianIps,
    SwitchDr,
    Tuned,
    estimator,
    of_shown,
)
from equipoise.evaluation.intervals import bootstrap

ROWS, ACTIONS = 1_000_000, 80
WARM_UP, ROUNDS = 3, 21
CEILING, SHRINKAGE, SHARE = 10.0, 100.0, 0.01
WORLDS, LOGS = 60, 12


@dataclass(frozen=True)
class Row:
    name: str
    ours_ms: float
    peer: str
    peer_ms: float
    ratio: float


@dataclass(frozen=True)
class Log:
    """rewards, propensities, forecast of the shown, expected forecast: (n,). shown: (n,). distribution: (n, 80)."""

    rewards: np.ndarray
    propensities: np.ndarray
    forecast: np.ndarray
    expected: np.ndarray
    shown: np.ndarray
    distribution: np.ndarray


def million(rng: np.random.Generator) -> Log:
    """Propensities between half and twice the even ones; the target's probabilities are of the same kind."""
    distribution = rng.uniform(0.5, 2.0, (ROWS, ACTIONS))
    distribution /= distribution.sum(axis=1, keepdims=True)
    propensities = rng.uniform(0.5, 2.0, ROWS) / ACTIONS / 1.25
    rewards = (rng.random(ROWS) < 0.1).astype(float)
    shown = rng.integers(ACTIONS, size=ROWS)
    return Log(rewards, propensities, rng.random(ROWS), rng.random(ROWS), shown, distribution)


def _mean(terms: np.ndarray) -> tuple[float, float]:
    return float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms)))


def _ratio(weights: np.ndarray, gains: np.ndarray, plus: np.ndarray | float = 0.0) -> tuple[float, float]:
    """Delta method, as in Owen 2013, chapter 9."""
    ratio = gains.sum() / weights.sum()
    terms = plus + (gains - ratio * weights) / weights.mean()
    return float(np.mean(plus) + ratio), float(terms.std(ddof=1) / np.sqrt(len(terms)))


def _robust(log: Log, weights: np.ndarray) -> tuple[float, float]:
    return _mean(log.expected + weights * (log.rewards - log.forecast))


def _harmonic(weights: np.ndarray) -> np.ndarray:
    return weights / (1.0 - SHARE + SHARE * weights)


def _sndr(log: Log, weights: np.ndarray) -> tuple[float, float]:
    return _ratio(weights, weights * (log.rewards - log.forecast), log.expected)


TEXTBOOK: dict[str, tuple[RowEstimator, Callable[[Log, np.ndarray], tuple[float, float]]]] = {
    "ips": (Ips(), lambda log, w: _mean(w * log.rewards)),
    "clipped_ips": (ClippedIps(ceiling=CEILING), lambda log, w: _mean(np.minimum(w, CEILING) * log.rewards)),
    "snips": (Snips(), lambda log, w: _ratio(w, w * log.rewards)),
    "sg_ips": (SubGaussianIps(shrinkage=SHARE), lambda log, w: _mean(_harmonic(w) * log.rewards)),
    "dr": (Dr(), _robust),
    "sndr": (Sndr(), _sndr),
    "switch_dr": (SwitchDr(ceiling=CEILING), lambda log, w: _robust(log, w * (w <= CEILING))),
    "dros": (
        OptimisticDr(shrinkage=SHRINKAGE),
        lambda log, w: _robust(log, SHRINKAGE * w / (w**2 + SHRINKAGE)),
    ),
    "sg_dr": (SubGaussianDr(shrinkage=SHARE), lambda log, w: _robust(log, _harmonic(w))),
}
"""Ours, and the formula for value and standard error, given the weights."""


def processor_ms(call: Callable[[], object]) -> float:
    start = time.process_time_ns()
    call()
    return (time.process_time_ns() - start) / 1e6


def side_by_side(name: str, ours: Callable[[], object], peer: str, theirs: Callable[[], object]) -> Row:
    """In turns, one call each, after a warm-up; medians."""
    spent = [(processor_ms(ours), processor_ms(theirs)) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    ours_ms, peer_ms = (float(np.median(column)) for column in zip(*spent, strict=True))
    return Row(name, round(ours_ms, 3), peer, round(peer_ms, 3), round(ours_ms / peer_ms, 3))


def formula_row(name: str, log: Log, target: np.ndarray | None = None) -> Row:
    """From the table of 80, or from the shown action's target probabilities. Also checks that both say the same."""
    made, formula = TEXTBOOK[name]
    baseline, every = Baseline(log.forecast, log.expected), np.arange(ROWS)

    def ours() -> Estimate:
        here = of_shown(log.distribution, log.shown) if target is None else target
        return made.estimate(log.rewards, log.propensities, here, baseline)

    def textbook() -> tuple[float, float]:
        here = log.distribution[every, log.shown] if target is None else target
        return formula(log, here / log.propensities)

    found = ours()
    assert np.allclose((found.value, found.stderr), textbook(), rtol=1e-9)
    return side_by_side(
        f"{name}, {'80 actions' if target is None else 'columns'}", ours, "plain numpy", textbook
    )


def speed() -> list[Row]:
    log = million(np.random.default_rng(0))
    target = of_shown(log.distribution, log.shown)
    rows = [formula_row(name, log, given) for given in (None, target) for name in TEXTBOOK]
    terms = Ips().terms(log.rewards, log.propensities, target)
    once = side_by_side(
        "1,000 bootstrap samples",
        lambda: bootstrap(terms, samples=1_000),
        "one estimate (ips, columns)",
        lambda: Ips().estimate(log.rewards, log.propensities, target),
    )
    return [*rows, once]


def alone() -> list[Row]:
    """What checks, error and effective sample size cost: numpy computes no more than mean(target / p x r)."""
    log = million(np.random.default_rng(0))
    target = of_shown(log.distribution, log.shown)
    return [
        side_by_side(
            "ips, columns",
            lambda: Ips().estimate(log.rewards, log.propensities, target),
            "the value alone",
            lambda: float(np.mean(target / log.propensities * log.rewards)),
        )
    ]


def digits() -> None:
    from equipoise.lab.digits import contest

    print("relative error on scikit-learn's digits, 20 seeds")
    for score in contest(seeds=20):
        print(f"{score.estimator:12} {score.relative_error:.4f} +- {score.stderr:.4f}")


def softmax(scores: np.ndarray) -> np.ndarray:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def world(rng: np.random.Generator) -> Callable[[], tuple[tuple[np.ndarray, ...], Baseline, float]]:
    """A maker of logs: 5 to 80 actions, 300 to 4,000 rows, loggers far and near, models poor to perfect."""
    actions, rows = int(rng.choice([5, 10, 30, 80])), int(rng.choice([300, 1_000, 4_000]))
    worth = rng.normal(size=(5, actions))
    habit = worth + rng.normal(size=worth.shape) * rng.choice([0.3, 1.5])
    constant, firm, knows = (
        rng.choice([-3.0, -1.0, 0.0]),
        rng.choice([0.5, 1.0, 2.0]),
        rng.choice([0.0, 0.5, 1.0]),
    )

    def log() -> tuple[tuple[np.ndarray, ...], Baseline, float]:
        context, every = rng.normal(size=(rows, 5)) / np.sqrt(5), np.arange(rows)
        chances = 1.0 / (1.0 + np.exp(-(constant + context @ worth)))
        logging, target = (
            0.9 * softmax(firm * context @ habit) + 0.1 / actions,
            softmax(2.5 * context @ worth),
        )
        shown = (rng.random((rows, 1)) > np.cumsum(logging, axis=1)[:, :-1]).sum(axis=1)
        rewards = (rng.random(rows) < chances[every, shown]).astype(float)
        forecast = knows * chances + (1.0 - knows) * chances.mean()
        baseline = Baseline(forecast[every, shown], (target * forecast).sum(axis=1))
        return (
            (rewards, logging[every, shown], target[every, shown]),
            baseline,
            float((target * chances).sum(1).mean()),
        )

    return log


def tuning() -> None:
    """Mean squared error over that of the least biased of the grid: geometric mean over the worlds, and the worst."""
    rng = np.random.default_rng(5)
    names = ("clipped_ips", "sg_ips", "switch_dr", "dros", "sg_dr")
    ratios: dict[tuple[str, str], list[float]] = {}
    for _ in range(WORLDS):
        log = world(rng)
        drawn = [log() for _ in range(LOGS)]
        for name in names:
            grid = estimator(name)
            assert isinstance(grid, Tuned)
            ways = {way: Tuned(family=grid.family, grid=grid.grid, method=way) for way in ("mse", "slope")}
            plain = _error(grid.family(grid.grid[0]), drawn)
            for way, tuned in ways.items():
                ratios.setdefault((name, way), []).append(_error(tuned, drawn) / plain)
    print("squared error over the untuned estimator's: geometric mean over worlds, worst world")
    for (name, way), found in ratios.items():
        print(f"{name:12} {way:6} {np.exp(np.mean(np.log(found))):6.3f} {max(found):7.2f}")


def _error(made: RowEstimator | Tuned, drawn: list[tuple[tuple[np.ndarray, ...], Baseline, float]]) -> float:
    """Mean squared error over the logs."""
    return float(
        np.mean([(made.estimate(*log, baseline).value - truth) ** 2 for log, baseline, truth in drawn])
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--digits", action="store_true", help="the digits table")
    parser.add_argument("--tuning", action="store_true", help="how well parameters are chosen")
    parser.add_argument("--alone", action="store_true", help="ips against the value alone")
    arguments = parser.parse_args()
    if arguments.digits or arguments.tuning:
        digits() if arguments.digits else tuning()
        return 0
    rows = alone() if arguments.alone else speed()
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return 0
    for row in rows:
        print(
            f"{row.name:32} {row.ours_ms:8.2f} ms   {row.peer} {row.peer_ms:8.2f} ms   ratio {row.ratio:.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
