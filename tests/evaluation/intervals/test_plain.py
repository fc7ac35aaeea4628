"""Intervals for one look: they cover, and their numbers can be checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from equipoise.core import InputError
from equipoise.evaluation.intervals import clopper_pearson, empirical_bernstein, normal

RUNS = 2_000


def bounded(values, *, level):
    return empirical_bernstein(values, low=0.0, high=1.0, level=level)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(
    ("interval", "n", "exact"),
    [(normal, 400, False), (bounded, 400, True), (clopper_pearson, 30, True)],
    ids=["normal", "empirical_bernstein", "clopper_pearson"],
)
def test_coverage(interval, n, exact, level):
    """2,000 runs of clicks with chance .2. Exact ones miss in no more than promised (false alarm 1e-4); the normal one,
    which is right in the limit only, by a fifth more at most."""
    clicks = (np.random.default_rng(n).random((RUNS, n)) < 0.2).astype(float)
    missed = sum(not low <= 0.2 <= high for low, high in (interval(row, level=level) for row in clicks))
    promised = (1.0 - level) * (1.0 if exact else 1.2)
    assert missed <= stats.binom.isf(1e-4, RUNS, promised)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=50), st.floats(0.5, 0.99))
def test_intervals_hold_the_mean_and_widen_with_the_level(values, level):
    given_values = np.array(values)
    for interval in (normal, bounded):
        low, high = interval(given_values, level=level)
        wider_low, wider_high = interval(given_values, level=0.999)
        assert low - 1e-9 <= given_values.mean() <= high + 1e-9
        assert wider_low <= low + 1e-12 and high <= wider_high + 1e-12


def test_normal_by_hand():
    """0, 2: mean 1, standard deviation sqrt 2, standard error 1."""
    assert normal(np.array([0.0, 2.0])) == pytest.approx((1 - 1.959964, 1 + 1.959964), abs=1e-6)


def test_empirical_bernstein_by_hand():
    """50 zeros and 50 ones: V = 25 / 99, l = log 80; sqrt(2 V l / 100) + 7 l / (3 x 99) = .1488 + .1033."""
    log = math.log(80)
    reach = math.sqrt(2 * (25 / 99) * log / 100) + 7 * log / 297
    found = empirical_bernstein(np.repeat([0.0, 1.0], 50), low=0.0, high=1.0)
    assert found == pytest.approx((0.5 - reach, 0.5 + reach))
    with pytest.raises(InputError, match=r"3\.0 in row 1 but must be finite and in \[0, 2\]"):
        empirical_bernstein(np.array([1.0, 3.0]), low=0.0, high=2.0)


def test_clopper_pearson_at_its_ends():
    """No success in n: the upper bound solves (1 - p)^n = .025."""
    low, high = clopper_pearson(np.zeros(10))
    assert low == 0.0
    assert (1 - high) ** 10 == pytest.approx(0.025)
    assert clopper_pearson(np.ones(10)) == pytest.approx((1 - high, 1.0))
    with pytest.raises(InputError, match="0 and 1 only"):
        clopper_pearson(np.array([0.0, 0.5]))


def test_one_row_has_no_spread():
    with pytest.raises(InputError, match="n at least 2"):
        normal(np.ones(1))
