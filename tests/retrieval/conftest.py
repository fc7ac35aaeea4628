"""Spaces and vectors for the tests of this room; every seed is fixed."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import FeatureSpace, Vectors


def unit(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def names(n: int, start: int = 0) -> list[str]:
    return [f"i{row}" for row in range(start, start + n)]


@pytest.fixture
def plane() -> FeatureSpace:
    return FeatureSpace("plane", "1", 2)


@pytest.fixture(scope="session")
def space() -> FeatureSpace:
    return FeatureSpace("clusters", "1", 32)


@pytest.fixture(scope="session")
def clustered() -> Vectors:
    """(6000, 32) unit vectors around 60 centres."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((60, 32))
    return unit(centres[rng.integers(60, size=6000)] + 0.5 * rng.standard_normal((6000, 32)))
