"""Directions shared out among codes: the layout keeps inner products, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.retrieval.frame import Frame


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 12), rows=st.integers(2, 30), seed=st.integers(0, 1000))
def test_inner_products_stay(width, rows, seed):
    rng = np.random.default_rng(seed)
    sample = rng.standard_normal((rows, width)).astype(np.float32)
    frame = Frame.fit(sample)
    laid = frame.laid_out(frame.turned(sample))
    assert laid.shape == (rows, frame.width) and frame.width >= width
    np.testing.assert_allclose(laid @ laid.T, sample @ sample.T, atol=1e-4)


def test_the_weak_join_from_the_last_code_backwards():
    # five directions, ceil(10 / 3) = 4 codes: the fifth joins the fourth. Six: 4 codes, the sixth joins the third
    five = Frame(np.eye(5, dtype=np.float32)).laid_out(np.arange(1, 6, dtype=np.float32)[None])
    assert five.tolist() == [[1, 0, 2, 0, 3, 0, 4, 5]]
    six = Frame(np.eye(6, dtype=np.float32)).laid_out(np.arange(1, 7, dtype=np.float32)[None])
    assert six.tolist() == [[1, 0, 2, 0, 3, 6, 4, 5]]


def test_axes_go_by_variance():
    rng = np.random.default_rng(0)
    sample = (rng.standard_normal((500, 3)) * [1.0, 9.0, 3.0] + 5.0).astype(np.float32)
    axes = Frame.fit(sample).axes
    # columns: the second direction, then the third, then the first. 500 rows turn them by less than .1
    assert np.abs(axes).argmax(axis=0).tolist() == [1, 2, 0]
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_directions_without_variance_are_laid_out_too(value):
    sample = np.full((10, 4), value, dtype=np.float32)
    frame = Frame.fit(sample)
    np.testing.assert_allclose(
        np.linalg.norm(frame.laid_out(frame.turned(sample)), axis=1), 2 * value, atol=1e-5
    )
