"""Did the lists hold what the users wanted, and high up? One number a list; `summary` makes a mean of them.

All follow trec_eval (ndcg_cut, map_cut, recall, success), and scikit-learn where it has them. A list for which
nothing at all is relevant cannot be judged: its number is NaN, and `summary` leaves it out and counts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.metrics.lists import RankedLists


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """gains: (n, k) of the item in each place; 0 if it is not relevant. ideal: (n, k) the greatest gains there
    are for this list, in falling order. relevant: (n,) how many items have a gain above 0, listed or not."""

    gains: Floats
    ideal: Floats
    relevant: Floats


def judge(lists: RankedLists, relevant: Sequence[Mapping[str, float]]) -> Judged:
    """relevant: for each list, the items that were wanted and the gain of each, above 0 (1 if there are no grades).

    An item may be wanted that the catalogue lacks: it counts as missed.
    Raises: InputError: another number of lists, or a gain that is negative or not finite.
    """
    if len(relevant) != len(lists):
        raise InputError(f"{len(lists)} lists but {len(relevant)} judgements: give one for each")
    gains, ideal = np.zeros(lists.places.shape), np.zeros(lists.places.shape)
    counts = np.zeros(len(lists))
    for number, wanted in enumerate(relevant):
        best = _best(number, wanted)
        counts[number] = len(best)
        found = [wanted.get(item_id, 0.0) for item_id in lists.ids(number)]
        gains[number, : len(found)] = found
        width = min(len(best), lists.places.shape[1])
        ideal[number, :width] = best[:width]
    return Judged(gains, ideal, counts)


def ndcg(judged: Judged) -> Floats:
    """(n,) discounted gain over that of the best possible list of k, in [0, 1]; place j counts 1 / log2(j + 1).

    Gains enter as they are, not as 2^gain - 1. Reference: Järvelin & Kekäläinen 2002, with b = 2 from place 1 on.
    """
    discount = 1.0 / np.log2(np.arange(2, judged.gains.shape[1] + 2))
    return _ratio(judged.gains @ discount, judged.ideal @ discount)


def average_precision(judged: Judged) -> Floats:
    """(n,) mean over ALL relevant items of the precision at their place, 0 for one not in the list; its mean is MAP.

    Dividing by all relevant items, not by the k that fit, is trec_eval's way: with more than k relevant
    items no list reaches 1.
    """
    hits = judged.gains > 0.0
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return _ratio((precision * hits).sum(axis=1), judged.relevant)


def recall(judged: Judged) -> Floats:
    """(n,) share of the relevant items that the list holds."""
    return _ratio((judged.gains > 0.0).sum(axis=1).astype(np.float64), judged.relevant)


def hit_rate(judged: Judged) -> Floats:
    """(n,) 1 if the list holds any relevant item, else 0."""
    hit = (judged.gains > 0.0).any(axis=1)
    return np.where(judged.relevant > 0.0, hit.astype(np.float64), np.nan)


def _best(number: int, wanted: Mapping[str, float]) -> list[float]:
    """The gains above 0, greatest first."""
    for item_id, gain in wanted.items():
        if not 0.0 <= gain < np.inf:
            raise InputError(
                f"list {number}: the gain of {item_id!r} is {gain} but must be 0 or more, and finite"
            )
    return sorted((gain for gain in wanted.values() if gain > 0.0), reverse=True)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0.0))
