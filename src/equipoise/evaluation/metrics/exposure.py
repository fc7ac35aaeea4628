"""Who is shown, and how much: coverage, concentration, and the share of every group of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.metrics.lists import RankedLists


@dataclass(frozen=True, slots=True)
class GroupExposure:
    """items: of the catalogue. share: of all exposure, in [0, 1]. relative: its exposure per item over that of the
    whole catalogue; 1 is an equal share, 2 twice as much as its number of items would give it."""

    items: int
    share: float
    relative: float


def coverage(lists: RankedLists) -> float:
    """Share of the catalogue that stands in some list, in [0, 1]."""
    return float(np.unique(lists.places[lists.filled]).size / len(lists.item_ids))


def exposure(lists: RankedLists, *, by_place: bool = True) -> Floats:
    """(catalogue,) how much every item was seen, summed over the lists.

    by_place: place j counts 1 / log2(j + 1), a usual model of how far people look (Singh & Joachims 2018);
    False counts every place 1.
    """
    k = lists.places.shape[1]
    attention = 1.0 / np.log2(np.arange(2, k + 2)) if by_place else np.ones(k)
    filled = lists.filled
    weights = np.broadcast_to(attention, filled.shape)[filled]
    counts = np.bincount(lists.places[filled], weights=weights, minlength=len(lists.item_ids))
    return counts.astype(np.float64)


def gini(amounts: Floats) -> float:
    """How unequally amounts are spread over n holders: 0 all the same, (n - 1) / n one has all.

    amounts: (n,), 0 or more. Half the mean absolute difference of two holders over the mean (Gini 1912).
    Raises: InputError: none at all, one that is negative or not finite, or nothing but zeros.
    """
    if not amounts.size or not np.all(np.isfinite(amounts)) or amounts.min() < 0.0 or amounts.sum() <= 0.0:
        raise InputError(
            "the amounts must be finite, none negative and one above 0: was anything shown at all?"
        )
    n = len(amounts)
    ranks = 2.0 * np.arange(1, n + 1) - n - 1.0
    return float(ranks @ np.sort(amounts) / (n * amounts.sum()))


def gini_of_exposure(lists: RankedLists, *, by_place: bool = True) -> float:
    """Gini of exposure over the whole catalogue; what was never shown counts with 0."""
    return gini(exposure(lists, by_place=by_place))


def group_exposure(
    lists: RankedLists, groups: Mapping[str, str], *, by_place: bool = True
) -> dict[str, GroupExposure]:
    """What every group of items got. groups: item_id to its group, for every item of the catalogue.

    Raises: InputError: an item without a group, or nothing was shown.
    """
    missing = [item_id for item_id in lists.item_ids if item_id not in groups]
    if missing:
        raise InputError(f"{len(missing)} items have no group, such as {missing[0]!r}: name one for each")
    amounts = exposure(lists, by_place=by_place)
    total = float(amounts.sum())
    if total <= 0.0:
        raise InputError("nothing was shown: all lists are empty")
    names, rows = np.unique([groups[item_id] for item_id in lists.item_ids], return_inverse=True)
    sizes = np.bincount(rows)
    shares = np.bincount(rows, weights=amounts) / total
    return {
        str(name): GroupExposure(int(size), float(share), float(share * len(amounts) / size))
        for name, size, share in zip(names, sizes, shares, strict=True)
    }


def parity(groups: Mapping[str, GroupExposure]) -> float:
    """Least over greatest exposure per item among the groups, in [0, 1]; 1 is parity.

    Reference: the demographic parity constraint of Singh & Joachims 2018, as a ratio.
    """
    relative = [group.relative for group in groups.values()]
    return min(relative) / max(relative)
