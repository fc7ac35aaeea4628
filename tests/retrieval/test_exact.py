"""The exact index: laws, then a dict as its oracle, then numbers by hand, then bad input."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import FeatureSpace, FeatureSpaceError, InputError, Retriever, UnknownItemError
from equipoise.retrieval import ExactIndex, holes_filled
from equipoise.retrieval import rows as rows_module
from equipoise.retrieval.ranking import best

from .conftest import names, unit

LINE = FeatureSpace("line", "1", 3)

# Small whole numbers: their inner products are exact in float32, so equal scores are equal to the last bit.
WHOLE = st.tuples(*[st.integers(-3, 3)] * 3)
EDIT = st.one_of(
    st.tuples(st.just("put"), st.dictionaries(st.integers(0, 11), WHOLE, max_size=8)),
    st.tuples(st.just("drop"), st.sets(st.integers(0, 14), max_size=6)),
)


def apply(edit, index: ExactIndex, oracle: dict[str, tuple[int, ...]]) -> None:
    verb, what = edit
    ids = [f"i{number}" for number in what]
    if verb == "put":
        index.put(ids, np.array(list(what.values()), np.float32).reshape(-1, 3))
        oracle.update(zip(ids, what.values(), strict=True))
    else:
        index.drop(ids)
        for item_id in ids:
            oracle.pop(item_id, None)


def test_it_is_a_retriever(plane):
    assert isinstance(ExactIndex(plane), Retriever)


@settings(max_examples=120, deadline=None)
@given(edits=st.lists(EDIT, max_size=8), query=WHOLE, k=st.integers(1, 15))
def test_any_edits_leave_what_a_dict_would_hold(edits, query, k):
    index, oracle = ExactIndex(LINE), {}
    for edit in edits:
        apply(edit, index, oracle)
    found = index.search(np.array(query, np.float32), k)
    score = {item_id: float(np.dot(vector, query)) for item_id, vector in oracle.items()}
    ranked = sorted(score, key=lambda item_id: (-score[item_id], index.item_ids.index(item_id)))
    assert set(index.item_ids) == set(oracle) and len(index) == len(oracle)
    assert list(found.item_ids) == ranked[:k]
    assert found.features[:, 0].tolist() == [score[item_id] for item_id in ranked[:k]]


@settings(max_examples=60, deadline=None)
@given(edits=st.lists(EDIT, max_size=10), chunk=st.integers(1, 5))
def test_the_size_of_a_chunk_changes_nothing(edits, chunk):
    wide, narrow = ExactIndex(LINE), ExactIndex(LINE)
    before = rows_module.CHUNK_ROWS
    for edit in edits:
        apply(edit, wide, {})
        rows_module.CHUNK_ROWS = chunk
        try:
            apply(edit, narrow, {})
            held = narrow.vectors(narrow.item_ids)
        finally:
            rows_module.CHUNK_ROWS = before
        assert narrow.item_ids == wide.item_ids
        assert np.array_equal(held, wide.vectors(wide.item_ids))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), data=st.data())
def test_holes_are_filled_by_rows_that_stay(n, data):
    dropped = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), dtype=np.int64)
    holes, movers = holes_filled(n, dropped)
    kept = np.arange(n)
    kept[holes] = kept[movers]
    assert sorted(kept[: n - len(dropped)].tolist()) == sorted(set(range(n)) - set(dropped.tolist()))


@settings(max_examples=60, deadline=None)
@given(scores=st.lists(st.integers(-2, 2), min_size=1, max_size=40), k=st.integers(1, 45))
def test_the_best_are_those_of_a_stable_sort(scores, k):
    line = np.array(scores, np.float32)
    assert best(line, k).tolist() == np.argsort(-line, kind="stable")[:k].tolist()


@pytest.mark.parametrize("queries", [1, 2, 3, 5])
@pytest.mark.parametrize("share", [None, 0.9, 0.05])
def test_several_queries_agree_with_a_naive_sort(clustered, space, queries, share):
    index = ExactIndex.over(space, names(6000), clustered)
    rng = np.random.default_rng(1)
    asked = rng.standard_normal((queries, 32)).astype(np.float32)
    allowed = None if share is None else rng.random(6000) < share
    bonus = rng.standard_normal(6000).astype(np.float32)
    found = index.top(asked, 50, allowed=allowed, bonus=bonus)
    for query, rows, scores in zip(asked, found.rows, found.scores, strict=True):
        true = clustered.astype(np.float64) @ query + bonus
        true[~allowed if allowed is not None else []] = -np.inf
        assert rows.tolist() == np.argsort(-true, kind="stable")[:50].tolist()
        # float32 sums of 32 products of size below 1: errors of some 1e-6
        np.testing.assert_allclose(scores, true[rows], atol=1e-5)


def test_two_indexes_with_one_history_have_the_same_rows(plane):
    other = FeatureSpace("other", "1", 1)
    one, two = ExactIndex(plane), ExactIndex(other)
    for index in (one, two):
        index.put(names(9), np.ones((9, index.space.dim), np.float32))
        index.drop(["i2", "i8", "i5"])
        index.put(["i5", "i1"], np.ones((2, index.space.dim), np.float32))
    # 9 items less 3 leave rows 0..5; rows 6 and 7 move into the holes 2 and 5, then i5 comes last
    assert one.item_ids == two.item_ids == ("i0", "i1", "i6", "i3", "i4", "i7", "i5")


def test_numbers_by_hand(plane):
    index = ExactIndex(plane)
    index.put(["east", "north", "both", "west"], np.array([[1, 0], [0, 1], [1, 1], [-1, 0]], np.float32))
    # (2, 1) . east = 2, north = 1, both = 3, west = -2
    found = index.search(np.array([2, 1], np.float32), 3)
    assert found.item_ids == ("both", "east", "north")
    assert found.features.tolist() == [[3.0], [2.0], [1.0]]
    assert found.features.dtype == np.float32 and found.space == plane
    # a bonus of 1.5 lifts north to 2.5, over east
    lifted = index.top(np.array([[2, 1]], np.float32), 3, bonus=np.array([0, 1.5, 0, 0]))
    assert lifted.rows.tolist() == [[2, 1, 0]] and lifted.scores.tolist() == [[3.0, 2.5, 2.0]]


def test_equal_scores_stand_in_row_order(plane):
    index = ExactIndex(plane)
    index.put(names(7), np.zeros((7, 2), np.float32))
    assert index.search(np.ones(2, np.float32), 3).item_ids == ("i0", "i1", "i2")


def test_masks(plane):
    index = ExactIndex(plane)
    index.put(names(5), np.arange(10, dtype=np.float32).reshape(5, 2))
    items = index.view.items
    assert items.mask().tolist() == [True] * 5
    assert items.mask(exclude=["i1", "gone"]).tolist() == [True, False, True, True, True]
    assert items.mask(only=["i1", "i3", "gone"], exclude=["i3"]).tolist() == [
        False,
        True,
        False,
        False,
        False,
    ]
    nothing = index.search(np.ones(2, np.float32), 3, allowed=np.zeros(5, bool))
    assert nothing.item_ids == () and nothing.features.shape == (0, 1)


def test_a_callers_array_is_looked_into_and_never_written(tmp_path: Path, space, clustered):
    path = tmp_path / "vectors.npy"
    np.save(path, clustered)
    mapped = np.load(path, mmap_mode="r")
    index = ExactIndex.over(space, names(6000), mapped)
    assert all(np.shares_memory(chunk, mapped) for chunk in index.view.items.chunks)
    index.put(["i5000", "new"], clustered[:2])
    index.drop(["i5001"])
    first, second = index.view.items.chunks
    assert np.shares_memory(first, mapped) and not np.shares_memory(second, mapped)
    assert np.array_equal(index.vectors(["i5000", "new", "i7"]), clustered[[0, 1, 7]])
    assert np.array_equal(np.load(path), clustered)


def test_a_put_copies_what_it_is_given(plane):
    mine = np.ones((2, 2), np.float32)
    index = ExactIndex(plane)
    index.put(names(2), mine)
    mine[:] = 9
    assert index.vectors(["i1"]).tolist() == [[1, 1]]


def test_a_view_stays_what_it_was(plane):
    index = ExactIndex(plane)
    index.put(names(3), np.array([[1, 0], [2, 0], [3, 0]], np.float32))
    before = index.view
    index.drop(["i2", "i0"])
    index.put(["i1"], np.array([[9, 9]], np.float32))
    assert before.search(np.array([1, 0], np.float32), 3).features[:, 0].tolist() == [3, 2, 1]
    assert index.item_ids == ("i1",)


def test_readers_see_all_of_a_write_or_nothing(plane):
    """Each write gives every item one and the same new vector: a search that saw two values saw half a write."""
    index = ExactIndex(plane)
    ids = names(50)
    index.put(ids, np.zeros((50, 2), np.float32))
    torn: list[set[float]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen = set(index.search(np.array([1, 0], np.float32), 50).features[:, 0].tolist())
            if len(seen) != 1:
                torn.append(seen)

    reader = threading.Thread(target=read)
    reader.start()
    for value in range(1, 30):
        index.put(ids, np.full((50, 2), value, np.float32))
    stop.set()
    reader.join()
    assert torn == []


@pytest.mark.parametrize(
    ("ids", "vectors", "error", "says"),
    [
        (["a", "a"], np.ones((2, 2)), InputError, "'a' comes 2 times"),
        (["a"], np.ones((2, 2)), InputError, "1 item_ids came with 2 vectors"),
        (["a"], np.ones((1, 3)), FeatureSpaceError, "d=3"),
        (["a"], np.ones(2), InputError, r"shape \(2,\)"),
        (["a", "b"], np.array([[1, 1], [np.nan, 1]]), InputError, "'b'"),
        (["a"], np.array([[np.inf, 1]]), InputError, "NaN or infinity"),
        (["a"], np.array([[1e300, 1]]), InputError, "NaN or infinity"),
        (["a"], [["x", "y"]], InputError, "cannot be read"),
        ("ab", np.ones((2, 2)), InputError, "one string"),
    ],
)
def test_bad_puts_change_nothing(plane, ids, vectors, error, says):
    index = ExactIndex(plane)
    index.put(["kept"], np.ones((1, 2), np.float32))
    with pytest.raises(error, match=says):
        index.put(ids, vectors)
    assert index.item_ids == ("kept",)


def test_bad_searches(plane):
    index = ExactIndex(plane)
    index.put(names(3), np.ones((3, 2), np.float32))
    query = np.ones(2, np.float32)
    with pytest.raises(InputError, match="k is 0"):
        index.search(query, 0)
    with pytest.raises(InputError, match="whole number"):
        index.search(query, 2.5)
    with pytest.raises(FeatureSpaceError, match="d=3"):
        index.search(np.ones(3, np.float32), 1)
    with pytest.raises(FeatureSpaceError, match="plane@2"):
        index.search(query, 1, space=FeatureSpace("plane", "2", 2))
    with pytest.raises(FeatureSpaceError, match="plane@2"):
        index.put(["a"], np.ones((1, 2)), space=FeatureSpace("plane", "2", 2))
    with pytest.raises(InputError, match="NaN or infinity"):
        index.search(np.array([np.nan, 1], np.float32), 1)
    with pytest.raises(InputError, match=r"expected \(3,\) bool"):
        index.search(query, 1, allowed=np.ones(2, bool))
    with pytest.raises(InputError, match="bonus"):
        index.top(query[None], 1, bonus=np.array([1.0, np.nan, 0.0]))
    with pytest.raises(InputError, match="0 queries"):
        index.top(np.ones((0, 2), np.float32), 1)
    with pytest.raises(InputError, match=r"shape \(\)"):
        index.top(np.float32(1), 1)
    with pytest.raises(UnknownItemError, match="'i9'"):
        index.vectors(["i9"])


def test_scores_that_overflow_are_refused(plane):
    index = ExactIndex(plane)
    index.put(["huge"], np.full((1, 2), 3e38, np.float32))
    with pytest.raises(InputError, match="overflow"), np.errstate(over="ignore"):
        index.search(np.full(2, 3e38, np.float32), 1)


def test_unit_vectors_find_themselves():
    rng = np.random.default_rng(2)
    vectors = unit(rng.standard_normal((200, 3)))
    index = ExactIndex.over(LINE, names(200), vectors)
    found = index.top(vectors, 1)
    assert found.rows[:, 0].tolist() == list(range(200))
