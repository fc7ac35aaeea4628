"""A stream of visitors to one headline test after the other; a player chooses, the recorded rate clicks.

All seeds are played side by side, so that a player works on arrays. Letters: b seeds, k headlines, u tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from equipoise.core import Floats, InputError, generator
from equipoise.lab.headlines.data import HeadlineTest

BATCH = 20
"""Feedback comes back after so many visitors."""

Watch = Callable[[int, float], None]
"""Told how many tests are played, and the share captured so far."""


class Stream(Protocol):
    """A player in one test, b times over."""

    def odds(self) -> Floats:
        """(b, k) probabilities, each row with sum 1, from which the next batch of visitors is served."""
        ...

    def learn(self, shown: Floats, clicks: Floats) -> None:
        """shown, clicks: (b, k) counts of the batch."""
        ...


class Player(Protocol):
    """Somebody who plays all tests in order."""

    def open(self, test: int, *, visitors: int) -> Stream:
        """Begin test number `test` of those to be played, for so many visitors."""
        ...

    def close(self, test: int, shown: Floats, clicks: Floats) -> None:
        """The test is over; shown, clicks: (b, k) counts of all its visitors."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What one player gained over uniform choice, in expected clicks.

    gained: (b, u), sum of p[shown] - T mean(p). possible: (u,), T max(p) - T mean(p).
    """

    policy: str
    visitors: int
    gained: Floats
    possible: Floats

    @property
    def captured(self) -> Floats:
        """(b,) the share of what was possible, over all tests: 0 is uniform, 1 the oracle."""
        return np.asarray(self.gained.sum(axis=1) / self.possible.sum())


def play(
    tests: Sequence[HeadlineTest],
    player: Player,
    *,
    policy: str,
    visitors: int,
    seeds: int,
    watch: Watch = lambda _done, _captured: None,
) -> Score:
    """Play every test in order, for `seeds` seeds at once.

    Raises: InputError: all headlines of all tests are equally good, so that there is nothing to gain.
    """
    possible = np.array([visitors * (test.rates.max() - test.rates.mean()) for test in tests])
    if not possible.sum() > 0.0:
        raise InputError("every test has headlines of one rate alone: there is nothing to gain by choosing")
    gained = np.zeros((seeds, len(tests)))
    for number, test in enumerate(tests):
        shown = _play_one(test, number, player, visitors=visitors, seeds=seeds)
        gained[:, number] = shown @ test.rates - visitors * test.rates.mean()
        so_far = gained[:, : number + 1].sum() / seeds / max(possible[: number + 1].sum(), 1e-300)
        watch(number + 1, float(so_far))
    return Score(policy, visitors, gained, possible)


def _play_one(test: HeadlineTest, number: int, player: Player, *, visitors: int, seeds: int) -> Floats:
    """Returns: (b, k) how often each headline was shown."""
    coins = throws(test.test_id, visitors=visitors, seeds=seeds)
    shown, clicks = np.zeros((seeds, len(test))), np.zeros((seeds, len(test)))
    stream = player.open(number, visitors=visitors)
    for start in range(0, visitors, BATCH):
        batch = serve(stream.odds(), test.rates, coins[:, start : start + BATCH])
        stream.learn(*batch)
        shown += batch[0]
        clicks += batch[1]
    player.close(number, shown, clicks)
    return shown


def throws(test_id: str, *, visitors: int, seeds: int) -> Floats:
    """(b, T, 2) the visitors' coins: one chooses, one clicks. They depend on seed and test alone, so every player
    meets the same visitors."""
    return np.stack([generator(seed, f"headlines/{test_id}").random((visitors, 2)) for seed in range(seeds)])


def serve(odds: Floats, rates: Floats, coins: Floats) -> tuple[Floats, Floats]:
    """Show a batch of visitors one headline each, by the odds, and see who clicks.

    odds: (b, k). rates: (k,). coins: (b, n, 2) uniform. Returns: (b, k) shown and (b, k) clicked.
    """
    k = len(rates)
    edges = np.cumsum(odds, axis=1)[:, : k - 1]
    choice = (coins[:, :, :1] >= edges[:, np.newaxis, :]).sum(axis=2)
    served = choice[:, :, np.newaxis] == np.arange(k)
    clicked = served & (coins[:, :, 1:] < rates)
    return served.sum(axis=1).astype(np.float64), clicked.sum(axis=1).astype(np.float64)
