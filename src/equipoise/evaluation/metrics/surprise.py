"""Do the lists show what a user would not have found alone?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.metrics.accuracy import Judged
from equipoise.evaluation.metrics.lists import RankedLists


def novelty(lists: RankedLists, known_by: Mapping[str, float], *, users: int, unseen: float = 0.5) -> Floats:
    """(n,) mean surprise of a list's items, in bits: -log2 of the share of users who know the item.

    known_by: item_id to how many of the `users` had to do with it. unseen: what counts instead for an item that
        nobody knows, whose surprise would have no end. NaN for an empty list.
    Reference: Zhou et al. 2010; Vargas & Castells 2011, without rank and relevance.
    Raises: InputError: more know an item than there are users, or `unseen` is not above 0.
    """
    if users < 1 or not 0.0 < unseen <= users:
        raise InputError(f"users is {users} and unseen {unseen}: expected 1 or more, and above 0 up to that")
    counts = np.array([known_by.get(item_id, 0.0) for item_id in lists.item_ids], dtype=np.float64)
    wrong = np.flatnonzero(~((counts >= 0.0) & (counts <= users)))
    if wrong.size:
        raise InputError(
            f"item {lists.item_ids[wrong[0]]!r} is known by {counts[wrong[0]]} of {users} users: count users, not events"
        )
    bits = -np.log2(np.where(counts > 0.0, counts, unseen) / users)
    return _list_mean(lists, np.where(lists.filled, bits[lists.places], 0.0))


def serendipity(lists: RankedLists, judged: Judged, expected: Sequence[Collection[str]]) -> Floats:
    """(n,) share of a list that is relevant and was not to be expected, in [0, 1]; NaN for an empty list.

    judged: of these lists. expected: for each list, what a primitive recommender would have shown, such as
        the most popular items.
    Reference: Ge, Delgado-Battenfeld & Jannach 2010, in the form |(list - expected) and relevant| / |list|.
    Raises: InputError: another number of judgements or expectations.
    """
    if len(expected) != len(lists) or judged.gains.shape != lists.places.shape:
        raise InputError(
            f"{len(lists)} lists but {len(expected)} expectations and judgements of shape {judged.gains.shape}: "
            "give one for each, judged on these very lists"
        )
    surprising = np.zeros(lists.places.shape)
    for number, foreseen in enumerate(expected):
        own = [item_id not in foreseen for item_id in lists.ids(number)]
        surprising[number, : len(own)] = own
    return _list_mean(lists, surprising * (judged.gains > 0.0))


def _list_mean(lists: RankedLists, values: Floats) -> Floats:
    """(n,) mean over each list's own items. values: (n, k), 0 where there is none."""
    lengths = lists.lengths.astype(np.float64)
    means = np.full(len(lists), np.nan)
    np.divide(values.sum(axis=1), lengths, out=means, where=lengths > 0.0)
    return means
