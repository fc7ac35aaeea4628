"""Is a list varied, and does it keep the proportions of the user's own taste?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from equipoise.core import Floats, InputError, Vectors
from equipoise.evaluation.metrics.lists import RankedLists

SMOOTHING = 0.01


def intra_list_diversity(lists: RankedLists, vectors: Vectors | Floats) -> Floats:
    """(n,) mean of 1 - cosine over the pairs of a list, in [0, 2]; NaN for a list of fewer than two items.

    vectors: (catalogue, e), a row for each of `lists.item_ids`; lengths don't matter.
    Reference: Ziegler et al. 2005, as a mean over pairs.
    Raises: InputError: another number of rows, or a row that has no direction.
    """
    if vectors.ndim != 2 or len(vectors) != len(lists.item_ids):
        raise InputError(
            f"vectors have shape {vectors.shape} but the catalogue has {len(lists.item_ids)} items: one row each"
        )
    rows = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    wrong = np.flatnonzero(~((norms > 0.0) & (norms < np.inf)))
    if wrong.size:
        raise InputError(
            f"the vector of {lists.item_ids[wrong[0]]!r} has length {norms[wrong[0], 0]}: leave it out"
        )
    unit = rows / norms
    sums = np.zeros((len(lists), unit.shape[1]))
    for place in range(lists.places.shape[1]):
        here = lists.filled[:, place]
        sums[here] += unit[lists.places[here, place]]
    lengths = lists.lengths.astype(np.float64)
    # Of l unit vectors, |sum|^2 = l + the cosines of all l (l - 1) ordered pairs.
    pairs = lengths * (lengths - 1.0)
    cosines = np.divide(
        (sums * sums).sum(axis=1) - lengths, pairs, out=np.full(len(lists), np.nan), where=pairs > 0.0
    )
    return np.asarray(1.0 - cosines)


def calibration(
    lists: RankedLists,
    histories: Sequence[Mapping[str, float]],
    kinds: Mapping[str, Mapping[str, float]],
    *,
    smoothing: float = SMOOTHING,
) -> Floats:
    """(n,) how far a list strays from the proportions of its user's past, in nats: 0 is perfectly calibrated.

    histories: for each list, the items of the user's past and how much each counts. kinds: item_id to its kinds
        (genres, topics) and how much of it belongs to each, which is brought to sum 1. NaN where past or list
        is empty.
    KL(p || q') with p the kinds of the past, q those of the list, q' = (1 - a) q + a p (Steck 2018).
    Raises: InputError: another number of histories, a weight that cannot be one, smoothing outside (0, 1), or an
        item without kinds.
    """
    if len(histories) != len(lists):
        raise InputError(f"{len(lists)} lists but {len(histories)} histories: give one for each")
    if not 0.0 < smoothing < 1.0:
        raise InputError(f"smoothing is {smoothing} but must lie between 0 and 1: {SMOOTHING} is usual")
    found = np.full(len(lists), np.nan)
    for number, history in enumerate(histories):
        past = _proportions(history, kinds)
        listed = _proportions(dict.fromkeys(lists.ids(number), 1.0), kinds)
        if past and listed:
            found[number] = _divergence(past, listed, smoothing)
    return found


def _proportions(weights: Mapping[str, float], kinds: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each kind's share; empty if nothing weighs anything."""
    shares: dict[str, float] = {}
    for item_id, weight in weights.items():
        own = kinds.get(item_id, {})
        total = sum(own.values())
        if not (0.0 <= weight < np.inf and 0.0 < total < np.inf and min(own.values()) >= 0.0):
            raise InputError(
                f"item {item_id!r} has weight {weight} and kinds {dict(own)!r:.60}: neither may be negative, and it "
                "must have a kind"
            )
        for kind, part in own.items():
            shares[kind] = shares.get(kind, 0.0) + weight * part / total
    whole = sum(shares.values())
    return {kind: share / whole for kind, share in shares.items()} if whole > 0.0 else {}


def _divergence(past: Mapping[str, float], listed: Mapping[str, float], smoothing: float) -> float:
    """KL(past || smoothed listed); kinds that the past lacks add nothing."""
    total = 0.0
    for kind, share in past.items():
        if share > 0.0:
            total += share * np.log(share / ((1.0 - smoothing) * listed.get(kind, 0.0) + smoothing * share))
    return max(float(total), 0.0)
