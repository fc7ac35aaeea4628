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
    for row, source in zip(rows.tolist(), sources, strict=True):
        within = [f"s{n}" for n, (of, quota) in enumerate(found) if row in of[:quota]]
        anywhere = [f"s{n}" for n, (of, _) in enumerate(found) if row in of]
        assert source == (within or anywhere)[0]


@given(found=FOUND, k=st.integers(1, 40))
def test_it_agrees_with_turns_played_by_hand(found, k):
    queues, taken = [list(of) for of, _ in found], []
    brought = [0] * len(found)
    for quotas in ([quota for _, quota in found], [k] * len(found)):
        for turn in range(40):
            for number, queue in enumerate(queues):
                fresh = [row for row in queue if row not in taken]
                if turn < quotas[number] and fresh:
                    taken.append(fresh[0])
                    queue[:] = fresh[1:]
                    brought[number] += 1
    assert gather(searches(found), k)[0].tolist() == taken[:k]


def test_numbers_by_hand():
    near = Search("near", np.array([1, 2, 3, 4, 5]), 2)
    draw = Search("draw", np.array([2, 1, 9, 8]), 2)
    fresh = Search("fresh", np.array([7]), 1)
    # turn 0: near 1, draw 2, fresh 7; turn 1: near passes 2 over and brings 3, draw passes 1 over and brings 9;
    # the quotas are full with 5, then near 4, draw 8, near 5. 2 is credited to near: it is second there.
    rows, sources = gather([near, draw, fresh], 7)
    assert rows.tolist() == [1, 2, 7, 3, 9, 4, 8]
    # 3 is within no quota (near's is 2), so whoever has it at all gets the credit
    assert sources == ("near", "near", "fresh", "near", "draw", "near", "draw")


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
