"""The loop that every learned row passes through, in two makes: BLAS, and compiled by numba.

An arithmetic learns the row "reward = x'theta + eps, Var(eps) = noise" into mean (d,) and the lower triangle of S
(d, d), in units of the noise, in place:

    along = S x,   v = noise + x'along,   e = reward - mean'x,   mean += along e / v,   S -= along along' / v

(Sherman and Morrison 1950; Kalman's gain is along / v.) Both makes compute the same to rounding, about 1e-15 of the
numbers' size a row, but not bit for bit: they add up in different orders. So an arithmetic is never picked by
what happens to be installed: it is a setting, its name is part of the policy's fingerprint, and a journal replayed
with that setting gives the same bits whatever else is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from scipy.linalg import blas

from equipoise.core import ConfigurationError, Floats, Vectors
from equipoise.policies.gaussian.compiled import loops


class Arithmetic(Protocol):
    """How one make learns. lower: (d, d) in Fortran order; above its diagonal nothing is ever read."""

    def absorb(
        self, mean: Floats, lower: Floats, x: Floats | Vectors, reward: float, noise: float
    ) -> tuple[float, float]:
        """One row. x: (d,) float64, or float32. Returns: e and v."""
        ...

    def absorb_rows(
        self, mean: Floats, lower: Floats, rows: Vectors, rewards: Floats
    ) -> tuple[list[float], list[float]]:
        """Rows (n, d) of noise 1 in their order: the bits of `absorb` one by one. Returns: e (n,) and v (n,)."""
        ...


class Blas:
    """numpy and scipy alone: a symmetric product and a rank-1 update, each on one triangle."""

    def absorb(
        self, mean: Floats, lower: Floats, x: Floats | Vectors, reward: float, noise: float
    ) -> tuple[float, float]:
        x = x.astype(np.float64, copy=False)
        along = blas.dsymv(1.0, lower, x, lower=1)
        variance: float = noise + blas.ddot(along, x)
        error: float = reward - blas.ddot(mean, x)
        blas.daxpy(along, mean, a=error / variance)
        blas.dsyr(-1.0 / variance, along, lower=1, a=lower, overwrite_a=1)
        return error, variance

    def absorb_rows(
        self, mean: Floats, lower: Floats, rows: Vectors, rewards: Floats
    ) -> tuple[list[float], list[float]]:
        errors, variances = [], []
        for x, reward in zip(rows.astype(np.float64), rewards.tolist(), strict=True):
            error, variance = self.absorb(mean, lower, x, reward, 1.0)
            errors.append(error)
            variances.append(variance)
        return errors, variances


class Compiled:
    """The same compiled by numba: less than half the time, since no row calls into Python or BLAS.

    Raises: MissingExtraError: numba is not installed.
    """

    def __init__(self) -> None:
        # the compiled loop itself: a method around it would take a tenth of a row's time
        self.absorb, self._rows = loops()

    def absorb_rows(
        self, mean: Floats, lower: Floats, rows: Vectors, rewards: Floats
    ) -> tuple[list[float], list[float]]:
        errors, variances = self._rows(mean, lower, rows, rewards).tolist()
        return errors, variances


ARITHMETICS: Mapping[str, Callable[[], Arithmetic]] = {"blas": Blas, "compiled": Compiled}


def arithmetic(name: str) -> Arithmetic:
    """The arithmetic of that name.

    Raises: ConfigurationError: there is none. MissingExtraError: it needs numba, which is not installed.
    """
    if name not in ARITHMETICS:
        known = " or ".join(f"'{one}'" for one in ARITHMETICS)
        raise ConfigurationError(f"setting 'arithmetic' is {name!r} but must be {known}")
    return ARITHMETICS[name]()
