"""Ranked lists of a catalogue's items, as numbers: what every metric here is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import InputError, Logged, UnknownItemError

NOTHING = -1
"""Stands where a list has no item left."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """n lists of at most k items, best first.

    places: (n, k) int64, rows of the catalogue; -1 behind a shorter list's end. item_ids: the catalogue.
    """

    places: NDArray[np.int64]
    item_ids: tuple[str, ...]

    @classmethod
    def of(
        cls, lists: Sequence[Sequence[str]], *, catalogue: Iterable[str] | None = None, k: int | None = None
    ) -> RankedLists:
        """lists: n lists of item_ids, best first. catalogue: all that could have been listed; None takes what was.

        k: only the first k of each; None takes all.
        Raises: InputError: no list, an item twice in one list, a list that is a text, or k below 1.
        UnknownItemError: an item that the catalogue does not have.
        """
        _usable(lists, k)
        ids = _distinct(catalogue if catalogue is not None else (item for one in lists for item in one))
        rows = {item_id: row for row, item_id in enumerate(ids)}
        width = max(len(one) for one in lists) if k is None else k
        places = np.full((len(lists), width), NOTHING, dtype=np.int64)
        for number, one in enumerate(lists):
            try:
                found = [rows[item_id] for item_id in one]
            except KeyError as error:
                raise UnknownItemError(
                    f"list {number} has item {error.args[0]!r}, which the catalogue lacks: pass the whole catalogue"
                ) from None
            if len(set(found)) < len(found):
                raise InputError(f"list {number} has an item twice: {list(one)!r:.80}; list each once")
            kept = found[:width]
            places[number, : len(kept)] = kept
        return cls(places, ids)

    def __len__(self) -> int:
        return len(self.places)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """(n, k), True where an item stands."""
        return np.asarray(self.places != NOTHING)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) items in each list."""
        return np.asarray(self.filled.sum(axis=1))

    def cut(self, k: int) -> RankedLists:
        """The first k of each list."""
        if k < 1:
            raise InputError(f"k is {k} but must be 1 or more")
        return RankedLists(self.places[:, :k], self.item_ids)

    def ids(self, number: int) -> tuple[str, ...]:
        """The item_ids of one list."""
        return tuple(self.item_ids[row] for row in self.places[number].tolist() if row != NOTHING)


def shown_lists(settled: Iterable[Logged], *, catalogue: Iterable[str] | None = None) -> RankedLists:
    """The slates of settled decisions as lists, top slot first."""
    lists = [[slot.item_id for slot in entry.decision.slots] for entry in settled]
    return RankedLists.of(lists, catalogue=catalogue)


def _usable(lists: Sequence[Sequence[str]], k: int | None) -> None:
    if not len(lists):
        raise InputError("there is no list: give one at least")
    if k is not None and k < 1:
        raise InputError(f"k is {k} but must be 1 or more")
    for number, one in enumerate(lists):
        if isinstance(one, str):
            raise InputError(
                f"list {number} is the text {one!r:.40} but must be several item_ids: write ['i7']"
            )


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
