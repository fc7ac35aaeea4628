"""Contexts are scaled by the past and the present alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from equipoise.lab.bakeoff.stream import FARTHEST, MOST_CATEGORIES, one_hot, scaled, stream
from equipoise.lab.bakeoff.table import Categories, ClassTable, Numbers


def order(n):
    return np.arange(n)


def test_scaling_by_hand():
    # 1 alone: no deviation yet. 1, 3: mean 2, sd 1. 1, 3, 8: mean 4, sd sqrt((9 + 1 + 16) / 3) = 2.944.
    found = scaled(Numbers("a", np.array([1.0, 3.0, 8.0])), order(3))
    np.testing.assert_allclose(found[:, 0], [0.0, 1.0, 4.0 / np.sqrt(26 / 3)], atol=1e-12)


@given(
    values=arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(-1e9, 1e9)),
    data=st.data(),
)
def test_what_comes_later_changes_nothing_before(values, data):
    cut = data.draw(st.integers(1, len(values) - 1))
    other = values.copy()
    other[cut:] = 7.0
    first, second = (scaled(Numbers("a", column), order(len(values))) for column in (values, other))
    np.testing.assert_allclose(first[:cut], second[:cut], rtol=1e-6, atol=1e-6)
    assert np.isfinite(first).all()
    assert np.abs(first).max() <= FARTHEST


@pytest.mark.parametrize("level", [0.0, 3.0, 1e12])
def test_a_constant_column_is_zero(level):
    assert (scaled(Numbers("a", np.full(50, level)), order(50)) == 0.0).all()


def test_scale_and_shift_do_not_matter():
    values = np.random.default_rng(0).normal(size=200)
    plain = scaled(Numbers("a", values), order(200))
    np.testing.assert_allclose(scaled(Numbers("a", 1e6 + 1e-3 * values), order(200)), plain, atol=1e-4)


def test_missing_is_the_mean_and_says_so():
    found = scaled(Numbers("a", np.array([np.nan, 1.0, 3.0, np.nan])), order(4))
    np.testing.assert_allclose(found, [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def test_words_have_a_feature_each_in_the_order_of_their_coming():
    assert one_hot(Categories("a", ("x", "", "x", "y")), order(4)).tolist() == [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0],
    ]


def test_late_words_share_a_feature():
    coded = one_hot(Categories("a", tuple(f"w{row}" for row in range(100))), order(100))
    assert coded.shape == (100, MOST_CATEGORIES + 1)
    assert coded[:, -1].sum() == 100 - MOST_CATEGORIES
    assert (coded.sum(axis=1) == 1.0).all()


def test_a_stream_is_shuffled_whole_and_starts_with_a_one():
    table = ClassTable(
        "t",
        "y",
        False,
        ("a", "b"),
        np.arange(40) % 2,
        (Numbers("x", np.arange(40.0)), Categories("c", ("k",) * 40)),
    )
    first, again = (stream(table, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.contexts, again.contexts)
    assert first.contexts.dtype == np.float32
    assert (first.contexts[:, 0] == 1.0).all()
    assert sorted(first.targets.tolist()) == [0] * 20 + [1] * 20
    assert len(stream(table, np.random.default_rng(1), size=7)) == 7
