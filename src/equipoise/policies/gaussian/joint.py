"""Normal weights learned one row at a time: the arithmetic under every linear posterior here.

Both forms hold theta ~ N(mean, S) in units of the noise variance and learn the row "reward = x'theta + eps,
Var(eps) = noise". `CovarianceForm` costs O(d^2) a row and never forgets. `PrecisionForm` forgets and
costs O(d^3) a row, because handing weight back to the prior changes every direction at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from scipy.linalg import blas, lapack

from equipoise.core import Floats, InputError, State, Vectors
from equipoise.policies.base import Prior
from equipoise.policies.gaussian.arithmetic import Arithmetic, Blas
from equipoise.policies.gaussian.arithmetic import arithmetic as arithmetic_of
from equipoise.policies.gaussian.normals import SIZE, beside, block, normals, numbered
from equipoise.policies.stored import stored

LINE = 64
"""Bytes of a cache line."""

Sigma: TypeAlias = Callable[[np.random.Generator, int], Vectors]
"""A generator and a number of draws to so many deviations of the noise, (draws, 1)."""


class Gaussian(Protocol):
    """theta ~ N(mean, S), d weights."""

    mean: Floats

    def forecast(self, x: Floats) -> tuple[float, float]:
        """Mean and variance of x'theta, as the next row will find them."""
        ...

    def absorb(self, x: Floats | Vectors, reward: float, *, noise: float = 1.0) -> tuple[float, float]:
        """Learn one row; returns how far the reward was from its forecast, and the forecast's variance."""
        ...

    def absorb_rows(self, rows: Vectors, rewards: Floats) -> tuple[list[float], list[float]]:
        """Learn rows (n, d) of noise 1 in their order, with the bits of `absorb` one by one; returns as it does."""
        ...

    def root(self) -> Floats:
        """Returns: R (d, d) with R R' = S."""
        ...

    def root32(self) -> Vectors:
        """The same in float32, for draws."""
        ...

    def strayed(self, rng: np.random.Generator, rows: int, sigma: Sigma | None = None) -> Vectors:
        """Returns: (rows, d) float32 draws of N(0, S), each times its deviation by `sigma`; not to be written into.

        `sigma` must be the same from call to call, and what it knows change only when a row is learned.
        """
        ...

    def covariance(self) -> Floats:
        """Returns: S (d, d), both triangles."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


def gaussian(prior: Prior, *, discount: float = 1.0, arithmetic: str = "blas") -> Gaussian:
    """The cheaper of the two forms that can do it.

    discount: in (0, 1], what a row is worth one row later. arithmetic: see there; the form that forgets has but one.
    Raises: ConfigurationError: no such arithmetic. MissingExtraError: it needs a library that is not installed.
    """
    made = arithmetic_of(arithmetic)
    return CovarianceForm(prior, made) if discount == 1.0 else PrecisionForm(prior, discount=discount)


class _Rooted(ABC):
    """Keeps the square root of S until the next row; d^3 / 3 is paid once per version, not per request.

    So are the products of that root with blocks of the bank of normals, each made when it is first asked for: what
    a decision gets has the same bits whether it was kept or not. They take at most as much room as the bank, 4 MB.
    """

    mean: Floats

    def __init__(self) -> None:
        self._forget()

    def _learned(self) -> None:
        if self._root is not None:  # all else that is kept is made of it
            self._forget()

    def _forget(self) -> None:
        self._root: Floats | None = None
        self._root32: Vectors | None = None
        self._strayed: dict[tuple[int, int], Vectors] = {}
        self._room = SIZE

    @abstractmethod
    def _find_root(self) -> Floats:
        """Returns: R (d, d) with R R' = S, computed afresh."""

    def root(self) -> Floats:
        if self._root is None:
            self._root = self._find_root()
        return self._root

    def root32(self) -> Vectors:
        if self._root32 is None:
            self._root32 = self.root().astype(np.float32)
        return self._root32

    def strayed(self, rng: np.random.Generator, rows: int, sigma: Sigma | None = None) -> Vectors:
        d, kept = len(self.mean), self._strayed
        number = block(rng, rows * d)
        if number is None:
            return self._product(normals(rng, rows, d), rng, sigma)
        found = kept.get((rows, number))
        if found is None:
            found = self._product(numbered(number, rows, d), beside(number), sigma)
            if found.size <= self._room:
                self._room -= found.size
                kept[rows, number] = found
        return found

    def _product(self, standard: Vectors, rng: np.random.Generator, sigma: Sigma | None) -> Vectors:
        product = np.asarray(standard @ self.root32().T)
        if sigma is not None:
            product *= sigma(rng, len(product))
        return product


class CovarianceForm(_Rooted):
    """Keeps S itself, by Sherman and Morrison's formula, in one array in place: see `arithmetic`."""

    def __init__(self, prior: Prior, arithmetic: Arithmetic | None = None) -> None:
        super().__init__()
        self.mean: Floats = prior.mean.copy()
        self._arithmetic = arithmetic or Blas()
        self._lower = _aligned(np.diag(1.0 / prior.precision))

    def forecast(self, x: Floats) -> tuple[float, float]:
        along = blas.dsymv(1.0, self._lower, x, lower=1)
        return float(self.mean @ x), float(along @ x)

    def absorb(self, x: Floats | Vectors, reward: float, *, noise: float = 1.0) -> tuple[float, float]:
        if self._root is not None:
            self._forget()
        return self._arithmetic.absorb(self.mean, self._lower, x, reward, noise)

    def absorb_rows(self, rows: Vectors, rewards: Floats) -> tuple[list[float], list[float]]:
        self._learned()
        return self._arithmetic.absorb_rows(self.mean, self._lower, rows, rewards)

    def _find_root(self) -> Floats:
        lower, failed = lapack.dpotrf(self._lower, lower=1, clean=1)
        if failed:
            # Rounding has made a direction's tiny variance negative: it is 0 as far as float64 can tell.
            values, axes = np.linalg.eigh(self._lower, UPLO="L")
            return np.asfortranarray(axes * np.sqrt(np.maximum(values, 0.0)))
        return np.asarray(lower)

    def covariance(self) -> Floats:
        lower = np.tril(self._lower)
        return lower + np.tril(lower, -1).T

    def state(self) -> State:
        return {"mean": self.mean.copy(), "covariance": np.tril(self._lower)}

    def restore(self, state: State) -> None:
        d = len(self.mean)
        mean, lower = stored(state, "mean", (d,)), stored(state, "covariance", (d, d))
        self.mean, self._lower = mean, _aligned(lower)
        self._learned()


def _aligned(square: Floats) -> Floats:
    """A copy in Fortran order that begins at a cache line: 16 bytes off, as numpy's own often are, a row is learned a
    sixth slower."""
    room = np.empty(square.size + LINE // 8)
    start = -room.ctypes.data % LINE // 8
    copy = room[start : start + square.size].reshape(square.shape, order="F")
    copy[:] = square
    return copy


class PrecisionForm(_Rooted):
    """Keeps P = S^-1 and h = P mean, and lets both fade towards the prior before each row:

    P <- g P + (1 - g) P0 + x x' / noise,    h <- g h + (1 - g) P0 m0 + x reward / noise.

    A row learned j rows ago so weighs g^j, and with nothing but old rows the prior comes back. (Plain
    forgetting, P <- g P, forgets the prior too and blows up in directions that no row visits.)
    Reference: Kulhavy and Zarrop 1993, linear forgetting.
    """

    def __init__(self, prior: Prior, *, discount: float) -> None:
        super().__init__()
        self.mean: Floats = prior.mean.copy()
        self._discount = discount
        self._lost = np.diag((1.0 - discount) * prior.precision)
        self._lost_information = (1.0 - discount) * prior.precision * prior.mean
        self._precision: Floats = np.diag(prior.precision)
        self._information: Floats = prior.precision * prior.mean

    def forecast(self, x: Floats) -> tuple[float, float]:
        mean, along = _solve(*self._faded(), x)
        return float(mean @ x), float(along @ x)

    def absorb(self, x: Floats | Vectors, reward: float, *, noise: float = 1.0) -> tuple[float, float]:
        x = x.astype(np.float64, copy=False)
        faded, information = self._faded()
        mean, along = _solve(faded, information, x)
        variance = noise + float(along @ x)
        error = reward - float(mean @ x)
        self.mean = mean + along * (error / variance)
        self._precision = faded + np.outer(x, x / noise)
        self._information = information + x * (reward / noise)
        self._learned()
        return error, variance

    def absorb_rows(self, rows: Vectors, rewards: Floats) -> tuple[list[float], list[float]]:
        exact = rows.astype(np.float64)
        learned = [self.absorb(x, reward) for x, reward in zip(exact, rewards.tolist(), strict=True)]
        return [error for error, _ in learned], [variance for _, variance in learned]

    def _faded(self) -> tuple[Floats, Floats]:
        """P and h as the next row will find them."""
        precision = self._discount * self._precision + self._lost
        return precision, self._discount * self._information + self._lost_information

    def _find_root(self) -> Floats:
        # P = C C', so S = C'^-1 C^-1 and R = C'^-1.
        inverse, _ = lapack.dtrtri(_cholesky(self._precision), lower=1)
        return np.asarray(inverse.T)

    def covariance(self) -> Floats:
        root = self.root()
        return root @ root.T

    def state(self) -> State:
        return {
            "mean": self.mean.copy(),
            "precision": self._precision.copy(),
            "information": self._information.copy(),
        }

    def restore(self, state: State) -> None:
        d = len(self.mean)
        mean, information = stored(state, "mean", (d,)), stored(state, "information", (d,))
        self._precision = stored(state, "precision", (d, d))
        self.mean, self._information = mean, information
        self._learned()


def _solve(precision: Floats, information: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Returns: the mean P^-1 h (d,) and P^-1 x (d,)."""
    both, _ = lapack.dpotrs(_cholesky(precision), np.column_stack([information, x]), lower=1)
    return both[:, 0], both[:, 1]


def _cholesky(precision: Floats) -> Floats:
    factor, failed = lapack.dpotrf(precision, lower=1, clean=1)
    if failed:
        raise InputError(
            f"the precision of {len(precision)} weights is no longer positive: features or rewards of very"
            " different sizes were learned; scale them to about 1 and rebuild"
        )
    return np.asarray(factor)
