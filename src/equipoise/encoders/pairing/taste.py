"""One user's taste: a Gaussian process over items, told by the user's own answers.

An answer's residual e (reward minus what item and user had led to expect) is modelled as a draw from a process
with kernel k(i, j) = 1 + z_i . z_j plus noise. Its mean on a new item is k_*' (K + noise I)^-1 e and its certainty
1 - variance / prior variance (Rasmussen & Williams 2006, algorithm 2.1).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from equipoise.core import Floats, Vectors

NOISE = 10.0
"""Noise variance of an answer, in units of the kernel: one answer moves a taste by about a tenth."""

SHRUNK = 5.0
"""The penalty of a slope, in squared units of the number that it goes along."""


def taste(items: Vectors, answered: Vectors, residuals: Floats) -> tuple[Floats, Floats]:
    """What the user's answers say of k items.

    items: (k, q) cards z. answered: (h, q), h >= 1, of the items answered for. residuals: (h,).
    Returns: mean (k,) in units of reward, certainty (k,) in [0, 1).
    """
    known, asked = _with_constant(answered), _with_constant(items)
    prior = np.einsum("kq,kq->k", asked, asked)
    return (
        _by_answers(known, asked, residuals, prior)
        if few(known)
        else _by_numbers(known, asked, residuals, prior)
    )


def few(known: Floats) -> bool:
    """Whether so few answers (h, q) were given that a matrix of them costs less than one of a card's numbers."""
    return bool(2 * known.shape[0] <= known.shape[1])


def _by_answers(known: Floats, asked: Floats, residuals: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """The Gaussian process as the book has it: a matrix of h answers."""
    among = known @ known.T
    among.flat[:: len(known) + 1] += NOISE
    factor, _ = lapack.dpotrf(among, lower=1, clean=1)
    told, _ = lapack.dtrtrs(factor, residuals, lower=1)
    white, _ = lapack.dtrtrs(factor, known, lower=1)
    cross = asked @ white.T
    return cross @ told, np.einsum("kh,kh->k", cross, cross) / prior


def _by_numbers(known: Floats, asked: Floats, residuals: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """The same as linear regression, of which a card's q numbers have weights: a matrix of q, however many answers
    (Rasmussen & Williams 2006, eqs 2.8 and 2.11)."""
    precision = known.T @ known
    precision.flat[:: len(precision) + 1] += NOISE
    factor, _ = lapack.dpotrf(precision, lower=1, clean=1)
    told, _ = lapack.dtrtrs(factor, known.T @ residuals, lower=1)
    white, _ = lapack.dtrtrs(factor, asked.T, lower=1)
    left = NOISE * np.einsum("qk,qk->k", white, white) / prior
    return told @ white, np.maximum(1.0 - left, 0.0)


def leaning(items: Floats, answered: Floats, residuals: Floats) -> Floats:
    """Whether the user likes what is high or what is low in one number, as a line through their own answers.

    items: (k,) the number of each item. answered: (h,), h >= 1, of the items answered for. residuals: (h,).
    Returns: (k,) b (items - m) with m the mean of `answered` and b the slope, shrunk as ridge regression does.
    """
    middle = answered.mean()
    apart = answered - middle
    slope = (apart @ residuals) / (apart @ apart + SHRUNK)
    return np.asarray(slope * (items - middle))


def _with_constant(cards: Vectors) -> Floats:
    """(n, q + 1) with a 1 first. In float64: a float32 product rounds each item by the company that it is in."""
    out = np.ones((len(cards), cards.shape[1] + 1))
    out[:, 1:] = cards
    return out
