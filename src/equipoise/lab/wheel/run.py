"""`equipoise simulate wheel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from equipoise.core import Floats, generator
from equipoise.evaluation.charts import COLOURS, figure, plain, save
from equipoise.lab.play import Outcome, Play, Row, refuse
from equipoise.lab.wheel.players import DEFAULT, check_names, choices
from equipoise.lab.wheel.world import Wheel, wheel

DELTAS = (0.5, 0.7, 0.9, 0.95)
ROUNDS = 80_000
SEEDS = 5
POINTS = 200
"""On a curve."""


@dataclass(frozen=True, slots=True, eq=False)
class Spin:
    """One player over all seeds of one delta. curves: (s, p) regret so far, in % of what uniform's play loses in all
    rounds, after each of `rounds` (p,) rounds."""

    policy: str
    delta: float
    rounds: Floats
    curves: Floats

    def row(self) -> Row:
        """The regret after all rounds; its error is over seeds."""
        ends = self.curves[:, -1]
        error = float(ends.std(ddof=1) / np.sqrt(len(ends))) if len(ends) > 1 else 0.0
        metric = f"regret-percent-{self.delta:g}"
        return Row("wheel", self.policy, metric, float(ends.mean()), error, len(ends))


def run(play: Play) -> Outcome:
    """Every player on the same streams; `size` is how many rounds."""
    refuse(play, "wheel", "data", "train_share", "visitors", "label")
    names = tuple(dict.fromkeys(play.policies or DEFAULT))
    check_names(names)
    spins = [_spin(play, name, delta) for name in names for delta in DELTAS]
    if play.picture is not None:
        wheel_picture(spins, play.picture)
    return Outcome(
        tuple(spin.row() for spin in spins),
        "regret in % of uniform's; the number in the metric is delta; errors over seeds",
    )


def _spin(play: Play, name: str, delta: float) -> Spin:
    size = play.size or ROUNDS
    rounds = np.unique(np.linspace(1, size, min(size, POINTS)).astype(np.int64))
    curves = [_curve(play, name, delta, seed, size)[rounds - 1] for seed in range(play.seeds or SEEDS)]
    return Spin(name, delta, rounds.astype(np.float64), np.array(curves))


def _curve(play: Play, name: str, delta: float, seed: int, size: int) -> Floats:
    """Returns: (size,) regret so far, in % of uniform's over all rounds."""
    world = wheel(size, delta=delta, rng=generator(seed, f"wheel-{delta:g}"))

    def watch(done: int, mean: float) -> None:
        play.progress(f"{name} {delta:g} seed {seed}", done, size, mean)

    chosen = choices(name, world, generator(seed, f"{name}-{delta:g}"), watch)
    return regret_percent(world, chosen)


def regret_percent(world: Wheel, chosen: np.ndarray) -> Floats:
    """chosen: (n,) actions. Returns: (n,) running sum of lost mean reward, in % of uniform's expected loss over n."""
    losses = world.losses
    lost = losses[np.arange(len(chosen)), chosen].cumsum()
    return np.asarray(100.0 * lost / losses.mean(axis=1).sum())


def wheel_picture(spins: Sequence[Spin], path: Path) -> Path:
    """Regret over rounds, one panel a delta. Raises: MissingExtraError: matplotlib is not installed."""
    drawn = figure(width=11.0, height=6.4)
    for at, delta in enumerate(DELTAS):
        axes = drawn.add_subplot(2, 2, at + 1)
        here = [spin for spin in spins if spin.delta == delta and spin.policy != "oracle"]
        for spin, colour in zip(here, COLOURS * 2, strict=False):
            mean = spin.curves.mean(axis=0)
            axes.plot(spin.rounds, mean, color=colour, lw=1.7, label=f"{spin.policy}  {mean[-1]:.2f}")
        plain(axes, title=f"wheel, delta {delta:g}", xlabel="rounds", ylabel="regret, % of uniform's")
        axes.legend(frameon=False, fontsize=8)
        axes.set_ylim(0.0)
    return save(drawn, path)
