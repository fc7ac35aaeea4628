"""The faiss index against the exact one as its oracle."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import ConfigurationError, FeatureSpace, MissingExtraError, Retriever
from equipoise.retrieval import AnnSettings, ExactIndex, FaissIndex, choose, open_index, recall

from .conftest import names, unit

SMALL = AnnSettings(nprobe=48, train_from=2000, narrow_rows=200, fresh_rows=300)


@pytest.fixture(scope="module")
def ann(space, clustered):
    return FaissIndex.over(space, names(6000), clustered, settings=SMALL)


@pytest.fixture(scope="module")
def oracle(space, clustered):
    return ExactIndex.over(space, names(6000), clustered)


def near(clustered, q: int = 40):
    rng = np.random.default_rng(3)
    return unit(clustered[rng.integers(len(clustered), size=q)] + 0.05 * rng.standard_normal((q, 32)))


def draws(q: int = 40):
    """Like posterior draws: directions that point to no cluster in particular."""
    return np.random.default_rng(4).standard_normal((q, 32)).astype(np.float32)


def test_it_is_trained_and_a_retriever(ann):
    assert isinstance(ann, Retriever)
    # three times the root of 6000 is 231, and 6000 items are enough for 300 lists of 20
    assert len(ann.lists.index.centres) == 231 and ann.lists.dead == 0


def test_recall_near_items_and_on_draws(ann, oracle, clustered):
    assert recall(ann, oracle, near(clustered), 50) > 0.98
    assert recall(ann, oracle, draws(), 50) > 0.85
    every_list = FaissIndex.over(
        ann.space, names(6000), clustered, settings=AnnSettings(nprobe=231, train_from=2000, narrow_rows=0)
    )
    # all lists are looked into: only the codes can miss a row, and over-fetching brings it back
    assert recall(every_list, oracle, draws(), 50) > 0.999


def test_scores_are_exact_and_ranked(ann, clustered):
    found = ann.top(near(clustered), 20)
    true = np.take_along_axis(near(clustered) @ clustered.T, found.rows, axis=1)
    np.testing.assert_allclose(found.scores, true, atol=1e-5)
    assert (np.diff(found.scores, axis=1) <= 0).all()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.8])
def test_filtered_search_keeps_to_the_filter_and_finds_it(ann, oracle, clustered, share):
    allowed = np.random.default_rng(5).random(6000) < share
    found = ann.top(near(clustered), 30, allowed=allowed)
    true = oracle.top(near(clustered), 30, allowed=allowed)
    assert allowed[found.rows].all() and found.rows.shape == true.rows.shape
    overlap = np.mean([len(np.intersect1d(a, b)) / 30 for a, b in zip(found.rows, true.rows, strict=True)])
    assert overlap == 1.0 if share < 0.1 else overlap > 0.97


def test_a_filter_that_the_lists_do_not_reach_is_still_answered_in_full(ann, oracle, clustered):
    """Allow only what lies opposite to the query: its lists are the last that would be looked into."""
    query = near(clustered, 1)
    scores = (clustered @ query.T)[:, 0]
    allowed = scores < np.quantile(scores, 0.15)
    found = ann.top(query, 100, allowed=allowed)
    assert np.array_equal(found.rows, oracle.top(query, 100, allowed=allowed).rows)


def test_new_replaced_and_dropped_items(space, clustered):
    ann = FaissIndex.over(space, names(6000), clustered, settings=SMALL)
    query = near(clustered, 1)
    ann.put(["fresh", "i7"], np.concatenate([query, -query]))
    assert ann.search(query[0], 1).item_ids == ("fresh",)
    assert ann.lists.dead == 1
    far = ann.search(query[0], 50).item_ids
    assert "i7" not in far
    gone = far[:5]
    ann.drop(gone)
    assert not set(gone) & set(ann.search(query[0], 50).item_ids)
    assert np.array_equal(ann.vectors(["i7", "i11"]), np.stack([-query[0], clustered[11]]))


def test_fresh_rows_join_the_lists_and_dead_ones_make_them_anew(space, clustered):
    ann = FaissIndex.over(space, names(4000), clustered[:4000], settings=SMALL)
    ann.put(names(300, 4000), clustered[4000:4300])
    assert ann.lists.n_labels == 4000
    ann.put(["one-more"], clustered[4300:4301])
    assert ann.lists.n_labels == 4301 and ann.lists.dead == 0
    first = ann.lists.index
    ann.drop(names(860))
    # 860 of 4301 are 19.996 %
    assert ann.lists.index is first
    ann.drop(["i900"])
    # 861 of 4301 are 20.02 %: trained again, on the 3440 that are left
    assert ann.lists.index is not first and ann.lists.n_labels == 3440 and ann.lists.dead == 0
    oracle = ExactIndex.over(space, ann.item_ids, ann.vectors(ann.item_ids))
    assert recall(ann, oracle, near(clustered), 30) > 0.97


@pytest.mark.parametrize("closed", [0, 1, 30, 2000])
def test_hidden_rows_never_come_and_cost_no_other(ann, oracle, clustered, closed):
    """None, few (passed over) and many (faiss is told) are hidden, five of the best among them: the next ones come."""
    query = near(clustered, 1)
    allowed = np.ones(6000, dtype=bool)
    gone = np.concatenate([oracle.top(query, 5).rows[0], np.random.default_rng(10).permutation(6000)])
    allowed[gone[:closed]] = False
    found = ann.top(query, 40, allowed=allowed)
    assert allowed[found.rows].all() and found.rows.shape == (1, 40)
    assert overlap(found, oracle.top(query, 40, allowed=allowed)) > 0.9


def test_the_same_build_gives_the_same_answers(space, clustered, ann):
    again = FaissIndex.over(space, names(6000), clustered, settings=SMALL)
    one, other = ann.top(draws(), 50), again.top(draws(), 50)
    assert np.array_equal(one.rows, other.rows) and np.array_equal(one.scores, other.scores)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_few_numbers_and_many_equal_items(width):
    """Lists without items, codes without variance: the best are still found, first rows first."""
    space = FeatureSpace("thin", "1", width)
    vectors = np.repeat(unit(np.random.default_rng(2).standard_normal((4, width))), 100, axis=0)
    always = AnnSettings(nprobe=100, train_from=40, narrow_rows=0)
    ann = FaissIndex.over(space, names(400), vectors, settings=always)
    assert ann.lists.index is not None
    found = ann.top(vectors[:1], 10)
    np.testing.assert_allclose(found.scores, 1.0, atol=1e-6)


def test_few_items_are_searched_exactly(space, clustered):
    ann = FaissIndex(space, settings=SMALL)
    ann.put(names(50), clustered[:50])
    assert ann.lists.index is None
    assert recall(ann, ExactIndex.over(space, names(50), clustered[:50]), draws(), 50) == 1.0


def overlap(found, true) -> float:
    shared = [len(np.intersect1d(a, b)) for a, b in zip(found.rows, true.rows, strict=True)]
    return sum(shared) / true.rows.size


def test_a_bonus_is_added_to_what_is_found(ann, oracle):
    """One bonus for all queries, and one for each: of the first a tenth is high, as with few popular items."""
    rng = np.random.default_rng(6)
    few = np.where(rng.random(6000) < 0.1, rng.exponential(0.5, 6000), 0.0)
    each = np.stack([np.zeros(6000), few, 0.1 * rng.standard_normal(6000)])
    for bonus, least in ((few, 0.95), (each, 0.8)):
        found, true = ann.top(draws(3), 50, bonus=bonus), oracle.top(draws(3), 50, bonus=bonus)
        assert overlap(found, true) > least
        by_row = np.broadcast_to(bonus, (3, 6000))
        expected = np.take_along_axis(
            draws(3) @ oracle.vectors(oracle.item_ids).T + by_row, found.rows, axis=1
        )
        np.testing.assert_allclose(found.scores, expected, atol=1e-4)


def test_a_bonus_keeps_to_the_filter(ann):
    allowed = np.random.default_rng(9).random(6000) < 0.5
    found = ann.top(draws(3), 50, allowed=allowed, bonus=np.where(allowed, 0.0, 100.0))
    assert allowed[found.rows].all()


@settings(max_examples=15, deadline=None)
@given(
    edits=st.lists(st.tuples(st.booleans(), st.integers(0, 400), st.integers(1, 120)), min_size=1, max_size=5)
)
def test_any_edits_keep_rows_labels_and_vectors_together(edits):
    """Fifty items a step come and go; every list is looked into, so that the exact index is matched in full."""
    space = FeatureSpace("edits", "1", 8)
    rng = np.random.default_rng(7)
    always = AnnSettings(
        nprobe=1000, train_from=40, narrow_rows=0, narrow_share=0.0, fresh_rows=60, overfetch=3
    )
    ann, exact = FaissIndex(space, settings=always), ExactIndex(space)
    for index in (ann, exact):
        index.put(names(300), unit(np.random.default_rng(8).standard_normal((300, 8))))
    for putting, start, count in edits:
        vectors = unit(rng.standard_normal((count, 8)))
        for index in (ann, exact):
            index.put(names(count, start), vectors) if putting else index.drop(names(count, start))
    assert ann.item_ids == exact.item_ids
    queries = rng.standard_normal((4, 8)).astype(np.float32)
    assert recall(ann, exact, queries, 10) == 1.0


def test_choosing():
    assert choose(100_000).kind == "exact"
    assert choose(100_001).kind == "faiss"
    assert choose(500_000, 0.02).kind == "exact"


def test_choosing_without_faiss_says_so(monkeypatch, space, clustered, caplog):
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.setattr("equipoise.retrieval.choice.EXACT_UP_TO", 5000)
    assert "pip install 'equipoise[ann]'" in choose(6000).why
    assert isinstance(open_index(space, names(6000), clustered), ExactIndex)
    assert "equipoise[ann]" in caplog.text
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[ann\]'"):
        open_index(space, names(6000), clustered, kind="faiss")


def test_a_faiss_that_loses_rows_is_refused(monkeypatch, space):
    faiss = pytest.importorskip("faiss", reason="needs equipoise[ann]")
    monkeypatch.setattr(faiss, "__version__", "1.9.0.post1")
    with pytest.raises(MissingExtraError, match=r"faiss is 1\.9\.0.*faiss-cpu>=1\.13"):
        FaissIndex(space)


def test_open_index_by_kind(space, clustered):
    assert isinstance(open_index(space, names(60), clustered[:60], kind="faiss"), FaissIndex)
    assert isinstance(open_index(space, names(60), clustered[:60]), ExactIndex)
    with pytest.raises(ConfigurationError, match="'annoy'"):
        open_index(space, names(60), clustered[:60], kind="annoy")


def test_settings_out_of_range():
    with pytest.raises(ConfigurationError, match="nprobe is 0"):
        AnnSettings(nprobe=0)


def test_the_index_says_what_it_takes_beside_the_vectors() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((400, 8)).astype(np.float32)
    space = FeatureSpace("toy", "1", 8)
    chosen = AnnSettings(train_from=100, train_on=400)
    index = FaissIndex.over(space, [f"i{row}" for row in range(400)], vectors, settings=chosen)
    # 8 numbers in ceil(16 / 3) = 6 codes of half a byte, laid out in 12 columns; 400 // 20 = 20 lists
    sizes = [index.lists.index.index.get_list_size(number) for number in range(20)]
    assert sum(sizes) == 400
    # blocks of 32 codes; labels of 8 there and by row; centres of 8 float32 and of 12; 8 axes of 8
    blocks = sum(math.ceil(size / 32) for size in sizes)
    assert index.size_bytes == blocks * 32 * 3 + 400 * (8 + 8) + 20 * (8 + 12) * 4 + 8 * 8 * 4
    few = FaissIndex.over(space, ["i0"], vectors[:1], settings=chosen)
    assert few.size_bytes == 0
