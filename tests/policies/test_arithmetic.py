"""The two makes of one row of learning: equal to rounding, each equal to itself bit for bit, neither drifting."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import lapack

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, MissingExtraError
from equipoise.policies import build
from equipoise.policies.base import Prior
from equipoise.policies.gaussian import arithmetic as arithmetics
from equipoise.policies.gaussian import compiled
from equipoise.policies.gaussian.arithmetic import ARITHMETICS, arithmetic
from equipoise.policies.gaussian.joint import CovarianceForm

NAMES = sorted(ARITHMETICS)


def fresh(d: int) -> tuple[np.ndarray, np.ndarray]:
    """A mean of 0 and a covariance of 2 on the diagonal, with NaN above it, where nobody may read."""
    lower = np.full((d, d), np.nan, order="F")
    lower[np.tril_indices(d)] = 0.0
    np.fill_diagonal(lower, 2.0)
    return np.zeros(d), lower


def rows(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)).astype(np.float32), rng.standard_normal(n)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 23), n=st.integers(0, 9), seed=st.integers(0, 99))
def test_many_rows_have_the_bits_of_one_by_one(name: str, d: int, n: int, seed: int) -> None:
    made, (features, rewards) = arithmetic(name), rows(n, d, seed)
    (mean, lower), (mean1, lower1) = fresh(d), fresh(d)
    errors, variances = made.absorb_rows(mean, lower, features, rewards)
    singly = [
        made.absorb(mean1, lower1, x, reward, 1.0)
        for x, reward in zip(features.astype(np.float64), rewards.tolist(), strict=True)
    ]
    assert list(zip(errors, variances, strict=True)) == singly
    assert mean.tobytes() == mean1.tobytes()
    assert np.tril(lower).tobytes() == np.tril(lower1).tobytes()


@settings(max_examples=40, deadline=None)
@given(d=st.integers(1, 23), n=st.integers(1, 30), seed=st.integers(0, 99))
def test_the_makes_agree_to_rounding_and_with_the_normal_equations(d: int, n: int, seed: int) -> None:
    features, rewards = rows(n, d, seed)
    x = features.astype(np.float64)
    # S = (I / 2 + X'X)^-1 and mean = S X'r
    exact = np.linalg.inv(np.eye(d) / 2.0 + x.T @ x)
    for name in NAMES:
        mean, lower = fresh(d)
        arithmetic(name).absorb_rows(mean, lower, features, rewards)
        # S has condition at most 1 + 2 |X|^2 < 1e4 here, so that rounding is magnified to 1e-12 at most
        np.testing.assert_allclose(np.tril(lower), np.tril(exact), rtol=0, atol=1e-11)
        np.testing.assert_allclose(mean, exact @ (x.T @ rewards), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_by_hand(name: str) -> None:
    # S = 2 I, x = (1, 1), noise 1: along = (2, 2), v = 1 + 4 = 5, e = 10 - 0; the mean becomes (2, 2) 10 / 5 = (4, 4),
    # S = 2 I - (2, 2)'(2, 2) / 5 = [[1.2, -.8], [-.8, 1.2]]
    mean, lower = fresh(2)
    error, variance = arithmetic(name).absorb(mean, lower, np.ones(2), 10.0, 1.0)
    assert (error, variance) == (10.0, 5.0)
    np.testing.assert_allclose(mean, [4.0, 4.0], rtol=1e-15)
    np.testing.assert_allclose(np.tril(lower), [[1.2, 0.0], [-0.8, 1.2]], rtol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_100_000_updates_leave_the_factor_as_if_computed_afresh(name: str) -> None:
    n, d = 100_000, 128
    rng = np.random.default_rng(5)
    # ten hidden directions carry most of the variance, as in features made of text
    mixing = rng.standard_normal((d, d)) * np.r_[np.full(10, 1.0), np.full(d - 10, 0.1)][:, None] / np.sqrt(d)
    features = (rng.standard_normal((n, d), dtype=np.float32) @ mixing.astype(np.float32)).astype(np.float32)
    kept = CovarianceForm(Prior.flat(d), arithmetic(name))
    kept.absorb_rows(features, rng.random(n))
    x = features.astype(np.float64)
    afresh, failed = lapack.dpotrf(np.linalg.inv(np.eye(d) + x.T @ x), lower=1, clean=1)
    assert failed == 0
    assert np.abs(kept.root() - afresh).max() < 1e-8 * np.abs(afresh).max()


@pytest.mark.parametrize("d", [1, 5, 128])
def test_the_covariance_begins_at_a_cache_line_and_keeps_its_numbers(d: int) -> None:
    for seed in range(4):  # any one array has a chance of one in four of beginning there by luck
        form = CovarianceForm(Prior(np.zeros(d), np.arange(1.0, d + 1.0)))
        np.testing.assert_array_equal(form.covariance(), np.diag(1.0 / np.arange(1.0, d + 1.0)))
        form.absorb_rows(*rows(3, d, seed))
        again = CovarianceForm(Prior.flat(d))
        again.restore(form.state())
        assert again.covariance().tobytes() == form.covariance().tobytes()
        for one in (form, again):
            assert one._lower.ctypes.data % 64 == 0
            assert one._lower.flags.f_contiguous


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("posterior", ["linear", "mixed", "arms"])
def test_a_policy_says_its_arithmetic_in_its_fingerprint_and_learns_alike(
    name: str, posterior: str, batch: Callable[..., Batch]
) -> None:
    space = FeatureSpace("toy", "1", 4)
    chosen = build("greedy", space, posterior=posterior, arithmetic=name)
    usual = build("greedy", space, posterior=posterior)
    assert (chosen.fingerprint == usual.fingerprint) == (name == "blas")
    learned = batch(40)
    chosen.update(learned)
    usual.update(learned)
    shown = Candidates(("i1", "i2"), learned.features[:2], space)
    here, there = (policy.believe(shown, np.random.default_rng(0)).mean for policy in (chosen, usual))
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_learns_a_batch_as_its_rows_and_comes_back_from_its_state(
    name: str, batch: Callable[..., Batch], part: Callable[[Batch, Sequence[int]], Batch]
) -> None:
    space, learned = FeatureSpace("toy", "1", 4), batch(30)
    at_once, in_parts = (build("thompson", space, posterior="linear", arithmetic=name) for _ in range(2))
    at_once.update(learned)
    in_parts.update(part(learned, range(7)))
    resumed = build("thompson", space, posterior="linear", arithmetic=name)
    resumed.restore(in_parts.state())
    resumed.update(part(learned, range(7, 30)))
    one, other = at_once.state(), resumed.state()
    assert {key: value.tobytes() for key, value in one.items()} == {
        key: value.tobytes() for key, value in other.items()
    }


def test_without_numba_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(arithmetics, "loops", compiled.loops.__wrapped__)
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[fast\]'"):
        build("thompson", FeatureSpace("toy", "1", 4), posterior="linear", arithmetic="compiled")


def test_an_unknown_arithmetic_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="'blas' or 'compiled'"):
        build("thompson", FeatureSpace("toy", "1", 4), posterior="linear", arithmetic="numpy")
