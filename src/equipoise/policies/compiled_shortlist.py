"""`shortlist` as a single compiled call. numba is imported at the first call, and only there.

Its passes touch little memory and little code, which is what a decision among other work waits for: by the time the
items have been read, the caches hold nothing else. The product of draws and candidates stays with BLAS, near the peak
of a core, and comes out candidate by candidate, so that the best of every draw is found for eight draws at a
time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from equipoise.core import MissingExtraError

NEAR = np.float32(1e-6)
"""`explorers.base.TIE`, in float32: values this near are one."""

HUGE = np.float32(np.inf)


@lru_cache(maxsize=1)
def weighed() -> Any:
    """Returns: `whole(items, weights, request, strays, draws, k, floor)`, which gives rows (k,) and
    probabilities (k,), or none where a score is not finite. Compiled at the first call, in a few seconds.

    Sums may be taken in any order. Only once every score is known to be finite are numbers taken to be no NaN.
    Raises: MissingExtraError: numba is not installed.
    """
    try:
        import numba
    except ImportError:
        raise MissingExtraError(
            "arithmetic 'compiled' needs numba: pip install 'equipoise[fast]', or set it to 'blas' and rebuild"
        ) from None
    exact: Any = numba.njit(error_model="numpy")
    sums: Any = numba.njit(fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
    quick: Any = numba.njit(fastmath={"reassoc", "contract", "nsz", "nnan"}, error_model="numpy")
    size, finite, highest, above = sums(_size), exact(_finite), quick(_highest), quick(_above)
    chosen, untied, featured, best = exact(_chosen), exact(_untied), quick(_featured), quick(_best)
    product, counted, shared, mixed = exact(_product), quick(_counted), exact(_shared), exact(_mixed)

    threshold = _halving(exact, highest, above)

    def whole(
        items: Any, weights: Any, request: Any, strays: Any, draws: int, k: int, floor: float
    ) -> tuple[Any, Any]:
        scores = np.dot(items, product(weights, request))
        if not finite(size(scores)):
            return np.empty(0, dtype=np.int64), np.empty(0)
        edge = threshold(scores, k)
        rows = chosen(scores, edge)
        if len(rows) > k:
            rows = untied(scores, edge, rows, k)
        features, means = featured(items, scores, rows, request)
        strayed = np.dot(features, strays.T)
        up, down = best(strayed, means)
        if draws % 2:
            down[-1] = HUGE  # the last of an odd number of draws has no mirror image
        leads, total = counted(strayed, means, up, down)
        if total != draws:
            shared(strayed, means, up, down, leads)
        mixed(leads, draws, min(floor, 1.0 / k))
        return rows, leads

    return exact(whole)


def _halving(exact: Any, highest: Any, above: Any) -> Any:
    """Returns: `threshold(scores, k)`."""

    def threshold(scores: Any, k: int) -> Any:
        """Where exactly k scores are as great, or the k-th greatest itself, if others equal it: by halving."""
        low, high = -highest(scores, np.float32(-1.0)), highest(scores, np.float32(1.0))
        if above(scores, high) >= k:
            return high
        while True:
            middle = np.float32((np.float64(low) + np.float64(high)) / 2.0)
            if middle <= low or middle >= high:
                return low
            count = above(scores, middle)
            if count == k:
                return middle
            if count > k:
                low = middle
            else:
                high = middle

    return exact(threshold)


def _product(weights: Any, request: Any) -> Any:
    """(d,) float32 weights x request."""
    query = np.empty(len(request), dtype=np.float32)
    for i in range(len(request)):
        query[i] = weights[i] * request[i]
    return query


def _size(scores: Any) -> float:
    total = 0.0
    for score in scores:
        total += abs(score)
    return total


def _finite(number: float) -> bool:
    return bool(np.isfinite(number))


def _highest(scores: Any, sign: Any) -> Any:
    """The greatest of `sign` x score."""
    found = sign * scores[0]
    for i in range(len(scores)):
        found = max(found, sign * scores[i])
    return found


def _above(scores: Any, threshold: Any) -> int:
    """How many scores are at least so great."""
    count = np.int32(0)
    for i in range(len(scores)):
        count = np.int32(count + np.int32(scores[i] >= threshold))
    return int(count)


def _chosen(scores: Any, threshold: float) -> Any:
    """The rows whose scores are at least so great, ascending. No branch: which way it goes could not be foretold."""
    rows = np.empty(len(scores), dtype=np.int64)
    found = 0
    for i in range(len(scores)):
        rows[found] = i
        found += scores[i] >= threshold
    return rows[:found].copy()


def _untied(scores: Any, threshold: float, rows: Any, k: int) -> Any:
    """The same rows without those that are at the threshold and too many."""
    kept = np.empty(k, dtype=np.int64)
    equal, found = k, 0
    for row in rows:
        equal -= scores[row] > threshold
    for row in rows:
        at = scores[row] == threshold
        if not at or equal > 0:
            kept[found] = row
            found += 1
            equal -= at
    return kept


def _featured(items: Any, scores: Any, rows: Any, request: Any) -> tuple[Any, Any]:
    """(k, d) request x item, and (k,) its score."""
    features = np.empty((len(rows), len(request)), dtype=np.float32)
    means = np.empty(len(rows), dtype=np.float32)
    for j in range(len(rows)):
        means[j], into, item = scores[rows[j]], features[j], items[rows[j]]
        for i in range(len(request)):
            into[i] = item[i] * request[i]
    return features, means


def _best(strayed: Any, means: Any) -> tuple[Any, Any]:
    """strayed: (k, p). Returns: (p,) and (p,), from where on a candidate leads the draw mean + e, and mean - e.

    Four candidates at a time, so that the best so far is loaded and stored a quarter as often.
    """
    k, p = strayed.shape
    up, down = np.empty(p, dtype=np.float32), np.empty(p, dtype=np.float32)
    for t in range(p):
        up[t], down[t] = -HUGE, -HUGE
    for block in range(k // 4):
        j = 4 * block
        m0, m1, m2, m3 = means[j], means[j + 1], means[j + 2], means[j + 3]
        e0, e1, e2, e3 = strayed[j], strayed[j + 1], strayed[j + 2], strayed[j + 3]
        for t in range(p):
            up[t] = max(up[t], max(max(m0 + e0[t], m1 + e1[t]), max(m2 + e2[t], m3 + e3[t])))
            down[t] = max(down[t], max(max(m0 - e0[t], m1 - e1[t]), max(m2 - e2[t], m3 - e3[t])))
    for j in range(k - k % 4, k):
        m, e = means[j], strayed[j]
        for t in range(p):
            up[t], down[t] = max(up[t], m + e[t]), max(down[t], m - e[t])
    for t in range(p):
        up[t] -= NEAR * abs(up[t])
        down[t] -= NEAR * abs(down[t])
    return up, down


def _counted(strayed: Any, means: Any, up: Any, down: Any) -> tuple[Any, int]:
    """(k,) how many draws each candidate leads, and how many leads that makes: more than draws where some are shared."""
    k, p = strayed.shape
    leads, total = np.empty(k), np.int32(0)
    for j in range(k):
        m, e, count = means[j], strayed[j], np.int32(0)
        for t in range(p):
            count = np.int32(count + np.int32(m + e[t] >= up[t]))
            count = np.int32(count + np.int32(m - e[t] >= down[t]))
        leads[j] = count
        total = np.int32(total + count)
    return leads, int(total)


def _shared(strayed: Any, means: Any, up: Any, down: Any, leads: Any) -> None:
    """The same where those that tie share a draw."""
    k, p = strayed.shape
    leads[:] = 0.0
    for t in range(2 * p):
        edge, sign = (up[t], np.float32(1.0)) if t < p else (down[t - p], np.float32(-1.0))
        tied = 0
        for j in range(k):
            tied += means[j] + sign * strayed[j, t % p] >= edge
        for j in range(k):
            if means[j] + sign * strayed[j, t % p] >= edge:
                leads[j] += 1.0 / tied


def _mixed(leads: Any, draws: int, least: float) -> None:
    """Counts to odds with a floor: `floors.floored`."""
    for j in range(len(leads)):
        leads[j] = leads[j] / draws * (1.0 - len(leads) * least) + least
