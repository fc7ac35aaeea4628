"""The exact index: every row is scored. The choice up to about 100,000 items, and the oracle for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import FeatureSpace, Vectors
from equipoise.retrieval.checked import checked_queries
from equipoise.retrieval.index import Index, View
from equipoise.retrieval.ranking import Ranked, exact_top
from equipoise.retrieval.rows import Mask, Rows


@dataclass(frozen=True, slots=True, eq=False)
class ExactView(View):
    """Scores every allowed row."""

    items: Rows

    def scores(self, queries: Vectors) -> Vectors:
        """(q, n) float32 inner products of each of several queries (q, d) with every row.

        Raises: InputError, FeatureSpaceError: as `top`.
        """
        checked = checked_queries(queries, self.items.space)
        scores = np.empty((len(checked), len(self.items)), np.float32)
        for query, line in zip(checked, scores, strict=True):
            start = 0
            for chunk in self.items.chunks:
                np.dot(chunk, query, out=line[start : start + len(chunk)])
                start += len(chunk)
        return scores

    def _top(self, queries: Vectors, k: int, allowed: Mask | None, bonus: Vectors | None) -> Ranked:
        return exact_top(self.items, queries, k, allowed=allowed, bonus=bonus)


class ExactIndex(Index):
    """Inner products with every item, in numpy.

    A row's score is the float32 inner product; which of its last bits come out depends on the BLAS at hand and
    on where the row stands, so scores are equal to about 1e-6 of their size from one view to the next.
    """

    def __init__(self, space: FeatureSpace) -> None:
        super().__init__(ExactView(Rows(space, (), {}, ())))

    @classmethod
    def over(cls, space: FeatureSpace, item_ids: Sequence[str], vectors: Vectors) -> ExactIndex:
        """An index that looks into the caller's (n, d) array or memmap, which must not change from now on.

        Nothing is copied where it is C-contiguous float32; a later put or drop copies the chunks of 4096 rows
        that it touches, and never writes into the caller's array.
        """
        index = cls(space)
        index._view = ExactView(Rows.over(space, item_ids, vectors))
        return index

    def _with(self, item_ids: Sequence[str], vectors: Vectors) -> ExactView:
        return ExactView(self._view.items.put(item_ids, vectors))

    def _without(self, item_ids: Sequence[str]) -> ExactView:
        return ExactView(self._view.items.drop(item_ids))
