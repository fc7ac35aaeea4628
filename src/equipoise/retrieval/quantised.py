"""The few things that we ask of faiss: train lists, add to a copy of them, search them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from equipoise.core import MissingExtraError, Vectors
from equipoise.retrieval.rows import CHUNK_ROWS, Mask, RowNumbers, Rows

_PER_LIST = 39
"""Items that faiss wants for each list that it fits; fewer make it warn, and the lists poor."""


def require_faiss() -> Any:
    """The library. Raises: MissingExtraError: it is not installed."""
    try:
        with warnings.catch_warnings():
            # some builds of faiss define SWIG types that Python deprecates, at import and only there
            warnings.simplefilter("ignore", DeprecationWarning)
            import faiss as library
    except ImportError:
        raise MissingExtraError(
            "the approximate index needs faiss: pip install 'equipoise[ann]', or use the exact index"
        ) from None
    return library


def trained(items: Rows, *, train_on: int) -> Any:
    """An IVF-SQ8 index over all rows, row i under label i. Deterministic: evenly spaced rows, fixed seed."""
    library = require_faiss()
    n, dim = len(items), items.space.dim
    sample = items.gather(np.unique(np.linspace(0, n - 1, min(n, train_on)).astype(np.int64)))
    n_lists = max(1, min(math.isqrt(n), len(sample) // _PER_LIST))
    coarse = library.IndexFlatIP(dim)
    index = library.IndexIVFScalarQuantizer(
        coarse, dim, n_lists, library.ScalarQuantizer.QT_8bit, library.METRIC_INNER_PRODUCT
    )
    index.cp.seed = 1
    with _one_thread(library):
        index.train(sample)
        _add(index, items, np.arange(n), first_label=0)
    return index


def extended(lists: Any, items: Rows, rows: RowNumbers, *, first_label: int) -> Any:
    """A copy of `lists` that also has these rows, under the labels from `first_label` on."""
    library = require_faiss()
    copied = library.clone_index(lists)
    with _one_thread(library):
        _add(copied, items, rows, first_label=first_label)
    return copied


def proposed(lists: Any, queries: Vectors, k: int, *, nprobe: int, living: Mask | None) -> RowNumbers:
    """Returns: (q, k) labels, best first, -1 where fewer were found. living: labels that may come; None for all."""
    library = require_faiss()
    options = {"nprobe": min(nprobe, lists.nlist)}
    if living is not None:
        bits = np.packbits(living, bitorder="little")
        options["sel"] = library.IDSelectorBitmap(bits)
    with _one_thread(library):
        _, labels = lists.search(queries, k, params=library.SearchParametersIVF(**options))
    found: RowNumbers = labels
    return found


def _add(index: Any, items: Rows, rows: RowNumbers, *, first_label: int) -> None:
    """In steps of one chunk, so that no second copy of the matrix comes into being."""
    for start in range(0, len(rows), CHUNK_ROWS):
        part = rows[start : start + CHUNK_ROWS]
        labels = np.arange(first_label + start, first_label + start + len(part))
        index.add_with_ids(items.gather(part), labels)


@contextmanager
def _one_thread(library: Any) -> Iterator[None]:
    """Two threads are slower than one on a busy server; the setting is put back for other users of faiss."""
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(1)
    try:
        yield
    finally:
        library.omp_set_num_threads(before)
