"""What every index offers: a view for reading that never changes, and two verbs that make the next view."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np

from equipoise.core import Candidates, FeatureSpace, Floats, Vectors
from equipoise.retrieval.checked import checked_bonus, checked_k, checked_mask, checked_queries
from equipoise.retrieval.ranking import Ranked
from equipoise.retrieval.rows import Mask, RowNumbers, Rows


class View(ABC):
    """An index as it was at one moment: rows, masks and answers taken from one view belong together.

    `items` finds rows by item_id and back (`Rows`).
    """

    @property
    @abstractmethod
    def items(self) -> Rows: ...

    @abstractmethod
    def _top(self, queries: Vectors, k: int, allowed: Mask | None, bonus: Vectors | None) -> Ranked:
        """`top` with its arguments checked."""

    def top(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed: Mask | None = None,
        bonus: Vectors | Floats | None = None,
        space: FeatureSpace | None = None,
    ) -> Ranked:
        """The k rows of greatest inner product for each of several queries, in one pass over the vectors.

        queries: (q, d). allowed: (n,) False where an item must not be shown. bonus: (n,) or (q, n), added to the
        inner products; an approximate index may then miss a little more. space: the queries' space, where the
        caller knows it: another one is refused.

        Returns: min(k, allowed rows) ranked rows a query.
        Raises: InputError: k below 1, NaN, infinity or a wrong shape. FeatureSpaceError: another d or space.
        """
        self._require(space)
        checked = checked_queries(queries, self.items.space)
        n = len(self.items)
        return self._top(
            checked,
            checked_k(k),
            None if allowed is None else checked_mask(allowed, n),
            None if bonus is None else checked_bonus(bonus, n),
        )

    def search(
        self, query: Vectors, k: int, *, allowed: Mask | None = None, space: FeatureSpace | None = None
    ) -> Candidates:
        """The k items of greatest inner product with `query` (d,), best first; features are (k, 1) scores."""
        found = self.top(np.asarray(query)[None], k, allowed=allowed, space=space)
        names = self.items.item_ids
        return Candidates(
            item_ids=tuple(names[row] for row in found.rows[0].tolist()),
            features=found.scores[0][:, None],
            space=self.items.space,
        )

    def _require(self, space: FeatureSpace | None) -> None:
        if space is not None:
            self.items.space.require(
                space,
                who="the index",
                remedy="encode with the encoder of this space, or build an index in that one",
            )


class Index(ABC):
    """A Retriever. Searches read `view`; writers take turns and publish a whole new view at the end.

    A search sees all of a put or drop or nothing of it, and never waits for one. One item costs a writer about
    as much as thousands do (ids are copied, and the chunk of 4096 rows): put and drop in batches.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._writing = threading.Lock()

    @property
    def view(self) -> View:
        """The index as it is now. Take it once a request."""
        return self._view

    @property
    def space(self) -> FeatureSpace:
        return self._view.items.space

    @property
    def item_ids(self) -> tuple[str, ...]:
        """(n,), the item of each row."""
        return self._view.items.item_ids

    def __len__(self) -> int:
        return len(self._view.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._view.items.row_of

    def put(self, item_ids: Sequence[str], vectors: Vectors, *, space: FeatureSpace | None = None) -> None:
        """Add or replace items. vectors: (n, d), copied. A known item keeps its row, new ones follow the last.

        Raises: InputError: an item_id twice, lengths that differ, NaN or infinity; nothing has changed then.
            FeatureSpaceError: another d, or another `space` where it is given.
        """
        with self._writing:
            self._view._require(space)
            if len(item_ids):
                self._view = self._with(item_ids, vectors)

    def drop(self, item_ids: Iterable[str]) -> None:
        """Remove items; unknown ids are ignored. The last rows move into the holes (`holes_filled`)."""
        with self._writing:
            known = tuple(dict.fromkeys(item_id for item_id in item_ids if item_id in self))
            if known:
                self._view = self._without(known)

    def rows(self, item_ids: Sequence[str]) -> RowNumbers:
        """Returns: (k,) rows. Raises: UnknownItemError."""
        return self._view.items.find(item_ids)

    def vectors(self, item_ids: Sequence[str]) -> Vectors:
        """Returns: (k, d) float32, a copy. Raises: UnknownItemError."""
        return self._view.items.vectors(item_ids)

    def top(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed: Mask | None = None,
        bonus: Vectors | Floats | None = None,
        space: FeatureSpace | None = None,
    ) -> Ranked:
        """See `View.top`."""
        return self._view.top(queries, k, allowed=allowed, bonus=bonus, space=space)

    def search(
        self, query: Vectors, k: int, *, allowed: Mask | None = None, space: FeatureSpace | None = None
    ) -> Candidates:
        """See `View.search`."""
        return self._view.search(query, k, allowed=allowed, space=space)

    @abstractmethod
    def _with(self, item_ids: Sequence[str], vectors: Vectors) -> View: ...

    @abstractmethod
    def _without(self, item_ids: Sequence[str]) -> View:
        """item_ids: distinct and known, one or more."""
