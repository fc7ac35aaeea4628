"""Requests and feedback that cannot be meant: refused in words, nothing stored, and the engine goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from equipoise.catalog import Item
from equipoise.core import (
    EquipoiseError,
    InputError,
    NoCandidatesError,
    Request,
    UnknownDecisionError,
    UnknownItemError,
)
from equipoise.engine import Engine

from .shop import START, opened, visit

HALF = "\ud800"
"""Half of a character: no UTF-8."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with opened() as made:
        visit(made, 0)
        yield made
        assert made.replay().identical  # after all that was refused
        assert made.why(f"d{made.status()['decisions'] - 2}").reproduced


def refused(engine: Engine, call: Callable[[], object]) -> EquipoiseError:
    """The error of a call that must have changed nothing."""
    before = (engine.status(), engine.item_ids)
    with pytest.raises(EquipoiseError) as caught:
        call()
    assert (engine.status(), engine.item_ids) == before
    visit(engine, before[0]["decisions"])
    return caught.value


FIELDS: list[tuple[str, Any, str]] = [
    ("text", 5, "text is 5 but must be a text"),
    ("text", b"shoes", "must be a text"),
    ("text", HALF, "half of a character"),
    ("text", "word " * 200_000, "1,000,000 characters but may have 100,000"),
    ("user_id", 7, "user_id is 7"),
    ("user_id", "", "user_id is ''"),
    ("user_id", HALF, "half of a character"),
    ("attributes", None, "attributes is None"),
    ("attributes", [1], "must map names to values"),
    ("attributes", "device=phone", "must map names to values"),
    ("attributes", {5: "x"}, "names are texts"),
    ("attributes", {"a": {"b": 1}}, r"attributes\['a'\] is"),
    ("attributes", {"a": {"b"}}, r"attributes\['a'\] is"),
    ("attributes", {"a": object()}, r"attributes\['a'\] is"),
    ("attributes", {"a": math.nan}, "finite number"),
    ("attributes", {"a": np.float32(math.inf)}, "finite number"),
    ("attributes", {"a": 10**400}, "finite number"),
    ("attributes", {"a": HALF}, "half of a character"),
    ("attributes", {"a": [["b"]]}, r"attributes\['a'\] is"),
    ("filters", None, "filters is None"),
    ("filters", ["category"], "must map names to values"),
    ("filters", {3: "x"}, "names are texts"),
    ("filters", {"catgory": "shoes"}, "category"),
    ("filters", {"category": [["shoes"]]}, r"filters\['category'\]"),
    ("filters", {"category": None}, r"filters\['category'\]"),
    ("filters", {"category": object()}, r"filters\['category'\]"),
    ("filters", {"category": {"min": 3}}, "category"),
    ("filters", {"price": "cheap"}, "price"),
    ("filters", {"price": {"mn": 3}}, "mn"),
    ("filters", {"price": {"min": None}}, "price"),
    ("filters", {"price": math.nan}, "price"),
    ("filters", {"price": {"min": 10**400}}, "price"),
    ("items", (1, 2), "items is"),
    ("items", (["i1"],), "items is"),
    ("history", (None,), "history is"),
    ("exclude", (5,), "exclude is"),
    ("exclude", None, "exclude is None"),
    ("pinned", None, "pinned is None"),
    ("pinned", ["i1"], "pinned is"),
    ("pinned", {"0": "i1"}, "pinned has '0'"),
    ("pinned", {0.0: "i1"}, "pinned has 0.0"),
    ("pinned", {0.5: "i1"}, "pinned has 0.5"),
    ("pinned", {True: "i1"}, "pinned has True"),
    ("pinned", {0: 5}, "pinned has 0: 5"),
    ("pinned", {0: ["i1"]}, "pinned has 0"),
    ("pinned", {-1: "i1"}, "slot -1"),
    ("pinned", {7: "i1"}, "slot 7"),
    ("pinned", {0: "i1", 1: "i1"}, "pinned to two slots"),
]


@pytest.mark.parametrize(("field", "value", "told"), FIELDS, ids=lambda value: repr(value)[:40])
def test_a_field_of_another_kind(engine: Engine, field: str, value: Any, told: str) -> None:
    error = refused(engine, lambda: engine.recommend(Request(**{field: value}), slots=3))
    assert isinstance(error, InputError)
    assert re.search(told, str(error)), str(error)[:300]


@pytest.mark.parametrize("field", ["items", "history", "exclude"])
@pytest.mark.parametrize("value", ["i1", 5, b"i1"])
def test_a_single_text_is_no_list_of_ids(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{field} is .* must be several item_ids"):
        Request(**{field: value})


@pytest.mark.parametrize(
    "request_",
    [Request(items=("i1", "i77")), Request(history=("i77",)), Request(pinned={0: "i77"})],
    ids=["items", "history", "pinned"],
)
def test_an_item_that_is_not_there(engine: Engine, request_: Request) -> None:
    error = refused(engine, lambda: engine.recommend(request_, slots=1))
    assert isinstance(error, UnknownItemError)
    assert "'i77'" in str(error) and "did you mean" in str(error)


@pytest.mark.parametrize(
    "request_",
    [
        Request(items=()),
        Request(exclude=tuple(f"i{j}" for j in range(40))),
        Request(filters={"price": {"min": 30, "max": 20}}),
        Request(filters={"category": []}),
        Request(filters={"category": "shoes", "price": 11.0}),
    ],
    ids=["no items", "all excluded", "empty range", "no value", "nothing has both"],
)
def test_nothing_left_to_show(engine: Engine, request_: Request) -> None:
    error = refused(engine, lambda: engine.recommend(request_, slots=1))
    assert isinstance(error, NoCandidatesError)
    assert "loosen the filters" in str(error)


@pytest.mark.parametrize(
    ("slots", "told"),
    [
        (0, "slots is 0"),
        (-1, "slots is -1"),
        (41, "only 40 items"),
        (10**9, "only 40 items"),
        ("3", "slots is '3'"),
        (3.0, "slots is 3.0"),
        (None, "slots is None"),
    ],
)
def test_slots_that_cannot_be_filled(engine: Engine, slots: Any, told: str) -> None:
    error = refused(engine, lambda: engine.recommend(Request(), slots=slots))
    assert isinstance(error, InputError)
    assert told in str(error)


@pytest.mark.parametrize("request_", [None, "shoes", {"text": "shoes"}, 5])
def test_no_request_at_all(engine: Engine, request_: Any) -> None:
    assert "is no Request" in str(refused(engine, lambda: engine.recommend(request_, slots=1)))


@pytest.mark.parametrize("at", ["now", math.nan, math.inf, -math.inf, True, START * 1000.0])
def test_a_time_that_is_none_or_in_milliseconds(engine: Engine, at: Any) -> None:
    for call in (
        lambda: engine.recommend(Request(), slots=1, at=at),
        lambda: engine.feedback("d0", slot=0, kind="click", at=at),
        lambda: engine.settle("d0", at=at),
        lambda: engine.learn(now=at),
    ):
        assert "seconds since 1970" in str(refused(engine, call))


@pytest.mark.parametrize("decision_id", ["", "x" * 201, 5, b"d", HALF])
def test_an_id_that_is_none(engine: Engine, decision_id: Any) -> None:
    error = refused(engine, lambda: engine.recommend(Request(), slots=1, decision_id=decision_id))
    assert isinstance(error, InputError)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"slot": 3}, "its slots are 0 to 2"),
        ({"slot": -1}, "slot is -1"),
        ({"slot": "1"}, "slot is '1'"),
        ({"slot": 1.0}, "slot is 1.0"),
        ({"slot": None}, "slot is None"),
        ({"slot": 10**30}, "slot"),
        ({"kind": "clik"}, "did you mean 'click'"),
        ({"kind": None}, "kind is None"),
        ({"kind": []}, "kind is []"),
        ({"value": math.nan}, "finite number"),
        ({"value": "many"}, "finite number"),
        ({"value": None}, "finite number"),
        ({"value": 10**400}, "finite number"),
        ({"kind": "dwell_seconds", "value": -1.0}, "below 0"),
        ({"feedback_id": 5}, "feedback_id is 5"),
        ({"feedback_id": ""}, "feedback_id is ''"),
        ({"decision_id": ""}, "decision_id is ''"),
        ({"decision_id": 5}, "decision_id is 5"),
        ({"decision_id": None}, "decision_id is None"),
        ({"decision_id": HALF}, "cannot store"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_feedback_that_cannot_be_meant(engine: Engine, told: dict[str, Any], words: str) -> None:
    call = {"decision_id": "d0", "slot": 0, "kind": "click", "at": START, **told}
    decision_id = call.pop("decision_id")
    error = refused(engine, lambda: engine.feedback(decision_id, **call))
    assert isinstance(error, InputError)
    assert words in str(error)


@pytest.mark.parametrize("decision_id", ["never-made", None, 5, []])
def test_a_decision_that_was_never_made(engine: Engine, decision_id: Any) -> None:
    for call in (lambda: engine.settle(decision_id), lambda: engine.why(decision_id)):
        error = refused(engine, call)
        assert isinstance(error, UnknownDecisionError) or decision_id == []


@pytest.mark.parametrize("given", [None, "i1", 5, Item("i1"), {"i1": "shoe"}, [{"item_id": "i1"}], [5], [""]])
def test_no_items_to_put_in(engine: Engine, given: Any) -> None:
    assert isinstance(refused(engine, lambda: engine.put(given)), InputError)


@pytest.mark.parametrize("given", [None, "i1", 5, [5], [None]])
def test_no_ids_to_take_out(engine: Engine, given: Any) -> None:
    assert isinstance(refused(engine, lambda: engine.remove(given)), InputError)


@pytest.mark.parametrize("user_id", [None, "", 5])
def test_nobody_to_forget(engine: Engine, user_id: Any) -> None:
    assert isinstance(refused(engine, lambda: engine.forget(user_id)), InputError)


def test_a_text_just_short_enough_is_read(engine: Engine) -> None:
    decision = engine.recommend(Request(text="w" * 100_000), slots=1)
    assert engine.why(decision.decision_id).reproduced
