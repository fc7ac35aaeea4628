"""The plain loops of the arithmetic `compiled`. numba is imported at the first call, and only there.

They take S as `upper` (d, d) in C order, which is the transposed view of a lower triangle in Fortran order, and pass
over it four rows at a time: each number of `along` is then loaded and stored a quarter as often. The numbers
before the diagonal are not read, but those of a block of four may be written. Every inner loop counts from 0: for
one that starts elsewhere the compiler allows for negative places, and does not run it four numbers at a time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from equipoise.core import MissingExtraError


@lru_cache(maxsize=1)
def loops() -> tuple[Any, Any]:
    """Returns: `row(mean, upper, x, reward, noise)`, which gives error and variance, and `rows(mean, upper, features,
    rewards)`, which gives (2, n) of them. Compiled for float64 at the first call, in about two seconds.

    Sums may be taken in any order, which is what lets them run four at a time; NaN and infinity keep their meaning.
    Raises: MissingExtraError: numba is not installed.
    """
    try:
        import numba
    except ImportError:
        raise MissingExtraError(
            "arithmetic 'compiled' needs numba: pip install 'equipoise[fast]', or set it to 'blas' and rebuild"
        ) from None
    quick = numba.njit(fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
    blocks, corners, downdate = quick(_blocks), quick(_corners), quick(_downdate)

    def learn(mean: Any, upper: Any, x: Any, reward: float, noise: float, work: Any) -> tuple[float, float]:
        along, shares = work[0], work[1]
        blocks(upper, x, along)
        corners(upper, x, along)
        variance, error = noise, reward
        for i in range(len(x)):
            variance += along[i] * x[i]
            error -= mean[i] * x[i]
        gain, share = error / variance, 1.0 / variance
        for i in range(len(x)):
            mean[i] += along[i] * gain
            shares[i] = along[i] * share
        downdate(upper, along, shares)
        return error, variance

    learn = quick(learn)

    def row(mean: Any, upper: Any, x: Any, reward: float, noise: float) -> tuple[float, float]:
        learned: tuple[float, float] = learn(mean, upper, x, reward, noise, np.empty((2, len(x))))
        return learned

    def rows(mean: Any, upper: Any, features: Any, rewards: Any) -> Any:
        learned, work, x = np.empty((2, len(features))), np.empty((2, len(mean))), np.empty(len(mean))
        for at in range(len(features)):
            x[:] = features[at]
            learned[0, at], learned[1, at] = learn(mean, upper, x, rewards[at], 1.0, work)
        return learned

    return quick(row), quick(rows)


def _blocks(upper: Any, x: Any, along: Any) -> None:
    """along = S x, but for the squares on the diagonal."""
    d = len(x)
    along[:] = 0.0
    for block in range(d // 4):
        j = 4 * block
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for i in range(d - j - 4):
            at = j + 4 + i
            s0 += upper[j, at] * x[at]
            s1 += upper[j + 1, at] * x[at]
            s2 += upper[j + 2, at] * x[at]
            s3 += upper[j + 3, at] * x[at]
        for i in range(d - j - 4):
            at = j + 4 + i
            along[at] += (
                upper[j, at] * x0 + upper[j + 1, at] * x1 + upper[j + 2, at] * x2 + upper[j + 3, at] * x3
            )
        along[j] += s0
        along[j + 1] += s1
        along[j + 2] += s2
        along[j + 3] += s3


def _corners(upper: Any, x: Any, along: Any) -> None:
    """The squares of four on the diagonal, the last one perhaps smaller, added to `along`."""
    d = len(x)
    for j in range(d):
        along[j] += upper[j, j] * x[j]
        for i in range(j + 1, min(j - j % 4 + 4, d)):
            along[j] += upper[j, i] * x[i]
            along[i] += upper[j, i] * x[j]


def _downdate(upper: Any, along: Any, shares: Any) -> None:
    """S -= shares along'."""
    d = len(along)
    for block in range(d // 4):
        j = 4 * block
        a0, a1, a2, a3 = shares[j], shares[j + 1], shares[j + 2], shares[j + 3]
        for i in range(d - j):
            at = j + i
            upper[j, at] -= a0 * along[at]
            upper[j + 1, at] -= a1 * along[at]
            upper[j + 2, at] -= a2 * along[at]
            upper[j + 3, at] -= a3 * along[at]
    for j in range(d - d % 4, d):
        for i in range(d - j):
            upper[j, j + i] -= shares[j] * along[j + i]
