"""Playing a stream once: a row comes, a class is shown, and only whether it was right is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from equipoise.core import Floats, Vectors
from equipoise.lab.bakeoff.stream import Stream

STEP = 500
"""Rows between two words to who watches."""

Watch = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """action: the class shown, by its position. propensity: with which it was drawn; 1 where the player says none."""

    action: int
    propensity: float = 1.0


class Player(Protocol):
    """Whoever can play: one of ours, a peer, or a reference."""

    def choose(self, context: Vectors) -> Shown:
        """context: (d,) float32, the first feature 1."""
        ...

    def learn(self, context: Vectors, shown: Shown, reward: float) -> None:
        """reward: 1 if the class was right, else 0."""
        ...


def play_once(player: Player, rows: Stream, watch: Watch) -> Floats:
    """Returns: (n,) 1 where the class shown was wrong, else 0; their running mean is the progressive error."""
    wrong = np.empty(len(rows))
    for at, (context, target) in enumerate(zip(rows.contexts, rows.targets.tolist(), strict=True)):
        shown = player.choose(context)
        right = shown.action == target
        wrong[at] = 0.0 if right else 1.0
        player.learn(context, shown, 1.0 if right else 0.0)
        if (at + 1) % STEP == 0:
            watch(at + 1, float(wrong[: at + 1].mean()))
    return wrong
