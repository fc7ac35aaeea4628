"""The few things that we ask of faiss: train lists, add to a copy of them, search them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import MissingExtraError, Vectors
from equipoise.retrieval.rows import CHUNK_ROWS, Mask, RowNumbers, Rows

_PER_LIST = 39
"""Items that faiss wants for each list that it fits; fewer make it warn, and the lists poor."""


REACH = 3.0
"""How many deviations above its mean a list's best items are expected: about the best of a thousand."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantised:
    """Trained lists, and what is needed to choose those worth looking into.

    index: faiss's. centres: (lists, d). lean: (lists,) how far a list's mean item lies along its centre, in centres.
    spread: (lists,) deviation of its items around that mean, along any one direction.

    faiss takes the lists whose centres lie best. Most items of a diffuse list lie worse, but its best may lie better,
    and a posterior draw, a direction near no centre, has most of its best items in such lists: so lists are taken by
    the inner product that about the best of their items should have. On a million made-up vectors the lists that
    hold 10 % of the items so had .84 of the best 200 of a draw, and .80 by centre.
    """

    index: Any
    centres: Vectors
    lean: Vectors
    spread: Vectors

    def choose(self, queries: Vectors, nprobe: int) -> tuple[NDArray[np.int64], Vectors]:
        """Returns: (q, nprobe) lists and the inner products of their centres with the queries (q, d)."""
        along = queries @ self.centres.T
        lengths = np.linalg.norm(queries, axis=1, keepdims=True)
        hopes = along * self.lean + REACH * lengths * self.spread
        lists = np.argpartition(-hopes, min(nprobe, len(self.centres)) - 1, axis=1)[:, :nprobe]
        return lists, np.take_along_axis(along, lists, axis=1)


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


def trained(items: Rows, *, train_on: int) -> Quantised:
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
        found = _measured(index, sample)
        _add(index, items, np.arange(n), first_label=0)
    return found


def _measured(index: Any, sample: Vectors) -> Quantised:
    """What the sample (n, d) says of each list; a list without a row of it is taken for its centre alone."""
    centres: Vectors = index.quantizer.reconstruct_n(0, index.nlist)
    scores, owners = (column[:, 0] for column in index.quantizer.search(sample, 1))
    counts = np.maximum(np.bincount(owners, minlength=len(centres)), 1)
    along = np.bincount(owners, weights=scores, minlength=len(centres)) / counts
    squares = (
        np.bincount(owners, weights=np.einsum("nd,nd->n", sample, sample), minlength=len(centres)) / counts
    )
    lengths = np.maximum(np.einsum("nd,nd->n", centres, centres), np.finfo(np.float32).tiny)
    around = np.maximum(squares - along**2 / lengths, 0.0) / sample.shape[1]
    return Quantised(index, centres, (along / lengths).astype(np.float32), np.sqrt(around).astype(np.float32))


def extended(lists: Quantised, items: Rows, rows: RowNumbers, *, first_label: int) -> Quantised:
    """A copy of `lists` that also has these rows, under the labels from `first_label` on."""
    library = require_faiss()
    copied = library.clone_index(lists.index)
    with _one_thread(library):
        _add(copied, items, rows, first_label=first_label)
    return replace(lists, index=copied)


def proposed(lists: Quantised, queries: Vectors, k: int, *, nprobe: int, living: Mask | None) -> RowNumbers:
    """Returns: (q, k) labels, best first, -1 where fewer were found. living: labels that may come; None for all."""
    library = require_faiss()
    options: dict[str, Any] = {"nprobe": min(nprobe, len(lists.centres))}
    if living is not None:
        bits = np.packbits(living, bitorder="little")
        options["sel"] = library.IDSelectorBitmap(bits)
    with _one_thread(library):
        parameters = library.SearchParametersIVF(**options)
        return _searched(library, lists, np.ascontiguousarray(queries), k, parameters)


def _searched(library: Any, lists: Quantised, queries: Vectors, k: int, parameters: Any) -> RowNumbers:
    """The lists of our choice searched. faiss takes plain addresses here: every array is C-contiguous and of its type."""
    chosen, along = map(np.ascontiguousarray, lists.choose(queries, parameters.nprobe))
    scores = np.empty((len(queries), k), dtype=np.float32)
    labels = np.empty((len(queries), k), dtype=np.int64)
    asked = (queries, chosen, along, scores, labels)
    x, at, inner, out, found = map(library.swig_ptr, asked)
    lists.index.search_preassigned_c(len(queries), x, k, at, inner, out, found, False, parameters)
    return labels


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
