"""Directions shared out among codes: the layout keeps inner products, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.retrieval.frame import framed, principal_axes, shared_out


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 12), rows=st.integers(2, 30), seed=st.integers(0, 1000))
def test_inner_products_stay(width, rows, seed):
    rng = np.random.default_rng(seed)
    sample = rng.standard_normal((rows, width)).astype(np.float32)
    frame = framed(principal_axes(sample), sample)
    laid = frame.laid_out(frame.turned(sample))
    assert laid.shape == (rows, frame.width) and frame.width >= width
    np.testing.assert_allclose(laid @ laid.T, sample @ sample.T, atol=1e-4)


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=30))
def test_every_direction_has_a_column_of_its_own(variances):
    codes = -(-2 * len(variances) // 3)
    columns = shared_out(np.array(variances), codes)
    assert len(np.unique(columns)) == len(variances)
    assert columns.min() >= 0 and columns.max() < 2 * codes


def test_the_weak_share_and_the_strong_stand_alone():
    # four directions, three codes: 64 and 16 and 4 open a code each, 1 joins the weakest of them
    columns = shared_out(np.array([64.0, 16.0, 4.0, 1.0]), 3)
    assert columns.tolist() == [0, 2, 4, 5]


def test_axes_go_by_variance():
    rng = np.random.default_rng(0)
    sample = (rng.standard_normal((500, 3)) * [1.0, 9.0, 3.0] + 5.0).astype(np.float32)
    axes = principal_axes(sample)
    # columns: the second direction, then the third, then the first. 500 rows turn them by less than .1
    assert np.abs(axes).argmax(axis=0).tolist() == [1, 2, 0]
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_directions_without_variance_are_laid_out_too(value):
    sample = np.full((10, 4), value, dtype=np.float32)
    frame = framed(principal_axes(sample), sample - sample.mean(axis=0))
    np.testing.assert_allclose(
        np.linalg.norm(frame.laid_out(frame.turned(sample)), axis=1), 2 * value, atol=1e-5
    )
