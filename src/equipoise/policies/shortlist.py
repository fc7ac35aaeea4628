"""The best of many items and Thompson's odds over them, without making any item's features.

Where a candidate's features are request x item, element by element, its mean and its draws are products of the item
itself with what is made once a request:

    mean_i = item_i' (request x m),     stray_i^t = item_i' (request x stray^t),     draw_i^t = mean_i + stray_i^t

so the request is folded into d weights and into their draws, instead of into n items. What comes out is what
`BanditPolicy.distribution` says of candidates with those features, to the rounding of float32.

Of the two makes, one is numpy and scipy, the other a single compiled call (`compiled_shortlist`). As with `arithmetic`,
the setting of that name picks one, and not what happens to be installed: they agree to rounding, and so in all but
the draws in which two candidates are equal to about seven digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from equipoise.core import ConfigurationError, Floats, InputError, NoCandidatesError, Vectors
from equipoise.policies.base import Explorer, Posterior
from equipoise.policies.compiled_shortlist import weighed as compiled
from equipoise.policies.explorers import Thompson
from equipoise.policies.explorers.base import frequencies
from equipoise.policies.floors import floored
from equipoise.policies.posteriors.linear import LinearPosterior, mirrored

Rows: TypeAlias = NDArray[np.int64]

FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Shortlist:
    """The candidates and the odds among which the dice are thrown.

    rows: (k,) int64, which of the items they are, ascending. probabilities: (k,), of each; sum 1, none below the floor.
    """

    rows: Rows
    probabilities: Floats


Weigh: TypeAlias = Callable[[Vectors, Floats, Vectors, Vectors, int, int, float], tuple[Rows, Floats]]
"""items (n, d), mean weights (d,), request (d,), strays (p, d), draws, k, floor to rows (k,) and probabilities (k,).

Of the draws, p = (draws + 1) // 2 stray from the mean weights by `strays`, the others as far the other way.
"""


def shortlist(
    posterior: Posterior,
    explorer: Explorer,
    items: Vectors,
    request: Vectors,
    k: int,
    rng: np.random.Generator,
    *,
    floor: float,
    who: str,
) -> Shortlist:
    """See `BanditPolicy.shortlist`."""
    if not isinstance(explorer, Thompson) or not isinstance(posterior, LinearPosterior):
        raise ConfigurationError(
            f"{who} has no short way to many items, which is that of policy 'thompson' on posterior 'linear': give"
            " 'distribution' the candidates"
        )
    request = checked(items, request, k, dim=posterior.space.dim, who=who)
    strays = posterior.strays(rng, (explorer.draws + 1) // 2)
    if explorer.scale != 1.0:
        strays = strays * np.float32(explorer.scale)
    weigh = WAYS[posterior.arithmetic]()
    k = min(k, len(items))
    rows, probabilities = weigh(items, posterior.mean, request, strays, explorer.draws, k, floor)
    if not rows.size:
        raise InputError(f"{who} was given items or a request that are not finite, or too large for float32")
    return Shortlist(rows, probabilities)


def checked(items: Vectors, request: Vectors, k: int, *, dim: int, who: str) -> Vectors:
    """Returns: the request as the ways need it. Raises: InputError or NoCandidatesError."""
    if items.ndim != 2 or items.shape[1] != dim or items.dtype != FLOAT32 or not items.flags.c_contiguous:
        raise InputError(
            f"{who} was given items of shape {items.shape} and type {items.dtype} but needs (n, {dim}) float32, row"
            " after row: make them so once, with np.ascontiguousarray(items, np.float32)"
        )
    if request.shape != (dim,):
        raise InputError(f"{who} was given a request of shape {request.shape} but expects ({dim},)")
    if k < 1:
        raise InputError(f"k is {k} but must be 1 or more: the odds need a candidate")
    if not len(items):
        raise NoCandidatesError(f"{who} was given no items: widen the request's filters")
    return np.ascontiguousarray(request, dtype=np.float32)


def by_numpy(
    items: Vectors, weights: Floats, request: Vectors, strays: Vectors, draws: int, k: int, floor: float
) -> tuple[Rows, Floats]:
    # not by `@`, which warns of an overflow before it can be refused
    query = np.multiply(weights, request, dtype=np.float32, casting="same_kind")
    means: Vectors = blas.sgemv(1.0, items.T, query, trans=1)
    if not math.isfinite(blas.sasum(means)):
        return np.empty(0, dtype=np.int64), np.empty(0)
    rows = greatest(means, k)
    strayed: Vectors = np.dot(strays * request, items.take(rows, axis=0).T)
    return rows, floored(frequencies(mirrored(means.take(rows), strayed, draws)), floor)


WAYS: Mapping[str, Callable[[], Weigh]] = {"blas": lambda: by_numpy, "compiled": compiled}


def greatest(scores: Vectors, k: int) -> Rows:
    """The k greatest of `scores` (n,), k at most n, in the order of their rows; of equal ones the first."""
    start = len(scores) - k
    threshold = np.partition(scores, start)[start]
    rows: Rows = (scores >= threshold).nonzero()[0]
    if len(rows) > k:
        equal = (scores[rows] == threshold).nonzero()[0]
        rows = np.delete(rows, equal[k - len(rows) :])
    return rows
