"""A query vector to k candidates: exact numpy to about 100,000 items or under a narrow filter, faiss above.

::

    index = open_index(space, item_ids, vectors)
    view = index.view                                   # one moment of the index, for one request
    allowed = view.items.mask(exclude=seen)
    found = view.top(queries, 200, allowed=allowed)     # several queries in one pass
    rows, sources = gather([Search(NEAR, found.rows[0], 100), Search(DRAW, found.rows[1], 60)], 128)
"""

from equipoise.retrieval.approximate import AnnSettings, FaissIndex
from equipoise.retrieval.choice import EXACT_UP_TO, Chosen, Kind, choose, open_index, recall
from equipoise.retrieval.exact import ExactIndex, ExactView
from equipoise.retrieval.index import Index, View
from equipoise.retrieval.ranking import Ranked, best
from equipoise.retrieval.rows import Rows, holes_filled
from equipoise.retrieval.sketch import Axes, refined
from equipoise.retrieval.sources import DRAW, FRESH, LISTED, MEAN, NEAR, Search, gather

__all__ = [
    "DRAW",
    "EXACT_UP_TO",
    "FRESH",
    "LISTED",
    "MEAN",
    "NEAR",
    "AnnSettings",
    "Axes",
    "Chosen",
    "ExactIndex",
    "ExactView",
    "FaissIndex",
    "Index",
    "Kind",
    "Ranked",
    "Rows",
    "Search",
    "View",
    "best",
    "choose",
    "gather",
    "holes_filled",
    "open_index",
    "recall",
    "refined",
]
