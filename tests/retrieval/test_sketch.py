"""A sketch says which rows to look at exactly."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.retrieval import Axes, best, refined
from equipoise.retrieval.sketch import COORDINATES, WORTHWHILE


def themes(n: int, *, seed: int) -> np.ndarray:
    """(n, 256) unit float32 vectors around 40 themes, with noise in all directions."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((40, 256))
    rows = centres[rng.integers(0, 40, n)] + 0.7 * rng.standard_normal((n, 256))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_scores_are_exact_up_to_what_the_axes_leave_out() -> None:
    """|score - exact| <= |rest of the row| |rest of the query|, by Cauchy and Schwarz."""
    rows, query = themes(WORTHWHILE, seed=0), themes(1, seed=1)[0]
    axes = Axes.fit(rows)
    assert axes is not None and axes.axes.shape == (256, COORDINATES)
    sketch = axes.sketch(rows)
    left = np.linalg.norm((rows - axes.mean) - sketch @ axes.axes.T, axis=1)
    query_left = np.linalg.norm(query - axes.axes @ (axes.axes.T @ query))
    apart = np.abs(axes.scores(sketch, query) - rows @ query)
    assert np.all(apart <= left * query_left + 1e-5)


def test_vectors_within_the_axes_are_scored_exactly() -> None:
    """Rank 100 fits into 128 coordinates."""
    rng = np.random.default_rng(2)
    rows = (rng.standard_normal((WORTHWHILE, 100)) @ rng.standard_normal((100, 256)) / 100).astype(np.float32)
    axes = Axes.fit(rows)
    assert axes is not None
    query = rng.standard_normal(256).astype(np.float32)
    assert axes.scores(axes.sketch(rows), query) == pytest.approx(rows @ query, abs=2e-4)


def test_the_nearest_are_found() -> None:
    """Here a third of each row is noise that no axis holds, so that some are missed (382 of 400 are found)."""
    rows, queries = themes(6_000, seed=3), themes(20, seed=4)
    axes = Axes.fit(rows)
    assert axes is not None
    sketch = axes.sketch(rows)
    hits = 0
    for query in queries:
        looked_at = best(axes.scores(sketch, query), 200)
        found = refined(looked_at, rows[looked_at], query)
        hits += len(set(found[:20].tolist()) & set(best(rows @ query, 20).tolist()))
    assert hits >= 0.93 * 20 * 20


def test_refined_by_hand() -> None:
    """Inner products .1, .9 and .5: rows 7, 3, 5 become 3, 5, 7."""
    vectors = np.array([[0.1], [0.9], [0.5]], dtype=np.float32)
    assert refined(np.array([7, 3, 5]), vectors, np.ones(1, dtype=np.float32)).tolist() == [3, 5, 7]


@pytest.mark.parametrize(("n", "e"), [(WORTHWHILE - 1, 384), (WORTHWHILE, 128), (0, 384)])
def test_no_sketch_where_it_saves_nothing(n: int, e: int) -> None:
    assert Axes.fit(np.ones((n, e), dtype=np.float32)) is None
