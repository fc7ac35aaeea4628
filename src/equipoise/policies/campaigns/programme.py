"""Tests that are still to come and whose texts are known: what one teaches is believed of all that follow.

The beliefs are those of `RelatedArms.with_test` after every test. There each step copies the factor of everything seen;
here the arms to come are believed jointly once, and a finished test adds a row for each of its arms to the part of
the Cholesky factor that reaches from them to the arms still to come:

    row = root^-1 (C[I, J] - rows[:, I]' rows[:, J]),    root root' = observed covariance of the arms I

    mean[J] += row' root^-1 surprise,    covariance of J = C[J, J] - rows[:, J]' rows[:, J]

so that of N arms in all it costs O(N^2) numbers and O(N^3 / 6) operations for the whole programme. Many replays of one
programme, each with clicks of its own, share `Upcoming`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from equipoise.core import Floats, InputError
from equipoise.policies.campaigns.logits import LogitNormal
from equipoise.policies.campaigns.observed import Observed, observed


@dataclass(frozen=True, slots=True, eq=False)
class Upcoming:
    """The joint belief about the arms of u tests to come, before the first. Made by `RelatedArms.upcoming`.

    edges: (u + 1,) where each test's arms begin among all N. mean: (N,) logits. covariance: (N, N) of what their texts
    say. level, own: variances that the arms of one test share, and that each has for itself.
    """

    edges: tuple[int, ...]
    mean: Floats
    covariance: Floats
    level: float
    own: float


class Programme:
    """What is believed of the tests of a programme while it is played, test by test."""

    def __init__(self, upcoming: Upcoming) -> None:
        self._upcoming = upcoming
        self._mean = upcoming.mean.copy()
        self._rows: Floats = np.empty_like(upcoming.covariance)
        self._filled = 0
        self._next = 0

    def prior(self, test: int) -> LogitNormal:
        """The joint belief about the arms of test number `test`, which is not over yet: mean (k,), covariance (k, k).

        Raises: InputError: the test is over, or there is none of that number.
        """
        if not self._next <= test < len(self._upcoming.edges) - 1:
            raise InputError(
                f"test {test} is over or unknown: ask about {self._next} to {len(self._upcoming.edges) - 2}"
            )
        arms = slice(*self._upcoming.edges[test : test + 2])
        own = self._upcoming.own * np.eye(arms.stop - arms.start)
        return LogitNormal(self._mean[arms].copy(), self._between(arms, arms) + own + self._upcoming.level)

    def learn(self, test: int, shown: Floats, clicks: Floats) -> None:
        """Test number `test` is over. shown, clicks: (k,) counts. Arms never shown tell nothing.

        Tests end in their order; one that is left out has taught nothing.
        Raises: InputError: the test is over, there is none of that number, or the counts' shapes are wrong.
        """
        prior = self.prior(test)
        if not shown.shape == clicks.shape == prior.mean.shape:
            raise InputError(
                f"test {test} has {len(prior.mean)} arms but counts of shape {shown.shape} and {clicks.shape}"
            )
        self._next = test + 1
        seen = np.flatnonzero(shown > 0.0)
        if len(seen):
            among = LogitNormal(prior.mean[seen], prior.covariance[np.ix_(seen, seen)])
            told = observed(among, shown[seen], clicks[seen])
            self._extend(seen + self._upcoming.edges[test], told)

    def _extend(self, arms: NDArray[np.intp], told: Observed) -> None:
        later = slice(self._upcoming.edges[self._next], None)
        root = cholesky(told.covariance, lower=True, check_finite=False)
        both = np.column_stack([self._between(arms, later), told.surprise])
        solved = solve_triangular(root, both, lower=True, check_finite=False)
        row, surprise = solved[:, :-1], solved[:, -1]
        self._mean[later] += surprise @ row
        self._rows[self._filled : self._filled + len(arms), later] = row
        self._filled += len(arms)

    def _between(self, these: slice | NDArray[np.intp], those: slice) -> Floats:
        """The covariance of what the texts of two groups of arms say, given all finished tests."""
        rows = self._rows[: self._filled]
        return np.asarray(self._upcoming.covariance[these, those] - rows[:, these].T @ rows[:, those])
