"""Small worlds that the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, FeatureSpace

SPACE = FeatureSpace("toy", "1", 4)


def make_candidates(
    k: int, *, seed: int = 0, user_id: str | None = "u1", space: FeatureSpace = SPACE
) -> Candidates:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(k, space.dim)).astype(np.float32)
    vectors = features / np.linalg.norm(features, axis=1, keepdims=True)
    ids = tuple(f"i{number}" for number in rng.permutation(k))
    return Candidates(ids, features, space, user_id=user_id, sources=("near",) * k, vectors=vectors)


def make_batch(
    n: int, *, items: int = 6, users: int = 3, seed: int = 1, space: FeatureSpace = SPACE
) -> Batch:
    rng = np.random.default_rng(seed)
    return Batch(
        item_ids=tuple(f"i{number}" for number in rng.integers(0, items, n)),
        user_ids=tuple(None if u == 0 else f"u{u}" for u in rng.integers(0, users + 1, n)),
        features=rng.normal(size=(n, space.dim)).astype(np.float32),
        rewards=rng.random(n),
        propensities=np.full(n, 0.5),
        space=space,
    )


def rows_of(batch: Batch, rows: Sequence[int]) -> Batch:
    return Batch(
        item_ids=tuple(batch.item_ids[row] for row in rows),
        user_ids=tuple(batch.user_ids[row] for row in rows),
        features=batch.features[list(rows)],
        rewards=batch.rewards[list(rows)],
        propensities=batch.propensities[list(rows)],
        space=batch.space,
    )


@pytest.fixture
def space() -> FeatureSpace:
    return SPACE


@pytest.fixture
def candidates() -> Callable[..., Candidates]:
    return make_candidates


@pytest.fixture
def batch() -> Callable[..., Batch]:
    return make_batch


@pytest.fixture
def part() -> Callable[[Batch, Sequence[int]], Batch]:
    return rows_of
