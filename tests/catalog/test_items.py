"""Items: what they refuse, and that JSON brings them back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from equipoise.catalog import Item
from equipoise.catalog.items import from_json, same, to_json
from equipoise.core import InputError

from .samples import items


@given(items())
def test_json_brings_an_item_back(item: Item) -> None:
    again = from_json(to_json(item))
    assert same(again, item)
    assert to_json(again) == to_json(item)


@given(items(), items())
def test_same_items_and_only_they_have_the_same_json(one: Item, other: Item) -> None:
    assert same(one, other) == (to_json(one) == to_json(other))


def test_the_canonical_json_by_hand() -> None:
    item = Item("b1", text="Tee", attributes={"price": 3, "new": True, "sizes": ["M", "L"]}, published_at=10)
    assert to_json(item) == (
        '{"attributes":{"new":true,"price":3.0,"sizes":["M","L"]},'
        '"item_id":"b1","published_at":10.0,"text":"Tee"}'
    )
    assert to_json(Item("b1")) == '{"item_id":"b1"}'


def test_values_become_plain_and_what_is_empty_has_no_key() -> None:
    given_ = {
        "n": np.int64(2),
        "f": np.float32(0.5),
        "b": np.bool_(True),
        "l": ["x", ""],
        "e": "",
        "o": None,
        "t": (),
    }
    attributes = Item("a", attributes=given_).attributes
    assert dict(attributes) == {"n": 2.0, "f": 0.5, "b": True, "l": ("x",)}
    assert [type(value) for value in attributes.values()] == [float, float, bool, tuple]


def test_an_item_cannot_be_changed() -> None:
    source = {"price": 1.0}
    item = Item("a", attributes=source)
    source["price"] = 2.0
    assert item.attributes["price"] == 1.0
    with pytest.raises(TypeError, match="item assignment"):
        item.attributes["price"] = 3.0  # type: ignore[index]
    assert hash(item) == hash(Item("a", attributes={"price": 1.0}))


def test_true_is_not_one() -> None:
    assert not same(Item("a", attributes={"x": True}), Item("a", attributes={"x": 1.0}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"item_id": ""}, "item_id ''"),
        ({"item_id": 7}, "expected text"),
        ({"text": None}, "expected text"),
        ({"text": "\ud800"}, "half of a character"),
        ({"attributes": {"p": math.nan}}, "p is nan"),
        ({"attributes": {"p": -math.inf}}, "p is -inf"),
        ({"attributes": {"p": 10**400}}, "p is inf"),
        ({"attributes": {"p": {"q": 1}}}, "expected text, a number"),
        ({"attributes": {"p": [1, 2]}}, "an entry of p is 1"),
        ({"published_at": math.nan}, "published_at is nan"),
        ({"published_at": True}, "expected a number"),
        ({"published_at": "2024"}, "expected a number"),
    ],
)
def test_what_no_item_can_hold(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Item(**{"item_id": "a", **fields})


@pytest.mark.parametrize("text", ["", "[]", "3", '{"item_id": "a", "colour": "red"}', '{"text": "x"}'])
def test_json_that_is_no_item(text: str) -> None:
    with pytest.raises(InputError, match="is not an item"):
        from_json(text)


def test_a_zero_character_in_an_id_is_refused() -> None:
    # numpy's arrays of texts drop it at the end, so that two ids would become one in a checkpoint
    with pytest.raises(InputError, match="zero character"):
        Item("a\x00")
