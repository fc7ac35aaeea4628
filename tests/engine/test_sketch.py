"""A catalogue large enough to be searched by a sketch: the nearest item is a candidate, whenever it came."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from equipoise.catalog import Item
from equipoise.core import Request
from equipoise.encoders import HashingEncoder
from equipoise.engine import Engine
from equipoise.retrieval.sketch import WORTHWHILE

WORDS = [
    "red",
    "blue",
    "steel",
    "oak",
    "light",
    "heavy",
    "winter",
    "summer",
    "small",
    "large",
    "shoe",
    "lamp",
]


def text(number: int) -> str:
    rng = np.random.default_rng(number)
    return " ".join([WORDS[word] for word in rng.integers(0, len(WORDS), 5)] + [f"model{number % 997}"])


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    items = [Item(f"i{number}", text=text(number)) for number in range(WORTHWHILE + 200)]
    with Engine.create(catalog=items, encoder=HashingEncoder(384)) as made:
        assert made.parts.stock.shelf.sketch is not None
        yield made


def test_the_nearest_item_is_always_a_candidate(engine: Engine) -> None:
    """Ties aside: whatever has the text's own words scores highest, and 80 of 200 candidates come from near."""
    for number in range(0, WORTHWHILE, 200):
        decision = engine.recommend(Request(text=text(number)), slots=1)
        assert f"i{number}" in decision.candidates
        assert engine.why(decision.decision_id).reproduced


def test_items_that_come_and_go_while_serving(engine: Engine) -> None:
    engine.put([Item("new", text="a velvet umbrella"), Item("i7", text="seven bronze elephants")])
    assert "new" in engine.recommend(Request(text="velvet umbrella"), slots=1).candidates
    changed = engine.recommend(Request(text="bronze elephants"), slots=1)
    assert "i7" in changed.candidates
    engine.remove(["new", "i3"])
    assert "new" not in engine.recommend(Request(text="velvet umbrella"), slots=1).candidates
    assert "i7" in engine.recommend(Request(text="bronze elephants"), slots=1).candidates
    assert engine.why(changed.decision_id).reproduced
    shelf, axes = engine.parts.stock.shelf, engine.parts.stock.shelf.axes
    assert axes is not None and shelf.sketch is not None
    afresh = axes.sketch(shelf.vectors(np.arange(len(shelf))))
    assert shelf.sketch == pytest.approx(afresh, abs=1e-6)


def test_an_index_asked_to_be_exact_has_no_sketch() -> None:
    items = [Item(f"i{number}", text=text(number)) for number in range(WORTHWHILE)]
    with Engine.create(catalog=items, encoder=HashingEncoder(384), retrieval={"index": "exact"}) as engine:
        assert engine.parts.stock.shelf.sketch is None
        assert "i9" in engine.recommend(Request(text=text(9)), slots=1).candidates
