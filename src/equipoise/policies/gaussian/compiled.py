"""The plain loops of the arithmetic `compiled`. numba is imported at the first call, and only there.

They take S as `upper` (d, d) in C order, which is the transposed view of a lower triangle in Fortran order, and pass
over it four rows at a time: each number of `along` is then loaded and stored a quarter as often. The numbers
before the diagonal are not read, but those of a block of four may be written.

Places are unsigned: the compiler allows for negative ones, which count from an array's end, in every access, and that
takes as long as the arithmetic does in the short rows near the corner.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from equipoise.core import MissingExtraError

ONE, TWO, THREE, FOUR = (np.uint64(number) for number in (1, 2, 3, 4))


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
        work, exact = np.empty((2, len(x))), np.empty(len(x))
        for i in range(len(x)):
            exact[i] = x[i]
        learned: tuple[float, float] = learn(mean, lower.T, exact, reward, noise, work)
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
    d = np.uint64(len(x))
    for i in range(d):
        along[i] = 0.0
    for block in range(d // FOUR):
        a = FOUR * block
        b, c, e = a + ONE, a + TWO, a + THREE
        x0, x1, x2, x3 = x[a], x[b], x[c], x[e]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for i in range(a + FOUR, d):
            u0, u1, u2, u3 = upper[a, i], upper[b, i], upper[c, i], upper[e, i]
            s0 += u0 * x[i]
            s1 += u1 * x[i]
            s2 += u2 * x[i]
            s3 += u3 * x[i]
            along[i] += u0 * x0 + u1 * x1 + u2 * x2 + u3 * x3
        along[a] += s0
        along[b] += s1
        along[c] += s2
        along[e] += s3


def _corners(upper: Any, x: Any, along: Any) -> None:
    """The squares of four on the diagonal, each written out, and what is left beyond the last, added to `along`."""
    d = np.uint64(len(x))
    for block in range(d // FOUR):
        a = FOUR * block
        b, c, e = a + ONE, a + TWO, a + THREE
        x0, x1, x2, x3 = x[a], x[b], x[c], x[e]
        ab, ac, ae, bc, be, ce = upper[a, b], upper[a, c], upper[a, e], upper[b, c], upper[b, e], upper[c, e]
        along[a] += upper[a, a] * x0 + ab * x1 + ac * x2 + ae * x3
        along[b] += ab * x0 + upper[b, b] * x1 + bc * x2 + be * x3
        along[c] += ac * x0 + bc * x1 + upper[c, c] * x2 + ce * x3
        along[e] += ae * x0 + be * x1 + ce * x2 + upper[e, e] * x3
    for j in range(d - d % FOUR, d):
        along[j] += upper[j, j] * x[j]
        for i in range(j + ONE, d):
            along[j] += upper[j, i] * x[i]
            along[i] += upper[j, i] * x[j]


def _downdate(upper: Any, along: Any, shares: Any) -> None:
    """S -= shares along', from its end: what `_blocks` has read last is still in the nearest cache."""
    d = np.uint64(len(along))
    whole = d // FOUR
    for block in range(whole):
        a = FOUR * (whole - ONE - block)
        b, c, e = a + ONE, a + TWO, a + THREE
        a0, a1, a2, a3 = shares[a], shares[b], shares[c], shares[e]
        for i in range(a, d):
            upper[a, i] -= a0 * along[i]
            upper[b, i] -= a1 * along[i]
            upper[c, i] -= a2 * along[i]
            upper[e, i] -= a3 * along[i]
    for j in range(d - d % FOUR, d):
        for i in range(j, d):
            upper[j, i] -= shares[j] * along[i]
