"""One user's taste: a Gaussian process over items, told by the user's own answers.

An answer's residual e (reward minus what item and user had led to expect) is modelled as a draw from a process
with kernel k(i, j) = z_i . z_j plus noise. Its mean on a new item is k_*' (K + noise I)^-1 e and its certainty
1 - variance / prior variance (Rasmussen & Williams 2006, algorithm 2.1).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from equipoise.core import Floats, Vectors

NOISE = 10.0
"""Noise variance of an answer, in units of the kernel: one answer moves a taste by about a tenth."""


def taste(items: Vectors, answered: Vectors, residuals: Floats) -> tuple[Floats, Floats]:
    """What the user's answers say of k items.

    items: (k, q) coordinates z. answered: (h, q), the items answered for. residuals: (h,).
    Returns: mean (k,) in units of reward, certainty (k,) in [0, 1).
    """
    k = len(items)
    if len(answered) == 0:
        return np.zeros(k), np.zeros(k)
    known, asked = answered.astype(np.float64), items.astype(np.float64)
    factor, _ = lapack.dpotrf(known @ known.T + NOISE * np.eye(len(known)), lower=1, clean=1)
    cross, _ = lapack.dtrtrs(factor, known @ asked.T, lower=1)
    told, _ = lapack.dtrtrs(factor, residuals, lower=1)
    prior = np.einsum("kq,kq->k", asked, asked)
    return told @ cross, np.einsum("hk,hk->k", cross, cross) / np.maximum(prior, 1e-12)
