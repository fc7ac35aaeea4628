"""Which candidate leads each posterior draw, kept up to date as candidates leave for the slots above.

Counting leaders afresh for every slot of a slate passes over all s x k draws each time. A candidate that leaves
changes only the draws that it led, so a further slot costs a few rows instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, Vectors
from equipoise.policies.explorers.base import nearest

SHARED = -1
"""The leader of a draw in which several candidates tie."""


class Race:
    """The leaders of draws `samples` (s, k)."""

    def __init__(self, samples: Vectors) -> None:
        self._all = samples
        self._start()

    def _start(self) -> None:
        self._samples = self._all  # a copy once a candidate leaves
        self._gone: set[int] = set()
        self._ties: dict[int, Floats] = {}
        self._leaders, near = nearest(self._all)
        if near is not None:
            self._share(np.arange(len(self._all)), near)

    def frequencies(self, above: Sequence[int]) -> Floats:
        """Returns: (k,) the share of the draws that each candidate leads, without those `above`.

        Cheap where `above` grows from call to call; where it does not, the race starts anew.
        """
        if not self._gone.issubset(above):
            self._start()
        for position in above:
            if position not in self._gone:
                self._leave(position)
        single = self._leaders[self._leaders >= 0] if self._ties else self._leaders
        counts = np.bincount(single, minlength=self._samples.shape[1]) / len(self._leaders)
        for shares in self._ties.values():
            counts += shares / len(self._leaders)
        return counts

    def _leave(self, position: int) -> None:
        self._gone.add(position)
        if self._samples is self._all:
            self._samples = self._all.copy()
        self._samples[:, position] = -np.inf
        lost = self._leaders == position
        if self._ties:
            lost |= self._leaders == SHARED
        draws = lost.nonzero()[0]
        if draws.size:
            self._run(draws, self._samples[draws])

    def _run(self, draws: NDArray[np.int64], samples: Vectors) -> None:
        """Find the leaders of these draws, given their samples."""
        self._leaders[draws], near = nearest(samples)
        if self._ties:
            for draw in draws.tolist():
                self._ties.pop(draw, None)
        if near is not None:
            self._share(draws, near)

    def _share(self, draws: NDArray[np.int64], near: NDArray[np.bool_]) -> None:
        """The best and all within rounding of it share a draw. near: (draws, k)."""
        counts = np.count_nonzero(near, axis=1)
        for row in np.flatnonzero(counts > 1).tolist():
            self._leaders[draws[row]] = SHARED
            self._ties[int(draws[row])] = near[row] / counts[row]
