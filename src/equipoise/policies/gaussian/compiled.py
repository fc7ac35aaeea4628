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
    """Returns: `row(mean, lower, x, reward, noise)`, which gives error and variance, and `rows(mean, lower, features,
    rewards)`, which gives (2, n) of them. Compiled at the first call, in about two seconds.

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

    def row(mean: Any, lower: Any, x: Any, reward: float, noise: float) -> tuple[float, float]:
        work = np.empty((3, len(x)))
        work[2] = x
        learned: tuple[float, float] = learn(mean, lower.T, work[2], reward, noise, work)
        return learned

    def rows(mean: Any, lower: Any, features: Any, rewards: Any) -> Any:
        learned, work, x = np.empty((2, len(features))), np.empty((2, len(mean))), np.empty(len(mean))
        for at in range(len(features)):
            x[:] = features[at]
            learned[0, at], learned[1, at] = learn(mean, lower.T, x, rewards[at], 1.0, work)
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
        k = j + 4
        row0, row1, row2, row3 = upper[j, k:], upper[j + 1, k:], upper[j + 2, k:], upper[j + 3, k:]
        there, into = x[k:], along[k:]
        for i in range(len(there)):
            u0, u1, u2, u3 = row0[i], row1[i], row2[i], row3[i]
            s0 += u0 * there[i]
            s1 += u1 * there[i]
            s2 += u2 * there[i]
            s3 += u3 * there[i]
            into[i] += u0 * x0 + u1 * x1 + u2 * x2 + u3 * x3
        along[j] += s0
        along[j + 1] += s1
        along[j + 2] += s2
        along[j + 3] += s3


def _corners(upper: Any, x: Any, along: Any) -> None:
    """The squares of four on the diagonal, each written out, and what is left beyond the last, added to `along`."""
    d = len(x)
    for block in range(d // 4):
        a, b, c, e = 4 * block, 4 * block + 1, 4 * block + 2, 4 * block + 3
        x0, x1, x2, x3 = x[a], x[b], x[c], x[e]
        ab, ac, ae, bc, be, ce = upper[a, b], upper[a, c], upper[a, e], upper[b, c], upper[b, e], upper[c, e]
        along[a] += upper[a, a] * x0 + ab * x1 + ac * x2 + ae * x3
        along[b] += ab * x0 + upper[b, b] * x1 + bc * x2 + be * x3
        along[c] += ac * x0 + bc * x1 + upper[c, c] * x2 + ce * x3
        along[e] += ae * x0 + be * x1 + ce * x2 + upper[e, e] * x3
    for j in range(d - d % 4, d):
        along[j] += upper[j, j] * x[j]
        for i in range(j + 1, d):
            along[j] += upper[j, i] * x[i]
            along[i] += upper[j, i] * x[j]


def _downdate(upper: Any, along: Any, shares: Any) -> None:
    """S -= shares along', from its end: what `_blocks` has read last is still in the nearest cache."""
    d = len(along)
    whole = d // 4
    for block in range(whole):
        j = 4 * (whole - 1 - block)
        a0, a1, a2, a3 = shares[j], shares[j + 1], shares[j + 2], shares[j + 3]
        row0, row1, row2, row3 = upper[j, j:], upper[j + 1, j:], upper[j + 2, j:], upper[j + 3, j:]
        there = along[j:]
        for i in range(len(there)):
            row0[i] -= a0 * there[i]
            row1[i] -= a1 * there[i]
            row2[i] -= a2 * there[i]
            row3[i] -= a3 * there[i]
    for j in range(d - d % 4, d):
        for i in range(d - j):
            upper[j, j + i] -= shares[j] * along[j + i]
