"""A table lined up with a list of items reads as the dictionary does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import Alignment, Places

NAMES = [f"i{number}" for number in range(12)]
LISTS = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)


@given(steps=st.lists(st.tuples(LISTS, LISTS), min_size=1, max_size=6), missing=st.sampled_from([-1, 0]))
def test_it_agrees_with_the_dictionary_while_the_table_grows_and_the_list_changes(
    steps: list[tuple[list[str], list[str]]], missing: int
) -> None:
    table: dict[str, int] = {}
    alignment = Alignment(table, missing=missing)
    for gained, listed in steps:
        for item_id in gained:
            table.setdefault(item_id, 100 + len(table))
        row_of = {item_id: row for row, item_id in enumerate(listed)}
        asked = listed[::-1]
        places = Places(row_of, np.array([row_of[item_id] for item_id in asked]))
        for _ in range(2):
            expected = [table.get(item_id, missing) for item_id in asked]
            assert alignment.rows(asked, places).tolist() == expected
            assert alignment.rows(asked).tolist() == expected
        assert alignment.along(row_of).tolist() == [table.get(item_id, missing) for item_id in listed]


def test_the_same_list_follows_a_growing_table_by_hand() -> None:
    table = {"b": 0}
    alignment = Alignment(table)
    row_of = {"a": 0, "b": 1, "c": 2}
    assert alignment.along(row_of).tolist() == [-1, 0, -1]
    table["c"], table["elsewhere"] = 1, 2
    assert alignment.along(row_of).tolist() == [-1, 0, 1]


def test_the_first_of_some_places() -> None:
    places = Places({"a": 0, "b": 1}, np.array([1, 0]))
    assert places.first(1).rows.tolist() == [1]
    assert places.first(1).row_of is places.row_of
