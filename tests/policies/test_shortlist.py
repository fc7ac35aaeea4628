"""The best of many items and the odds over them: the same as of candidates with those features, in both makes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import (
    Batch,
    Candidates,
    ConfigurationError,
    FeatureSpace,
    InputError,
    MissingExtraError,
    NoCandidatesError,
)
from equipoise.policies import BanditPolicy, build, compiled_shortlist, draw
from equipoise.policies import shortlist as short
from equipoise.policies.shortlist import WAYS, greatest

NAMES = sorted(WAYS)


def taught(d: int, *, arithmetic: str, rows: int = 40, **options: object) -> BanditPolicy:
    rng = np.random.default_rng(3)
    space = FeatureSpace("toy", "1", d)
    policy = build("thompson", space, posterior="linear", arithmetic=arithmetic, **options)
    batch = Batch(
        ("i",) * rows,
        (None,) * rows,
        rng.standard_normal((rows, d)).astype(np.float32),
        rng.random(rows),
        np.full(rows, 0.5),
        space,
    )
    policy.update(batch)
    return policy


def world(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)).astype(np.float32), rng.standard_normal(d).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("draws", [1, 2, 7, 128])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_it_is_the_distribution_of_candidates_with_those_features(
    name: str, draws: int, scale: float
) -> None:
    """That another candidate leads because of rounding needs two that are equal to seven digits in a draw: below 1e-4
    for all draws here, and the seeds are fixed."""
    policy = taught(9, arithmetic=name, draws=draws, scale=scale, floor=0.001)
    for seed in range(8):
        items, request = world(60, 9, seed)
        found = policy.shortlist(items, request, 21, np.random.default_rng(seed))
        features = items[found.rows] * request
        candidates = Candidates(tuple(map(str, found.rows)), features, policy.space)
        expected = policy.distribution(candidates, np.random.default_rng(seed))
        np.testing.assert_allclose(found.probabilities, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), k=st.integers(1, 45), d=st.integers(1, 7), seed=st.integers(0, 99))
def test_the_best_by_mean_in_the_order_of_their_rows_with_sound_odds(
    name: str, n: int, k: int, d: int, seed: int
) -> None:
    policy = taught(d, arithmetic=name, floor=0.004, draws=31)
    items, request = world(n, d, seed)
    found = policy.shortlist(items, request, k, np.random.default_rng(seed))
    means = (items * request).astype(np.float64) @ policy.weights
    expected = np.sort(np.argsort(-means, kind="stable")[:k])
    # float32 may order two means otherwise that differ by less than its rounding: none of these seeds has such at k
    assert found.rows.tolist() == expected.tolist()
    assert found.probabilities.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.probabilities.min() >= min(0.004, 1.0 / len(found.rows))


@pytest.mark.parametrize("name", NAMES)
def test_it_changes_nothing_and_is_the_same_again(name: str) -> None:
    policy = taught(6, arithmetic=name)
    items, request = world(50, 6, 1)
    before = {key: value.tobytes() for key, value in policy.state().items()}
    one = policy.shortlist(items, request, 10, np.random.default_rng(4))
    other = policy.shortlist(items, request, 10, np.random.default_rng(4))
    assert one.probabilities.tobytes() == other.probabilities.tobytes()
    assert {key: value.tobytes() for key, value in policy.state().items()} == before


@pytest.mark.parametrize("name", NAMES)
def test_the_dice_take_its_probabilities(name: str) -> None:
    policy = taught(6, arithmetic=name)
    items, request = world(50, 6, 1)
    found = policy.shortlist(items, request, 10, np.random.default_rng(4))
    choice = draw(found.probabilities, 1, np.random.default_rng(5))
    assert choice.propensities[0] == found.probabilities[choice.positions[0]]


@pytest.mark.parametrize("name", NAMES)
def test_equal_items_share_their_odds_and_at_the_border_the_first_ones_come(name: str) -> None:
    # Three kinds of item, each four times over; k = 6 takes all four of the best kind and the first two of the second.
    policy = taught(3, arithmetic=name, floor=0.0)
    kinds = np.eye(3, dtype=np.float32)
    items, request = np.tile(kinds, (4, 1)), np.ones(3, dtype=np.float32)
    best, second, _ = np.argsort(-policy.weights)
    found = policy.shortlist(items, request, 6, np.random.default_rng(0))
    kind = found.rows % 3
    assert (kind == best).sum() == 4
    assert found.rows[kind == second].tolist() == [second, second + 3]
    for one in (best, second):
        assert np.ptp(found.probabilities[kind == one]) == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_before_any_row_every_mean_is_0_and_the_first_items_come(name: str) -> None:
    policy = taught(5, arithmetic=name, rows=0)
    items, request = world(30, 5, 2)
    found = policy.shortlist(items, request, 4, np.random.default_rng(0))
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.probabilities.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("odd", [0.0, 1e-20, 1e-38, 3e4, 1e31, -1e41])
def test_one_item_far_from_all_others_hides_none_of_them(name: str, odd: float) -> None:
    """The k-th greatest score is found by halving the range of all, which one of them may stretch a great deal."""
    policy = taught(1, arithmetic=name)
    size = np.sign(policy.weights[0]) * odd
    items = (np.array([[0.5], [0.25], [size], [1.0], [-1.0], [0.75]]) * 1e-3).astype(np.float32)
    means = items[:, 0].astype(np.float64) * policy.weights[0]
    found = policy.shortlist(items, np.ones(1, np.float32), 3, np.random.default_rng(0))
    assert found.rows.tolist() == np.sort(np.argsort(-means, kind="stable")[:3]).tolist()


def test_by_hand() -> None:
    # The 3 greatest of these are 9, 7 and one of the two 5s: the first, row 1.
    assert greatest(np.array([1, 5, 9, 5, 7], dtype=np.float32), 3).tolist() == [1, 2, 4]
    assert greatest(np.array([5, 5, 5, 5], dtype=np.float32), 2).tolist() == [0, 1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_what_is_not_finite_is_refused(name: str, bad: float) -> None:
    policy = taught(4, arithmetic=name)
    items, request = world(10, 4, 0)
    items[7, 2] = bad
    with pytest.raises(InputError, match="not finite, or too large"):
        policy.shortlist(items, request * np.float32(100.0), 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("items", "request_", "k", "error", "words"),
    [
        (np.zeros((3, 5), np.float32), np.zeros(4), 2, InputError, r"shape \(3, 5\)"),
        (np.zeros((3, 4)), np.zeros(4), 2, InputError, "float64 but needs"),
        (np.zeros((4, 3), np.float32).T, np.zeros(4), 2, InputError, "row after row"),
        (np.zeros((3, 4), np.float32), np.zeros(3), 2, InputError, r"request of shape \(3,\)"),
        (np.zeros((3, 4), np.float32), np.zeros(4), 0, InputError, "k is 0"),
        (np.zeros((0, 4), np.float32), np.zeros(4), 2, NoCandidatesError, "no items"),
    ],
)
def test_bad_input(items: np.ndarray, request_: np.ndarray, k: int, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        taught(4, arithmetic="blas").shortlist(items, request_, k, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "posterior"), [("thompson", "mixed"), ("squarecb", "linear"), ("top_two", "linear")]
)
def test_other_policies_are_sent_to_distribution(name: str, posterior: str) -> None:
    policy = build(name, FeatureSpace("toy", "1", 4), posterior=posterior)
    items, request = world(10, 4, 0)
    with pytest.raises(ConfigurationError, match="give 'distribution' the candidates"):
        policy.shortlist(items, request, 3, np.random.default_rng(0))


def test_without_numba_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = taught(4, arithmetic="compiled")
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setitem(short.WAYS, "compiled", compiled_shortlist.weighed.__wrapped__)
    items, request = world(10, 4, 0)
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[fast\]'"):
        policy.shortlist(items, request, 3, np.random.default_rng(0))
