"""A million vectors of 384 numbers through faiss, searched along posterior draws, beside an exact numpy search.

The vectors are made up as text's are: unit length, in 4,000 clusters of unequal size, with most of their variance in few
directions. A draw of a posterior that has learned 2,000 rows points mostly where nothing has been learned: a
direction that no item lies in, whose nearest items are spread over many clusters. It is the hard kind of query.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise.core import Batch, FeatureSpace, Vectors
from equipoise.policies import build
from equipoise.retrieval import FaissIndex, View, best

from .measure import Row, side_by_side

ITEMS, WIDTH, K, QUERIES, CHUNK = 1_000_000, 384, 200, 40, 50_000
SPACE = FeatureSpace("search", "1", WIDTH)


def rows(folder: Path, *, items: int = ITEMS) -> Iterator[Row]:
    vectors = clustered(items)
    ids = [f"i{row}" for row in range(items)]
    start, began = time.process_time(), time.perf_counter()
    index = FaissIndex.over(SPACE, ids, vectors)
    built, waited = time.process_time() - start, time.perf_counter() - began
    queries = draws(vectors)
    view = index.view
    print(
        f"{items:,} x {WIDTH}: recall@{K} {recall(view, vectors, queries):.3f} on {len(queries)} posterior draws, index"
        f" {index.size_bytes / 1e6:.0f} MB, built in {built:.1f} s of one thread ({waited:.1f} s by the clock);"
        f" {recall(view, vectors, draws(vectors, seed=13)):.3f} on draws of another seed,"
        f" {recall(view, vectors, near(vectors)):.3f} near an item",
        file=sys.stderr,
    )
    yield side_by_side(
        f"candidates, {items:,} x {WIDTH}",
        lambda number: view.top(queries[number % QUERIES][None], K),
        "exact numpy",
        lambda number: best(vectors @ queries[number % QUERIES], K),
        rounds=30,
        warm_up=2,
        block=1,
    )


def clustered(items: int) -> Vectors:
    """(items, 384) float32 unit vectors, made in chunks: no second copy comes into being."""
    rng = np.random.default_rng(11)
    # the k-th direction has a deviation of k^-1/2: a few carry much, as in encoded text
    scales = (np.arange(1, WIDTH + 1) ** -0.5).astype(np.float32)
    turned = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0].astype(np.float32)
    centres = rng.standard_normal((4_000, WIDTH), dtype=np.float32) * scales
    sizes = rng.dirichlet(np.full(len(centres), 0.5))
    vectors = np.empty((items, WIDTH), dtype=np.float32)
    for begin in range(0, items, CHUNK):
        part = vectors[begin : begin + CHUNK]
        owners = rng.choice(len(centres), len(part), p=sizes)
        made = centres[owners] + 0.7 * rng.standard_normal(part.shape, dtype=np.float32) * scales
        np.matmul(made, turned, out=part)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def recall(view: View, vectors: Vectors, queries: Vectors) -> float:
    """The share of the true K best that the view finds, over all queries (q, 384)."""
    found = [view.top(query[None], K).rows[0] for query in queries]
    truth = [best(vectors @ query, K) for query in queries]
    shares = [len(np.intersect1d(one, other)) / K for one, other in zip(found, truth, strict=True)]
    return float(np.mean(shares))


def near(vectors: Vectors) -> Vectors:
    """(40, 384) unit queries beside an item each, as a similar text lies: at a cosine of about .93."""
    rng = np.random.default_rng(14)
    moved = vectors[rng.integers(0, len(vectors), QUERIES)] + 0.02 * rng.standard_normal((QUERIES, WIDTH))
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)


def draws(vectors: Vectors, *, seed: int = 12) -> Vectors:
    """(40, 384) posterior draws of the weights of a linear model that has learned 2,000 rows."""
    rng = np.random.default_rng(seed)
    features = vectors[rng.integers(0, len(vectors), 2_000)]
    policy = build("thompson", SPACE, posterior="linear")
    hidden = rng.standard_normal(WIDTH)
    policy.update(
        Batch(
            item_ids=tuple(f"i{row}" for row in range(len(features))),
            user_ids=(None,) * len(features),
            features=features,
            rewards=(rng.random(len(features)) < 1.0 / (1.0 + np.exp(-features @ hidden))).astype(np.float64),
            propensities=np.ones(len(features)),
            space=SPACE,
        )
    )
    drawn = [policy.draw_weights(int(key)) for key in rng.integers(0, 2**31, QUERIES)]
    return np.array(drawn, dtype=np.float32)
