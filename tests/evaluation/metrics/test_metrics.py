"""Laws of the metrics, numbers by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import InputError, UnknownItemError
from equipoise.evaluation.metrics import (
    RankedLists,
    average_precision,
    calibration,
    coverage,
    exposure,
    gini,
    gini_of_exposure,
    group_exposure,
    hit_rate,
    intra_list_diversity,
    judge,
    ndcg,
    novelty,
    parity,
    recall,
    serendipity,
    summary,
)

CATALOGUE = ["a", "b", "c", "d"]
items = st.permutations([f"i{number}" for number in range(12)])
wanted = st.dictionaries(
    st.sampled_from([f"i{n}" for n in range(12)]), st.sampled_from([1.0, 2.0, 3.0]), min_size=1
)


@given(order=items, gains=wanted, k=st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_accuracy_lies_between_nothing_and_the_ideal(
    order: list[str], gains: dict[str, float], k: int
) -> None:
    """All in [0, 1]; the list in order of gain has NDCG 1 and every recall is that of what fits."""
    judged = judge(RankedLists.of([order], k=k), [gains])
    for metric in (ndcg, average_precision, recall, hit_rate):
        assert 0.0 <= metric(judged)[0] <= 1.0
    best = sorted(order, key=lambda item: -gains.get(item, 0.0))
    ideal = judge(RankedLists.of([best], k=k), [gains])
    assert ndcg(ideal)[0] == pytest.approx(1.0, rel=1e-12)
    assert recall(ideal)[0] == pytest.approx(min(k, len(gains)) / len(gains))
    assert ndcg(judged)[0] <= 1.0 and recall(judged)[0] <= recall(ideal)[0]


@given(amounts=st.lists(st.floats(0, 1e6), min_size=1, max_size=30), scale=st.floats(1e-3, 1e3))
@settings(max_examples=100, deadline=None)
def test_gini_knows_neither_unit_nor_order(amounts: list[float], scale: float) -> None:
    values = np.array(amounts)
    if values.sum() > 1e-3:
        found = gini(values)
        assert -1e-12 <= found <= (len(values) - 1) / len(values) + 1e-12
        assert gini(values[::-1] * scale) == pytest.approx(found, abs=1e-9)


def test_accuracy_by_hand() -> None:
    """The list a b c; wanted are b (gain 1), c (2) and d (1), which it lacks."""
    judged = judge(RankedLists.of([["a", "b", "c"]], catalogue=CATALOGUE), [{"b": 1.0, "c": 2.0, "d": 1.0}])
    # DCG: 1 / log2 3 + 2 / log2 4 = 0.63093 + 1; ideal: 2 + 1 / log2 3 + 1 / log2 4 = 3.13093
    assert ndcg(judged)[0] == pytest.approx(1.6309298 / 3.1309298, rel=1e-7)
    # precision at b's place 1/2, at c's 2/3, of three wanted items
    assert average_precision(judged)[0] == pytest.approx((1 / 2 + 2 / 3) / 3)
    assert recall(judged)[0] == pytest.approx(2 / 3)
    assert hit_rate(judged)[0] == 1.0


def test_what_nobody_wanted_anything_of_is_left_out() -> None:
    judged = judge(RankedLists.of([["a"], ["b"], ["c"]], catalogue=CATALOGUE), [{}, {"b": 1.0}, {"a": 1.0}])
    assert np.isnan([metric(judged)[0] for metric in (ndcg, average_precision, recall, hit_rate)]).all()
    found = summary(recall(judged))
    # 1 and 0: mean 1/2, standard error sqrt(1/2) / sqrt(2) = 1/2
    assert (found.value, found.stderr, found.n) == (0.5, pytest.approx(0.5), 2)
    assert summary(recall(judged)[:2]).stderr == np.inf
    with pytest.raises(InputError, match="none of 1 lists"):
        summary(recall(judged)[:1])


def test_exposure_by_hand() -> None:
    lists = RankedLists.of([["a", "b"], ["a"]], catalogue=CATALOGUE)
    assert coverage(lists) == 0.5
    assert exposure(lists) == pytest.approx([2.0, 1 / np.log2(3), 0.0, 0.0])
    assert exposure(lists, by_place=False).tolist() == [2.0, 1.0, 0.0, 0.0]
    # sorted 0 0 1 2 with ranks -3 -1 1 3: (1 + 6) / (4 x 3)
    assert gini_of_exposure(lists, by_place=False) == pytest.approx(7 / 12)
    assert gini(np.array([3.0, 3.0, 3.0])) == 0.0
    assert gini(np.array([0.0, 0.0, 5.0])) == pytest.approx(2 / 3)


def test_groups_by_hand() -> None:
    """Three shows: two of `a` (group x, 1 of 4 items), one of `b` (group y, 3 of 4)."""
    lists = RankedLists.of([["a", "b"], ["a"]], catalogue=CATALOGUE)
    found = group_exposure(lists, {"a": "x", "b": "y", "c": "y", "d": "y"}, by_place=False)
    assert (found["x"].items, found["x"].share) == (1, pytest.approx(2 / 3))
    assert found["x"].relative == pytest.approx((2 / 3) / (1 / 4))
    assert found["y"].relative == pytest.approx((1 / 3) / (3 / 4))
    assert parity(found) == pytest.approx((4 / 9) / (8 / 3))
    even = RankedLists.of([["a"], ["b"], ["c"], ["d"]], catalogue=CATALOGUE)
    assert parity(group_exposure(even, {"a": "x", "b": "y", "c": "y", "d": "y"})) == pytest.approx(1.0)


def test_surprise_by_hand() -> None:
    lists = RankedLists.of([["a", "b"], ["c"], []], catalogue=CATALOGUE)
    # 8 users: a is known by 4 (1 bit), b by 1 (3 bits), c by none: 0.5 of 8 (4 bits)
    found = novelty(lists, {"a": 4, "b": 1}, users=8)
    assert found[:2] == pytest.approx([2.0, 4.0]) and np.isnan(found[2])
    judged = judge(lists, [{"a": 1.0, "b": 1.0}, {"c": 1.0}, {"a": 1.0}])
    # of a and b, both wanted, a was to be expected: 1 of 2; c was expected: 0 of 1
    found = serendipity(lists, judged, [{"a"}, {"c"}, set()])
    assert found[:2].tolist() == [0.5, 0.0] and np.isnan(found[2])


def test_diversity_by_hand() -> None:
    """a and b are at right angles, a and c the same, a and d opposite; lengths don't matter."""
    lists = RankedLists.of([["a", "b"], ["a", "c"], ["a", "d"], ["a", "b", "d"], ["a"]], catalogue=CATALOGUE)
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [-1.0, 0.0]])
    found = intra_list_diversity(lists, vectors)
    # the fourth: pairs 1, 2, 1
    assert found[:4] == pytest.approx([1.0, 0.0, 2.0, 4 / 3], abs=1e-12) and np.isnan(found[4])


def test_calibration_by_hand() -> None:
    """A past of 70 % romance and 30 % action, and lists that keep it, halve it, and forget action."""
    kinds = {
        "a": {"romance": 1.0},
        "b": {"action": 2.0},
        "c": {"romance": 7.0, "action": 3.0},
        "d": {"war": 1.0},
    }
    lists = RankedLists.of([["c"], ["a", "b"], ["a"], ["d"], []], catalogue=CATALOGUE)
    found = calibration(lists, [{"a": 7.0, "b": 3.0}] * 5, kinds)
    # halved: q' = .99 x .5 + .01 p = .502 and .498
    halved = 0.7 * np.log(0.7 / 0.502) + 0.3 * np.log(0.3 / 0.498)
    # without action: q' = .997 and .003
    forgot = 0.7 * np.log(0.7 / 0.997) + 0.3 * np.log(0.3 / 0.003)
    assert found[:3] == pytest.approx([0.0, halved, forgot], abs=1e-12)
    # nothing in common: each kind has .01 of its share, so log 100
    assert found[3] == pytest.approx(np.log(100))
    assert np.isnan(found[4])
    assert np.isnan(calibration(lists.cut(1), [{}] * 5, kinds)).all()


def test_only_the_first_k_count() -> None:
    lists = RankedLists.of([["a", "b", "c"]], catalogue=CATALOGUE, k=2)
    assert lists.ids(0) == ("a", "b") == RankedLists.of([["a", "b", "c"]]).cut(2).ids(0)
    # a list shorter than k is judged against the ideal of k
    short = judge(RankedLists.of([["a"]], catalogue=CATALOGUE, k=2), [{"a": 1.0, "b": 1.0}])
    assert ndcg(short)[0] == pytest.approx(1 / (1 + 1 / np.log2(3)))


def test_what_cannot_be_measured_is_refused() -> None:
    lists = RankedLists.of([["a"]], catalogue=CATALOGUE)
    kinds = {"a": {"x": 1.0}}
    with pytest.raises(InputError, match="no list"):
        RankedLists.of([])
    with pytest.raises(InputError, match="list 1 has an item twice"):
        RankedLists.of([["a"], ["b", "b"]])
    with pytest.raises(InputError, match="list 0 is the text 'ab'"):
        RankedLists.of(["ab"])
    with pytest.raises(UnknownItemError, match="list 0 has item 'z'"):
        RankedLists.of([["z"]], catalogue=CATALOGUE)
    with pytest.raises(InputError, match="k is 0"):
        RankedLists.of([["a"]], k=0)
    with pytest.raises(InputError, match="1 lists but 2 judgements"):
        judge(lists, [{}, {}])
    with pytest.raises(InputError, match="the gain of 'a' is nan"):
        judge(lists, [{"a": float("nan")}])
    with pytest.raises(InputError, match="was anything shown"):
        gini(np.zeros(3))
    with pytest.raises(InputError, match="3 items have no group, such as 'b'"):
        group_exposure(lists, {"a": "x"})
    with pytest.raises(InputError, match="all lists are empty"):
        group_exposure(RankedLists.of([[]], catalogue=["a"], k=1), {"a": "x"})
    with pytest.raises(InputError, match=r"known by 9.0 of 8 users"):
        novelty(lists, {"a": 9}, users=8)
    with pytest.raises(InputError, match="users is 0"):
        novelty(lists, {}, users=0)
    with pytest.raises(InputError, match="2 expectations"):
        serendipity(lists, judge(lists, [{}]), [set(), set()])
    with pytest.raises(InputError, match="4 items: one row each"):
        intra_list_diversity(lists, np.ones((3, 2)))
    with pytest.raises(InputError, match=r"vector of 'b' has length 0\.0"):
        intra_list_diversity(lists, np.array([[1.0], [0.0], [1.0], [1.0]]))
    with pytest.raises(InputError, match="2 histories"):
        calibration(lists, [{}, {}], kinds)
    with pytest.raises(InputError, match=r"smoothing is 1\.5"):
        calibration(lists, [{}], kinds, smoothing=1.5)
    with pytest.raises(InputError, match="it must have a kind"):
        calibration(lists, [{"b": 1.0}], kinds)
    with pytest.raises(InputError, match="level is 2"):
        summary(np.ones(3), level=2)
