"""What a user writes: the two sentences of the system, and every way to ask."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import equipoise
from equipoise.core import PINNED, Request
from equipoise.engine import Engine

from .shop import KINDS, START, items, opened, shown, visit


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with opened() as made:
        yield made


def test_the_first_page_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("items.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item_id", "title", "category", "price"))
        writer.writerows((item.item_id, item.text, item.attributes["category"], 5) for item in items())
    engine = equipoise.Engine.create(
        catalog="items.csv", journal="shop.db", policy="thompson", encoder="hashing"
    )
    decision = engine.recommend(
        equipoise.Request(
            text="shoes for wet trails",
            user_id="u1",
            history=["i7", "i9"],
            attributes={"device": "phone", "hour": 21},
        ),
        slots=10,
    )
    for slot in decision.slots:
        print(slot.slot, slot.item_id, slot.propensity, slot.source)
    assert engine.feedback(decision.decision_id, slot=2, kind="click").status == "counted"
    assert engine.settle(decision.decision_id) == 1
    assert engine.why(decision.decision_id).reproduced
    engine.close()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(line[0]) for line in lines] == list(range(10))
    assert all(0.0 < float(line[2]) <= 1.0 for line in lines)


def test_open_reads_a_toml_and_minilm_encodes(tmp_path: Path) -> None:
    """The embedded model, once: the nearest film of three to a request is the one about it."""
    (tmp_path / "films.csv").write_text(
        "item_id,title\na,A cowboy rides into the desert\nb,Robots in outer space\nc,A cook opens a restaurant\n"
    )
    (tmp_path / "equipoise.toml").write_text('[catalog]\npath = "films.csv"\n')
    with Engine.open(tmp_path / "equipoise.toml") as engine:
        decision = engine.recommend(Request(text="science fiction about spaceships"), slots=3)
        why = engine.why(decision.decision_id)
    assert why.reproduced
    likeness = {reason.item_id: reason.similarity for reason in why.slots}
    assert max(likeness, key=lambda item_id: likeness[item_id] or 0.0) == "b"


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(text="wet shoes"),
        Request(history=("i1", "i2")),
        Request(history=()),
        Request(attributes={"hour": 3, "device": "phone", "member": True, "tags": ["a", "b"], "city": None}),
        Request(user_id="u1"),
        Request(text="wet", user_id="u1", history=("i3",), attributes={"hour": 3}),
        Request(text=""),
        Request(text="   "),
    ],
    ids=str,
)
def test_a_user_known_by_anything_or_nothing(engine: Engine, request_: Request) -> None:
    decision = engine.recommend(request_, slots=5)
    assert len(set(shown(decision))) == 5
    assert len(decision.candidates) == 40
    assert decision.probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    assert engine.why(decision.decision_id).reproduced


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"category": "shoes"}, 14),  # i0, i3, ..., i39
        ({"category": ["shoes", "boots"]}, 27),  # 14 + 13
        ({"price": {"min": 20, "max": 24}}, 5),  # i10 to i14, both ends included
        ({"price": 12.0}, 1),
        ({"tags": "new"}, 20),  # the odd ones
        ({"category": "shoes", "tags": "new"}, 7),  # i3, i9, ..., i39
        ({"published_at": {"min": 1_700_000_000.0 + 86_400.0 * 38}}, 2),
        ({"price": {"max": np.float64(11.0)}}, 2),
    ],
)
def test_filters_narrow_the_catalogue(engine: Engine, filters: dict[str, object], left: int) -> None:
    decision = engine.recommend(Request(text="wet", filters=filters), slots=1)
    assert len(decision.candidates) == left
    assert engine.why(decision.decision_id).reproduced


def test_listed_items_alone_are_ranked_in_whatever_form_they_are_listed(engine: Engine) -> None:
    decision = engine.recommend(Request(items=(f"i{j}" for j in (5, 3, 5, 8))), slots=3)
    assert decision.candidates == ("i5", "i3", "i8")
    assert {slot.source for slot in decision.slots} == {"listed"}


def test_listed_items_pass_the_filters_too(engine: Engine) -> None:
    request = Request(items=("i0", "i1", "i2", "i3"), filters={"category": "shoes"}, exclude=("i0",))
    assert engine.recommend(request, slots=1).candidates == ("i3",)


def test_excluded_items_are_no_candidates_and_unknown_ones_are_no_error(engine: Engine) -> None:
    decision = engine.recommend(Request(exclude=("i0", "i1", "left-the-shop")), slots=38)
    assert set(shown(decision)) == {f"i{j}" for j in range(2, 40)}


def test_pinned_items_fill_their_slots_without_dice(engine: Engine) -> None:
    decision = engine.recommend(Request(text="wet", pinned={1: "i4", 3: "i2"}), slots=4)
    assert [decision.slots[1].item_id, decision.slots[3].item_id] == ["i4", "i2"]
    for slot in decision.slots:
        assert (slot.propensity == 1.0 and slot.source == PINNED) == (slot.slot in (1, 3))
    assert not {"i4", "i2"} & set(decision.candidates)
    why = engine.why(decision.decision_id)
    assert why.reproduced
    assert why.slots[1].sentence == "pinned by the request: no dice were thrown"


def test_a_slate_of_pins_alone_needs_no_candidates(engine: Engine) -> None:
    decision = engine.recommend(Request(items=(), pinned={0: "i4", 1: "i2"}), slots=2)
    assert shown(decision) == ("i4", "i2")
    assert engine.why(decision.decision_id).reproduced


def test_every_item_can_be_shown_at_once(engine: Engine) -> None:
    decision = engine.recommend(Request(), slots=40)
    assert set(shown(decision)) == set(engine.item_ids)
    assert decision.slots[-1].propensity == pytest.approx(1.0)  # nothing else was left


def test_numbers_of_numpy_are_numbers(engine: Engine) -> None:
    request = Request(attributes={"hour": np.int64(3), "heat": np.float32(0.5)}, pinned={np.int64(0): "i4"})
    decision = engine.recommend(request, slots=np.int64(2), at=np.float64(START))
    assert decision.request.attributes == {"hour": 3, "heat": 0.5}
    assert engine.why(decision.decision_id).reproduced


def test_a_request_is_held_as_it_was_asked(engine: Engine) -> None:
    facts = {"device": "phone"}
    decision = engine.recommend(Request(attributes=facts), slots=1)
    facts["device"] = "desk"
    assert decision.request.attributes == {"device": "phone"}


def test_many_items_are_searched_and_each_candidate_keeps_its_source() -> None:
    with opened(n=90, retrieval={"candidates": 30}) as engine:
        visit(engine, 0)
        decision = engine.recommend(Request(text="wet shoes"), slots=5, at=START + 50.0)
        assert len(decision.candidates) == len(set(decision.candidates)) == 30
        assert {"near", "mean", "draw", "fresh"} >= set(decision.sources)
        assert {"near", "fresh"} <= set(decision.sources)
        assert engine.why("d0").reproduced
        assert engine.why(decision.decision_id).reproduced


def test_a_narrow_filter_never_lets_another_item_in() -> None:
    with opened(n=90, retrieval={"candidates": 10}) as engine:
        wanted = {item.item_id for item in items(90) if item.attributes["category"] == KINDS[1]}
        decision = engine.recommend(Request(text="wet", filters={"category": KINDS[1]}), slots=3)
        assert len(decision.candidates) == 10
        assert set(decision.candidates) <= wanted
