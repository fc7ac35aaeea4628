"""Candidates from several sources, merged in turns, each remembering where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from equipoise.core import InputError
from equipoise.retrieval.checked import checked_k
from equipoise.retrieval.rows import RowNumbers

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
    """Up to k distinct rows, and the source of each.

    The sources take turns in their order; each brings its best row that is not there yet, until its quota is
    full or it has no more. If that leaves fewer than k, they take turns once more without quotas. A row that
    several sources found is credited to the first of them, in the given order, that has it within its quota
    (else to the first that has it at all), whoever's turn it was.

    Returns: rows (k',) int64 and sources (k',), k' <= k.
    Raises: InputError: k below 1, or two searches of one source.
    """
    k = checked_k(k)
    names = [search.source for search in searches]
    if len(set(names)) != len(names):
        raise InputError(f"sources are {names}: each may come once, merge the rows of one source yourself")
    rows = np.array(_in_turns(searches, k), dtype=np.int64)
    return rows, _credited(rows, searches)


def _in_turns(searches: Sequence[Search], k: int) -> list[int]:
    left = [(iter(search.rows.tolist()), search.quota) for search in searches]
    taken: dict[int, None] = {}
    # between two neighbouring quotas the same sources take turns
    for done, quota in pairwise([0, *sorted({quota for _, quota in left})]):
        _take_turns([rows for rows, most in left if most >= quota], quota - done, taken, k)
    _take_turns([rows for rows, _ in left], k, taken, k)
    return list(taken)[:k]


def _take_turns(sources: list[Iterator[int]], turns: int, taken: dict[int, None], k: int) -> None:
    """In each turn every source adds its next new row to `taken` (ordered), until k are there (or a few more)."""
    for _ in range(turns):
        before = len(taken)
        if before >= k:
            return
        for rows in sources:
            for row in rows:
                if row not in taken:
                    taken[row] = None
                    break
        if len(taken) == before:
            return


def _credited(rows: RowNumbers, searches: Sequence[Search]) -> tuple[str, ...]:
    if not len(rows):
        return ()
    found = [search.rows for search in searches]
    # only the cells of rows that were found are ever read; the last to write wins: first within its quota
    finder = np.empty(int(np.concatenate(found).max()) + 1, dtype=np.int16)
    for number in reversed(range(len(found))):
        finder[found[number]] = number
    for number in reversed(range(len(found))):
        finder[found[number][: searches[number].quota]] = number
    names = [search.source for search in searches]
    return tuple([names[number] for number in finder[rows].tolist()])
