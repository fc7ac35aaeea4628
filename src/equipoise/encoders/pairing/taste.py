"""One user's taste: a Gaussian process over items, told by the user's own answers.

An answer's residual e (reward minus what item and user had led to expect) is modelled as a draw from a process
with kernel k(i, j) = z_i . z_j plus noise. Its mean on a new item is k_*' (K + noise I)^-1 e and its certainty
1 - variance / prior variance (Rasmussen & Williams 2006, eq. 2.25 and 2.26).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

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
    known = answered.astype(np.float64)
    asked = items.astype(np.float64)
    factor = cho_factor(known @ known.T + NOISE * np.eye(len(known)), lower=True, check_finite=False)
    cross = asked @ known.T
    mean = cross @ cho_solve(factor, residuals, check_finite=False)
    explained = np.einsum("kh,hk->k", cross, cho_solve(factor, cross.T, check_finite=False))
    prior = np.einsum("kq,kq->k", asked, asked)
    return mean, explained / np.maximum(prior, 1e-12)
