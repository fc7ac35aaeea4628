"""The few things that we ask of faiss: train lists and codes, add to a copy of them, search them.

A search is a pass over four-bit codes of what is left of each vector beside its list's centre (product quantisation
with tables in registers: André et al. 2015; in faiss, `IndexIVFPQFastScan`). Several
times as many items can be looked at as with 8 bits a number: the direction of a posterior draw is near no list.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import MissingExtraError, Vectors
from equipoise.retrieval.frame import Frame
from equipoise.retrieval.rows import CHUNK_ROWS, Mask, RowNumbers, Rows

LISTS_PER_ROOT = 3
"""Lists for each root of the number of items: finer lists are told apart better, and cost more to fit."""

_PER_LIST = 20
"""Sampled items for each list that is fitted on them: with fewer, centres follow their few items."""

_ROUNDS = 5
"""Rounds of k-means; more of them move less than one item in a hundred."""

REACH = 3.5
"""How many deviations above its mean a list's best items are expected: the best of some thousands."""

_OLDEST = (1, 13)
"""The first version of faiss whose search by four-bit codes in given lists finds what it should: 1.11 loses rows."""

_LENT = 2
"""Rows of the common variance that a list's own is mixed with."""

_RESERVOIR = 11
"""How faiss gathers what it finds, by its own number: in a reservoir, one query after the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantised:
    """Trained lists and codes, and what is needed to choose the lists worth looking into.

    index: faiss's, over the layout of `frame`. centres: (lists, d) the mean of each list, in principal coordinates.
    spread: (lists,) deviation of a list's items around their mean, along any one direction.

    faiss takes the lists whose centres lie best. Most items of a diffuse list lie worse, but its best may lie better,
    and a posterior draw, a direction near no centre, has most of its best items in such lists: so lists are taken by
    the inner product that about the best of their items should have.
    """

    index: Any
    frame: Frame
    centres: Vectors
    spread: Vectors

    @property
    def size_bytes(self) -> int:
        """Codes (lists are filled up to whole blocks) and labels, the centres here and in faiss's layout, the axes."""
        block, sizes = self.index.bbs, map(self.index.get_list_size, range(len(self.centres)))
        codes = self.index.code_size * block * sum(-(-size // block) for size in sizes)
        laid_out = len(self.centres) * self.frame.width * 4
        return int(codes + 8 * self.index.ntotal + laid_out + self.centres.nbytes + self.frame.axes.nbytes)

    def choose(self, turned: Vectors, nprobe: int) -> tuple[NDArray[np.int64], Vectors]:
        """Returns: (q, nprobe) lists and the inner products of their centres with the turned queries (q, d)."""
        along = turned @ self.centres.T
        hopes = along + REACH * np.linalg.norm(turned, axis=1, keepdims=True) * self.spread
        lists = np.argpartition(-hopes, min(nprobe, len(self.centres)) - 1, axis=1)[:, :nprobe]
        return lists, np.take_along_axis(along, lists, axis=1)


def require_faiss() -> Any:
    """The library. Raises: MissingExtraError: it is not installed, or too old."""
    try:
        with warnings.catch_warnings():
            # some builds of faiss define SWIG types that Python deprecates, at import and only there
            warnings.simplefilter("ignore", DeprecationWarning)
            import faiss as library
    except ImportError:
        raise MissingExtraError(
            "the approximate index needs faiss: pip install 'equipoise[ann]', or use the exact index"
        ) from None
    found = tuple(int(part) for part in re.findall(r"\d+", library.__version__)[:2])
    if found < _OLDEST:
        raise MissingExtraError(
            f"faiss is {library.__version__}, and the approximate index needs 1.13 or newer: "
            "pip install --upgrade 'equipoise[ann]' 'faiss-cpu>=1.13', or use the exact index"
        )
    return library


def trained(items: Rows, *, train_on: int) -> Quantised:
    """Lists and codes over all rows, row i under label i. Deterministic: evenly spaced rows, fixed seed."""
    library = require_faiss()
    n = len(items)
    sample = items.gather(np.unique(np.linspace(0, n - 1, min(n, train_on)).astype(np.int64)))
    frame = Frame.fit(sample)
    sample = frame.turned(sample)
    leading = sample[:, : frame.leading]
    with _one_thread(library):
        coarse = _clustered(library, leading, _lists_for(n, len(sample)))
        owners = _owners(coarse, leading)
        centres = _means(sample, owners, coarse)
        sample -= centres[owners]
        codes = _coder(library, frame, centres, sample)
        _fill(library, codes, items, frame, coarse)
        index = library.IndexIVFPQFastScan(codes)
        codes.reset()  # what faiss keeps alive beside its copy
    index.implem = _RESERVOIR
    return Quantised(index, frame, centres, _spread(sample, owners, len(centres)))


def _lists_for(n: int, sampled: int) -> int:
    return max(1, min(LISTS_PER_ROOT * math.isqrt(n), sampled // _PER_LIST))


def _clustered(library: Any, points: Vectors, lists: int) -> Any:
    """A flat index of the centres that k-means finds among points (n, p)."""
    means = library.Kmeans(points.shape[1], lists, niter=_ROUNDS, seed=1, min_points_per_centroid=1)
    means.train(np.ascontiguousarray(points))
    nearest = library.IndexFlatL2(points.shape[1])
    nearest.add(means.centroids)
    return nearest


def _owners(coarse: Any, points: Vectors) -> NDArray[np.int64]:
    """(n,) the list of each point (n, p)."""
    nearest: NDArray[np.int64] = coarse.search(np.ascontiguousarray(points), 1)[1]
    return np.ascontiguousarray(nearest[:, 0])


def _means(sample: Vectors, owners: NDArray[np.int64], coarse: Any) -> Vectors:
    """(lists, d) the mean of each list's rows; where it has none, what k-means says of its first coordinates."""
    counts = np.bincount(owners, minlength=coarse.ntotal)
    sums: Vectors = np.zeros((coarse.ntotal, sample.shape[1]), dtype=np.float32)
    np.add.at(sums, owners, sample)
    sums[counts == 0, : coarse.d] = coarse.reconstruct_n(0, coarse.ntotal)[counts == 0]
    return np.asarray(sums / np.maximum(counts, 1)[:, None], dtype=np.float32)


def _spread(residuals: Vectors, owners: NDArray[np.int64], lists: int) -> Vectors:
    """(lists,) the deviation of a list's items around their mean, along any one direction.

    Each list is given `_LENT` rows more of the common variance, since the mean of few rows lies too near to them.
    """
    squares = np.einsum("nd,nd->n", residuals, residuals)
    known = np.maximum(np.bincount(owners, minlength=lists) - 1, 0)
    common = squares.sum() / max(1, int(known.sum()))
    sums = np.bincount(owners, weights=squares, minlength=lists) + _LENT * common
    return np.asarray(np.sqrt(sums / (known + _LENT) / residuals.shape[1]), dtype=np.float32)


def _coder(library: Any, frame: Frame, centres: Vectors, residuals: Vectors) -> Any:
    """An empty index whose codes are fitted on turned residuals (n, d)."""
    coarse = library.IndexFlatL2(frame.width)
    coarse.add(frame.laid_out(centres))
    codes = library.IndexIVFPQ(
        coarse, frame.width, len(centres), frame.codes, 4, library.METRIC_INNER_PRODUCT
    )
    codes.pq.cp.seed, codes.pq.cp.niter, codes.pq.cp.min_points_per_centroid = 1, 10, 1
    codes.pq.train(frame.laid_out(residuals[:: max(1, len(residuals) // 10_000)]))
    codes.is_trained = True
    return codes


def _fill(library: Any, codes: Any, items: Rows, frame: Frame, coarse: Any) -> None:
    """All rows, in steps of one chunk, so that no second copy of the matrix comes into being."""
    for start in range(0, len(items), CHUNK_ROWS):
        labels = np.arange(start, min(start + CHUNK_ROWS, len(items)))
        turned = frame.turned(items.gather(labels))
        owners = _owners(coarse, turned[:, : coarse.d])
        columns = frame.laid_out(turned)
        # faiss takes plain addresses here: every array is C-contiguous and of its type
        codes.add_core(len(labels), *map(library.swig_ptr, (columns, labels, owners)))


def extended(lists: Quantised, items: Rows, rows: RowNumbers, *, first_label: int) -> Quantised:
    """A copy of `lists` that also has these rows, under the labels from `first_label` on."""
    library = require_faiss()
    copied = library.clone_index(lists.index)
    with _one_thread(library):
        for start in range(0, len(rows), CHUNK_ROWS):
            part = rows[start : start + CHUNK_ROWS]
            columns = lists.frame.laid_out(lists.frame.turned(items.gather(part)))
            copied.add_with_ids(columns, np.arange(first_label + start, first_label + start + len(part)))
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
        return _searched(library, lists, lists.frame.turned(queries), k, parameters)


def _searched(library: Any, lists: Quantised, turned: Vectors, k: int, parameters: Any) -> RowNumbers:
    """The lists of our choice searched. faiss takes plain addresses: every array is C-contiguous and of its type."""
    chosen, along = map(np.ascontiguousarray, lists.choose(turned, parameters.nprobe))
    scores = np.empty((len(turned), k), dtype=np.float32)
    labels = np.empty((len(turned), k), dtype=np.int64)
    asked = (lists.frame.laid_out(turned), chosen, along, scores, labels)
    x, at, inner, out, found = map(library.swig_ptr, asked)
    lists.index.search_preassigned_c(len(turned), x, k, at, inner, out, found, False, parameters)
    return labels


def inner_products(matrix: Vectors, rows: RowNumbers, query: Vectors) -> Vectors:
    """(k,) of these rows of a matrix (n, d) with a query (d,); all C-contiguous, rows inside the matrix."""
    library = require_faiss()
    products = np.empty(len(rows), dtype=np.float32)
    out, x, y, at = map(library.swig_ptr, (products, query, matrix, rows))
    with _one_thread(library):
        library.fvec_inner_products_by_idx(out, x, y, at, matrix.shape[1], 1, len(rows))
    return products


@contextmanager
def _one_thread(library: Any) -> Iterator[None]:
    """Two threads are slower than one on a busy server; the setting is put back for other users of faiss."""
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(1)
    try:
        yield
    finally:
        library.omp_set_num_threads(before)
