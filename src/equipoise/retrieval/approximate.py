"""The faiss index, for more than 100,000 items: finds nearly all of what the exact index would, in milliseconds.

Lists and four-bit codes, by inner product. faiss proposes several times as many rows as asked for; these are scored
again with the exact vectors, so scores are true inner products and only membership is approximate. A trained
index is never changed: searches read it without a lock, writers publish a copy or a new one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from equipoise.core import ConfigurationError, FeatureSpace, Vectors
from equipoise.retrieval.index import Index, View
from equipoise.retrieval.quantised import (
    Quantised,
    extended,
    inner_products,
    proposed,
    require_faiss,
    trained,
)
from equipoise.retrieval.ranking import Ranked, best, exact_top, ranked, top_among
from equipoise.retrieval.rows import Mask, RowNumbers, Rows, holes_filled


@dataclass(frozen=True, slots=True)
class AnnSettings:
    """How the approximate index is built and asked.

    nprobe: lists looked into for a query, 1 or more; there are 3 for each root of the number of items. 560 of the
        3,000 over a million items find .945 of the top 200 of posterior draws and .99 of those near an item; 300
        find .91 and .99. Measure with `recall` before you lower it.
    train_from: items below which nothing is trained and every search is exact.
    train_on: most items that the lists are fitted on.
    overfetch, overfetch_rows: how many times k, and how many more, faiss proposes before the exact scores decide.
        1 and 0 or more. Codes are short, and the best by code are not quite the best.
    overfetch_bonus: `overfetch` where a bonus is added, for the rows of best inner product and again for those of
        best bonus.
    narrow_share, narrow_rows: a filter that allows a smaller share or fewer rows is searched exactly inside.
    dead_share: share of replaced and dropped rows above which the index is trained anew.
    fresh_rows: new rows that are scored exactly until so many are there; then they join the lists.
    """

    nprobe: int = 560
    train_from: int = 20_000
    train_on: int = 80_000
    overfetch: float = 6.0
    overfetch_rows: int = 250
    overfetch_bonus: float = 8.0
    narrow_share: float = 0.10
    narrow_rows: int = 20_000
    dead_share: float = 0.20
    fresh_rows: int = 4096

    def __post_init__(self) -> None:
        least = {
            "nprobe": 1,
            "train_from": 40,
            "train_on": 40,
            "overfetch": 1.0,
            "overfetch_rows": 0,
            "overfetch_bonus": 1.0,
            "fresh_rows": 0,
        }
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ConfigurationError(f"{name} is {getattr(self, name)}, expected {low} or more")


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """A trained faiss index, and which of its labels are which rows.

    index: None below the training minimum. labels: (n,) the label of each row, -1 for a fresh row, which
    `index` does not know yet. n_labels: how many labels were ever given; those of no row any more are dead.
    """

    index: Quantised | None
    labels: RowNumbers
    n_labels: int

    @property
    def dead(self) -> int:
        return self.n_labels - int(np.count_nonzero(self.labels >= 0))

    def rows_of(self) -> RowNumbers:
        """Returns: (n_labels,) the row of each label, -1 for a dead one."""
        rows = np.full(self.n_labels, -1, dtype=np.int64)
        known = np.flatnonzero(self.labels >= 0)
        rows[self.labels[known]] = known
        return rows


class AnnView(View):
    """Rows, and the lists that know most of them."""

    def __init__(self, items: Rows, lists: Lists, settings: AnnSettings) -> None:
        self._items = items
        self._lists = lists
        self._settings = settings
        self._row_of_label = lists.rows_of()
        self._fresh = np.flatnonzero(lists.labels < 0)
        self._dead = lists.dead

    @property
    def items(self) -> Rows:
        return self._items

    def _top(self, queries: Vectors, k: int, allowed: Mask | None, bonus: Vectors | None) -> Ranked:
        """Exact inside a narrow filter, and where the lists give too little.

        With a bonus, a row is found if its inner product is among the best that the lists propose, or its bonus
        among the best: the sum of the two decides between those. A row that is middling in both can be missed.
        """
        n_allowed = len(self.items) if allowed is None else int(np.count_nonzero(allowed))
        allowed = None if n_allowed == len(self.items) else allowed
        if self._lists.index is None or self._narrow(n_allowed):
            return exact_top(self.items, queries, k, allowed=allowed, bonus=bonus)
        k = min(k, n_allowed)
        chosen = self._settings
        factor = chosen.overfetch if bonus is None else chosen.overfetch_bonus
        wanted = math.ceil(k * factor) + chosen.overfetch_rows
        bonuses = _by_query(bonus, len(queries), len(self.items))
        found = [
            self._candidates(labels, wanted, allowed, added)
            for labels, added in zip(
                self._proposed(queries, wanted, allowed, len(self.items) - n_allowed), bonuses, strict=True
            )
        ]
        if any(len(rows) < k for rows in found):
            return exact_top(self.items, queries, k, allowed=allowed, bonus=bonus)
        parts = [
            self._among(rows, query, k, added)
            for rows, query, added in zip(found, queries, bonuses, strict=True)
        ]
        return Ranked(np.concatenate([p.rows for p in parts]), np.concatenate([p.scores for p in parts]))

    def _narrow(self, n_allowed: int) -> bool:
        share = n_allowed / len(self.items)
        return n_allowed < self._settings.narrow_rows or share < self._settings.narrow_share

    def _proposed(self, queries: Vectors, wanted: int, allowed: Mask | None, n_closed: int) -> RowNumbers:
        """Returns: (q, wanted or more) labels, best first; they may be of hidden rows where few are hidden.

        To ask for a few more and pass them over costs less than to have faiss look up every label.
        """
        lists = self._lists.index
        if lists is None:
            return np.empty((len(queries), 0), dtype=np.int64)
        hidden = self._dead + n_closed
        living = self._living(allowed) if hidden > wanted else None
        asked = min(wanted if hidden > wanted else wanted + hidden, self._lists.n_labels)
        return proposed(lists, queries, asked, nprobe=self._settings.nprobe, living=living)

    def _living(self, allowed: Mask | None) -> Mask:
        """(n_labels,) True for the labels of allowed rows."""
        rows = self._row_of_label
        return rows >= 0 if allowed is None else (rows >= 0) & allowed[rows]

    def _candidates(
        self, labels: RowNumbers, wanted: int, allowed: Mask | None, bonus: Vectors | None
    ) -> RowNumbers:
        """Ascending rows: what the lists propose, every fresh row, and the best by bonus; all of them allowed."""
        fresh = self._fresh if allowed is None else self._fresh[allowed[self._fresh]]
        listed = self._row_of_label[labels[labels >= 0]]
        listed = listed[listed >= 0]
        found = np.concatenate([listed if allowed is None else listed[allowed[listed]], fresh])
        if bonus is None or not bonus.any():
            return np.sort(found)
        high = best(bonus if allowed is None else np.where(allowed, bonus, -np.inf), wanted)
        return np.union1d(found, high if allowed is None else high[allowed[high]])

    def _among(self, rows: RowNumbers, query: Vectors, k: int, bonus: Vectors | None) -> Ranked:
        """`top_among` for one query; without a copy of the rows while all of them lie in one array."""
        if self.items.whole is None:
            return top_among(self.items, rows, query[None], k, bonus=bonus)
        scores = inner_products(self.items.whole, rows, query)[None]
        if bonus is not None:
            scores += bonus[rows]
        inside = ranked(scores, k)
        return Ranked(rows[inside.rows], inside.scores)


def _by_query(bonus: Vectors | None, q: int, n: int) -> Sequence[Vectors | None]:
    """For each of q queries its bonus (n,), or None."""
    return [None] * q if bonus is None else list(np.broadcast_to(bonus, (q, n)))


class FaissIndex(Index):
    """Inner products with nearly every item that matters. Needs `pip install 'equipoise[ann]'`.

    Raises: MissingExtraError: faiss is not installed.
    """

    def __init__(self, space: FeatureSpace, *, settings: AnnSettings | None = None) -> None:
        require_faiss()
        self._settings = settings or AnnSettings()
        self._lists = _no_lists(0)
        super().__init__(AnnView(Rows(space, (), {}, ()), self._lists, self._settings))

    @classmethod
    def over(
        cls,
        space: FeatureSpace,
        item_ids: Sequence[str],
        vectors: Vectors,
        *,
        settings: AnnSettings | None = None,
    ) -> FaissIndex:
        """As `ExactIndex.over`: the exact vectors stay in the caller's array. Trains if there are enough."""
        index = cls(space, settings=settings)
        items = Rows.over(space, item_ids, vectors)
        index._view = index._with_lists(items, _no_lists(len(items)))
        return index

    @property
    def lists(self) -> Lists:
        """What is trained at this moment, for a report."""
        return self._lists

    @property
    def size_bytes(self) -> int:
        """What the index takes beside the exact vectors: codes and labels of every item, and the lists' centres."""
        trained = self._lists.index
        return 0 if trained is None else trained.size_bytes + self._lists.labels.nbytes

    def _with(self, item_ids: Sequence[str], vectors: Vectors) -> AnnView:
        items = self._view.items.put(item_ids, vectors)
        lists = self._lists
        labels = np.concatenate([lists.labels, np.full(len(items) - len(lists.labels), -1)])
        labels[items.find(item_ids)] = -1
        return self._with_lists(items, replace(lists, labels=labels))

    def _without(self, item_ids: Sequence[str]) -> AnnView:
        before = self._view.items
        holes, movers = holes_filled(len(before), before.find(item_ids))
        labels = self._lists.labels.copy()
        labels[holes] = labels[movers]
        left = len(before) - len(item_ids)
        return self._with_lists(before.drop(item_ids), replace(self._lists, labels=labels[:left]))

    def _with_lists(self, items: Rows, lists: Lists) -> AnnView:
        """A view with the lists as they are, extended, trained anew, or given up: whatever is due."""
        if len(items) < self._settings.train_from:
            lists = _no_lists(len(items))
        elif lists.index is None or lists.dead > self._settings.dead_share * lists.n_labels:
            index = trained(items, train_on=self._settings.train_on)
            lists = Lists(index, np.arange(len(items)), len(items))
        elif np.count_nonzero(lists.labels < 0) > self._settings.fresh_rows:
            lists = _absorbed(items, lists, lists.index)
        self._lists = lists
        return AnnView(items, lists, self._settings)


def _no_lists(n: int) -> Lists:
    return Lists(None, np.full(n, -1), 0)


def _absorbed(items: Rows, lists: Lists, trained: Quantised) -> Lists:
    """The fresh rows join a copy of the lists."""
    fresh = np.flatnonzero(lists.labels < 0)
    index = extended(trained, items, fresh, first_label=lists.n_labels)
    labels = lists.labels.copy()
    labels[fresh] = lists.n_labels + np.arange(len(fresh))
    return Lists(index, labels, lists.n_labels + len(fresh))
