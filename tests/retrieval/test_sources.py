"""Merging what several sources found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import InputError
from equipoise.retrieval import Search, gather

FOUND = st.lists(
    st.tuples(st.lists(st.integers(0, 30), unique=True, max_size=20), st.integers(0, 12)), max_size=5
)


def searches(found) -> list[Search]:
    return [
        Search(f"s{number}", np.array(rows, dtype=np.int64), quota)
        for number, (rows, quota) in enumerate(found)
    ]


@given(found=FOUND, k=st.integers(1, 40))
def test_laws(found, k):
    rows, sources = gather(searches(found), k)
    everything = set().union(*[set(of) for of, _ in found])
    assert len(rows) == len(sources) == min(k, len(everything))
    assert len(set(rows.tolist())) == len(rows) and set(rows.tolist()) <= everything
    order = [source for place, source in enumerate(sources) if place == 0 or sources[place - 1] != source]
    assert order == sorted(set(order))  # the rows of one source stand together, sources in the given order


@given(found=FOUND, k=st.integers(1, 40))
def test_it_agrees_with_rows_taken_one_by_one(found, k):
    taken: list[int] = []
    credit: dict[int, str] = {}
    for quotas in ([quota for _, quota in found], [k] * len(found)):
        for number, (of, _) in enumerate(found):
            brought = 0
            for row in of:
                if row not in taken and brought < quotas[number] and len(taken) < k:
                    taken.append(row)
                    credit[row] = f"s{number}"
                    brought += 1
    rows, sources = gather(searches(found), k)
    assert dict(zip(rows.tolist(), sources, strict=True)) == credit


def test_numbers_by_hand():
    near = Search("near", np.array([1, 2, 3, 4, 5]), 2)
    draw = Search("draw", np.array([2, 1, 9, 8]), 2)
    fresh = Search("fresh", np.array([7]), 1)
    # near brings 1 and 2; draw passes over both and brings 9 and 8; fresh brings 7: the quotas are full with 5.
    # Two are still missing: near goes on with 3 and 4.
    rows, sources = gather([near, draw, fresh], 7)
    assert rows.tolist() == [1, 2, 3, 4, 9, 8, 7]
    assert sources == ("near", "near", "near", "near", "draw", "draw", "fresh")


def test_nothing_found():
    rows, sources = gather([Search("near", np.array([], dtype=np.int64), 5)], 3)
    assert rows.tolist() == [] and sources == ()
    assert gather([], 3)[1] == ()


def test_bad_input():
    one = Search("near", np.array([1]), 1)
    with pytest.raises(InputError, match="k is 0"):
        gather([one], 0)
    with pytest.raises(InputError, match="each may come once"):
        gather([one, one], 3)
    with pytest.raises(InputError, match="quota -1"):
        Search("near", np.array([1]), -1)
