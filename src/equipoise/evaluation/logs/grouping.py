"""Rows of one decision brought together, in slot order, each once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.evaluation.evidence import Integers


class Grouping(NamedTuple):
    """order: (n,) the rows in their new order, None if it is the old one. decisions: (n,) codes in the new order.

    again: rows (old numbers from 0) whose decision and slot stood in an earlier row; their decision still holds
    them in `order`.
    """

    order: Integers | None
    decisions: Integers
    again: Integers


def grouped(keys: NDArray[np.uint64] | None, slots: NDArray[np.integer], at: Floats | None) -> Grouping:
    """Group n rows by key. keys: (n,) equal within a decision; None: every row is one. at: (n,) sort by it, if given."""
    if keys is None:
        decisions = np.arange(len(slots), dtype=np.int64)
        order = None if at is None or _rising(at) else np.argsort(at, kind="stable")
        return Grouping(order, decisions, np.empty(0, np.int64))
    decisions = _runs(keys)
    if _in_place(keys, decisions, slots) and (at is None or _rising(at)):
        return Grouping(None, decisions, np.empty(0, np.int64))
    rank = _ranks(keys, at)
    order = np.lexsort((slots, rank))
    sorted_ranks, sorted_slots = rank[order], slots[order]
    again = (sorted_ranks[1:] == sorted_ranks[:-1]) & (sorted_slots[1:] == sorted_slots[:-1])
    return Grouping(order, _runs(sorted_ranks), order[1:][again])


def _rising(at: Floats) -> bool:
    return bool((np.diff(at) >= 0.0).all())


def _runs(keys: NDArray[np.generic]) -> Integers:
    """(n,) how many times the key has changed so far."""
    changed = np.empty(len(keys), dtype=np.int64)
    if len(keys):
        changed[0] = 0
        changed[1:] = keys[1:] != keys[:-1]
    return np.cumsum(changed, out=changed)


def _in_place(keys: NDArray[np.uint64], decisions: Integers, slots: NDArray[np.integer]) -> bool:
    """Each key is one run, and slots rise within it."""
    if not len(keys):
        return True
    within = decisions[1:] == decisions[:-1]
    if (slots[1:][within] <= slots[:-1][within]).any():
        return False
    heads = keys[np.flatnonzero(np.diff(decisions, prepend=-1))]
    heads.sort()
    return not bool((heads[1:] == heads[:-1]).any())


def _ranks(keys: NDArray[np.uint64], at: Floats | None) -> Integers:
    """(n,) equal within a decision; by its earliest time, or else by its first row."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if at is None:
        position = first
    else:
        earliest = np.full(len(first), np.inf)
        np.minimum.at(earliest, inverse, at)
        position = np.lexsort((first, earliest)).argsort()
        return position[inverse].astype(np.int64)
    return position[inverse].astype(np.int64)
