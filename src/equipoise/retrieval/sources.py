"""Candidates from several sources, merged without doubles, each remembering where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import InputError
from equipoise.retrieval.checked import checked_k
from equipoise.retrieval.rows import Mask, RowNumbers

NEAR = "near"
"""Near the request."""
MEAN = "mean"
"""High by the posterior mean."""
DRAW = "draw"
"""High by one posterior draw."""
FRESH = "fresh"
"""The newest items."""
LISTED = "listed"
"""Named by the caller."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What one source found.

    rows: (r,) distinct rows, best first; more than `quota` of them serve to fill up for sources that come short.
    quota: how many candidates this source may bring before all have brought theirs; 0 or more.
    """

    source: str
    rows: RowNumbers
    quota: int

    def __post_init__(self) -> None:
        if self.quota < 0:
            raise InputError(f"source {self.source!r} has the quota {self.quota}, expected 0 or more")


def gather(searches: Sequence[Search], k: int) -> tuple[RowNumbers, tuple[str, ...]]:
    """Up to k distinct rows, and the source of each; the rows of one source stand together, best first.

    One source after the other brings its best rows that no earlier one has brought, until its quota is full or
    it has no more. Where that leaves fewer than k, they go round once more without quotas.

    Returns: rows (k',) int64 and sources (k',), k' <= k.
    Raises: InputError: k below 1, or two searches of one source.
    """
    k = checked_k(k)
    names = [search.source for search in searches]
    if len(set(names)) != len(names):
        raise InputError(f"sources are {names}: each may come once, merge the rows of one source yourself")
    brought = _brought(searches, k)
    sources: list[str] = []
    for name, rows in zip(names, brought, strict=True):
        sources += [name] * len(rows)
    return np.concatenate([_NOTHING, *brought]), tuple(sources)


_NOTHING: RowNumbers = np.zeros(0, dtype=np.int64)


def _brought(searches: Sequence[Search], k: int) -> list[RowNumbers]:
    """What each source brings, in the order of the searches; k rows at most in all."""
    highest = max((int(search.rows.max()) for search in searches if len(search.rows)), default=-1)
    taken = np.zeros(highest + 1, dtype=np.bool_)
    brought, left = [], k
    for search in searches:
        fresh = _fresh(search.rows, taken, min(search.quota, left))
        brought.append(fresh)
        left -= len(fresh)
    for number, search in enumerate(searches):
        if left == 0:
            break
        more = _fresh(search.rows, taken, left)
        brought[number] = np.concatenate([brought[number], more])
        left -= len(more)
    return brought


def _fresh(rows: RowNumbers, taken: Mask, most: int) -> RowNumbers:
    """The best `most` rows that are not taken yet; from now on they are."""
    fresh = rows[~taken[rows]][:most]
    taken[fresh] = True
    return fresh
