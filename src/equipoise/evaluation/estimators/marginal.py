"""Marginalised IPS: weights of what an item is like, instead of which item it is.

With thousands of items the weight of a single item is wild, but items that are alike earn alike. If an item's cluster
says all that matters for the reward, the weights

    w = P(cluster | target policy) / P(cluster | logging policy)

are unbiased with far less variance (Saito and Joachims 2022, "Off-policy evaluation for large action spaces via
embeddings", with the cluster of an item's vector as its embedding). They trade bias for variance otherwise:
fewer clusters, more of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError
from equipoise.evaluation.estimators.base import Parts, RowEstimator
from equipoise.evaluation.estimators.loggers import require_rows, whole_numbers
from equipoise.evaluation.estimators.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Mips(RowEstimator):
    """mean(w r) with marginal weights: give it the pair that `marginalised` makes.

    Its propensities and target are of the shown item's cluster, not of the item; with those of the item it is IPS.
    """

    def parts(self, rows: Rows) -> Parts:
        return Parts(gain=rows.weights * rows.rewards, worth=rows.weights)


@dataclass(frozen=True, slots=True, eq=False)
class FoundMips(RowEstimator):
    """Marginalised IPS whose cluster weights are found in the log itself: the mean weight of a cluster's rows.

    A cluster's marginal weight is the expected weight of an item given the cluster (Saito and Joachims 2022, their
    equation for estimating w(x, e)); here in the mean over requests too, so that a request may act on the reward only
    through the item's cluster. Needs no distribution, only whose cluster was shown. Consistent; the terms

        w_bar r + r_bar (w - w_bar)    with means over the row's cluster

    hold the noise of the found weights too (delta method), and their mean is sum(w_bar r) / n.
    clusters: (n,) ints, of the item that each row shows.
    """

    clusters: NDArray[np.integer]
    size: ClassVar[int | None] = None

    def parts(self, rows: Rows) -> Parts:
        clusters = whole_numbers("clusters", self.clusters)
        require_rows("clusters", len(clusters), rows)
        sizes = np.maximum(np.bincount(clusters), 1)
        found = (np.bincount(clusters, weights=rows.weights) / sizes)[clusters]
        earned = (np.bincount(clusters, weights=rows.rewards) / sizes)[clusters]
        return Parts(gain=found * rows.rewards + earned * (rows.weights - found), worth=found)


def marginalised(
    logging: Floats, target: Floats, shown: NDArray[np.int64], *, clusters: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Probabilities of items to probabilities of the shown item's cluster.

    logging, target: (n, k), each policy's distribution over the k items. shown: (n,) positions in [0, k).
    clusters: (k,) ints, or (n, k) where rows have candidates of their own.
    Returns: propensities (n,) and target (n,), for `Mips`. Raises: InputError: shapes that do not fit.
    """
    logging, target = np.asarray(logging, dtype=np.float64), np.asarray(target, dtype=np.float64)
    shown, groups = whole_numbers("shown", shown), np.atleast_2d(np.asarray(clusters))
    fits = logging.ndim == 2 and target.shape == logging.shape and len(shown) == len(logging)
    if not (fits and groups.shape[1] == logging.shape[1] and len(groups) in (1, len(logging))):
        raise InputError(
            f"logging has shape {logging.shape}, target {target.shape}, shown {shown.shape}, clusters "
            f"{groups.shape} but (n, k), (n, k), (n,) and (k,) or (n, k) are expected"
        )
    rows = np.arange(len(shown))
    here = groups[rows if len(groups) > 1 else np.zeros_like(rows), shown]
    same = groups == here[:, None]
    return np.asarray((logging * same).sum(axis=1)), np.asarray((target * same).sum(axis=1))


def clustered(
    vectors: NDArray[np.floating], count: int, *, seed: int = 0, rounds: int = 25
) -> NDArray[np.int64]:
    """k-means on item vectors (Lloyd 1982, started far apart as by Arthur and Vassilvitskii 2007).

    vectors: (k, e). count: of clusters, in [1, k]. Returns: (k,) ints in [0, count).
    Raises: InputError: a count outside.
    """
    points = np.asarray(vectors, dtype=np.float64)
    if points.ndim != 2 or not 1 <= count <= len(points):
        raise InputError(
            f"{count} clusters of vectors with shape {points.shape}: give (k, e) and a count in [1, k]"
        )
    centres = _far_apart(points, count, np.random.default_rng(seed))
    nearest = _nearest(points, centres)
    for _ in range(rounds):
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, points)
        sizes = np.bincount(nearest, minlength=count)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
        before, nearest = nearest, _nearest(points, centres)
        if np.array_equal(before, nearest):
            break
    return nearest


def _nearest(points: Floats, centres: Floats) -> NDArray[np.int64]:
    scores = (centres**2).sum(axis=1) - 2.0 * points @ centres.T
    return np.asarray(scores.argmin(axis=1), dtype=np.int64)


def _far_apart(points: Floats, count: int, rng: np.random.Generator) -> Floats:
    """(count, e): each next centre drawn with the squared distance to those chosen."""
    chosen = [int(rng.integers(len(points)))]
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(count - 1):
        total = float(away.sum())
        odds = away / total if total > 0.0 else np.full(len(points), 1.0 / len(points))
        chosen.append(int(rng.choice(len(points), p=odds)))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]
