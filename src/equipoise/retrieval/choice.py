"""Which index for how many items, and what an approximate one misses."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.core import ConfigurationError, FeatureSpace, Vectors
from equipoise.retrieval.approximate import AnnSettings, FaissIndex
from equipoise.retrieval.exact import ExactIndex
from equipoise.retrieval.index import Index

EXACT_UP_TO = 100_000
"""Items that the exact index scores in some milliseconds; above, faiss is quicker."""

Kind = Literal["auto", "exact", "faiss"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """kind: `exact` or `faiss`. why: one sentence for a log or a status page."""

    kind: Literal["exact", "faiss"]
    why: str


def choose(n_items: int, allowed_share: float = 1.0) -> Chosen:
    """The index for a catalogue of n items of which a request may usually show `allowed_share` (0 to 1)."""
    if n_items <= EXACT_UP_TO:
        return Chosen("exact", f"{n_items} items, up to {EXACT_UP_TO} are searched exactly")
    if allowed_share < AnnSettings().narrow_share:
        return Chosen(
            "exact", f"requests may show {allowed_share:.1%} of the items: exact inside so narrow a filter"
        )
    if importlib.util.find_spec("faiss") is None:
        return Chosen(
            "exact",
            f"{n_items} items would be quicker with faiss, which is not installed: pip install 'equipoise[ann]'",
        )
    return Chosen("faiss", f"{n_items} items, more than {EXACT_UP_TO}: approximate search")


def open_index(
    space: FeatureSpace,
    item_ids: Sequence[str],
    vectors: Vectors,
    *,
    kind: Kind = "auto",
    settings: AnnSettings | None = None,
) -> Index:
    """An index over the caller's (n, d) array or memmap, which must not change from now on.

    kind: `auto` chooses by size and logs why where it has to make do without faiss.
    Raises: ConfigurationError: an unknown kind. MissingExtraError: `faiss` is asked for and not installed.
    """
    if kind not in ("auto", "exact", "faiss"):
        raise ConfigurationError(f"index kind {kind!r} is unknown, expected auto, exact or faiss")
    chosen = choose(len(item_ids)) if kind == "auto" else Chosen(kind, "as configured")
    if chosen.kind == "exact" and kind == "auto" and len(item_ids) > EXACT_UP_TO:
        _log.warning("%s", chosen.why)
    if chosen.kind == "exact":
        return ExactIndex.over(space, item_ids, vectors)
    return FaissIndex.over(space, item_ids, vectors, settings=settings)


def recall(index: Index, oracle: Index, queries: Vectors, k: int) -> float:
    """The share of the oracle's k best that the index finds too, over all queries (q, d); 0 to 1.

    Measure it on the queries that will be asked: posterior draws are harder than texts.
    """
    found, true = index.view, oracle.view
    hits = 0
    expected = 0
    for query in np.asarray(queries):
        wanted = set(true.search(query, k).item_ids)
        hits += len(wanted.intersection(found.search(query, k).item_ids))
        expected += len(wanted)
    return hits / expected if expected else 1.0
