"""What must hold for every pairing: width, finiteness, company, versions, and the way back from its state."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import FeatureSpace, InputError
from equipoise.encoders.pairing import Asked, Pairing, PairingSettings, Shown

from .worlds import (
    ENCODER,
    KINDS,
    NOW,
    SMALL,
    WIDTH,
    Catalogue,
    case,
    catalogue,
    experience_of,
    unit,
)

ITEMS = catalogue(200)
PAIRING = ITEMS.fit()
WIDE = ITEMS.fit(PairingSettings())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pairing", [PAIRING, WIDE], ids=["small", "default"])
def test_an_item_has_the_same_features_in_whatever_company(kind: str, pairing: Pairing) -> None:
    # Products run in float64 and are rounded once to float32. Two orders of summation differ by 1e-16, and a number
    # lies so close to a boundary of float32 once in 1e8: of the 1e5 products here .001 would differ on another machine.
    asked = case(kind, pairing, ITEMS)
    together = asked.features()
    rng = np.random.default_rng(3)
    companies = [[row] for row in range(0, 200, 9)]
    companies += [[3, row] for row in range(0, 200, 17)]
    companies += [list(range(size)) for size in (7, 33, 64, 199)]
    companies += [list(reversed(range(200))), rng.permutation(200).tolist()]
    for rows in companies:
        np.testing.assert_array_equal(asked.features(rows), together[rows])


def test_an_item_has_the_same_card_in_whatever_company() -> None:
    together = ITEMS.cards(WIDE)
    for rows in ([0], [199], [5, 0], list(range(31)), list(reversed(range(200)))):
        part = WIDE.cards(ITEMS.vectors[rows], [ITEMS.attributes[row] for row in rows], ITEMS.born[rows])
        np.testing.assert_array_equal(part, together[rows])
        np.testing.assert_array_equal(WIDE.project(ITEMS.vectors[rows]), WIDE.project(ITEMS.vectors)[rows])


def test_pairing_twice_gives_the_same_bits_and_changes_nothing() -> None:
    asked = case("all", WIDE, ITEMS)
    cards = asked.shown.cards.copy()
    assert asked.features().tobytes() == asked.features().tobytes()
    np.testing.assert_array_equal(asked.shown.cards, cards)


def oddities() -> dict[str, Catalogue]:
    """Catalogues at the edge: each must fit, and give finite features."""
    many = catalogue(30)
    zeros = np.zeros_like(many.vectors)
    same = np.repeat(many.vectors[:1], 30, axis=0)
    alone = replace(catalogue(2), vectors=many.vectors[:1], attributes=[{}], born=np.array([NOW]))
    nothing_known = [{} for _ in range(30)]
    wrong = [{"price": value} for value in (float("nan"), float("inf"), 10**400, -1e300, None, "dear") * 5]
    crowded = [{"tag": [f"t{row}-{j}" for j in range(9)], "a": row, "b": -row} for row in range(30)]
    return {
        "one item": alone,
        "zero vectors": replace(many, vectors=zeros),
        "equal vectors": replace(many, vectors=same),
        "two distinct vectors": replace(many, vectors=np.repeat(many.vectors[:2], 15, axis=0)),
        "no attributes": replace(many, attributes=nothing_known),
        "attributes that are no numbers": replace(many, attributes=wrong),
        "more values than columns": replace(many, attributes=crowded),
        "no dates": replace(many, born=np.full(30, np.nan)),
        "one date for all": replace(many, born=np.full(30, 1.7e9 + 1e-3)),
        "dates to come": replace(many, born=np.full(30, NOW + 1e9)),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", oddities())
def test_features_are_finite_and_of_the_layouts_width(kind: str, name: str) -> None:
    items = oddities()[name]
    pairing = items.fit()
    asked = case(kind, pairing, items)
    features = asked.features()
    assert (
        features.shape == (len(items.vectors), pairing.layout.dim) == (len(items.vectors), pairing.space.dim)
    )
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.isfinite(asked.shown.cards).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_items_give_no_rows(kind: str) -> None:
    assert case(kind, PAIRING, ITEMS).features([]).shape == (0, PAIRING.layout.dim)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.lists(st.one_of(st.text(max_size=3), st.integers()), max_size=4),
)
FREE = st.dictionaries(st.sampled_from(["genre", "price", "new", "x", "ü"]), VALUES, max_size=4)


@settings(max_examples=60, deadline=None)
@given(attributes=st.lists(FREE, min_size=1, max_size=6), asked=FREE, size=st.integers(0, 12))
def test_whatever_attributes_say_features_are_finite(
    attributes: list[dict[str, Any]], asked: dict[str, Any], size: int
) -> None:
    n = len(attributes)
    items = Catalogue(ITEMS.vectors[:n], attributes, ITEMS.born[:n])
    pairing = items.fit(replace(SMALL, attributes=size))
    some = case("all", pairing, items)
    features = replace(some, asked=replace(some.asked, attributes=asked)).features()
    assert features.shape == (n, pairing.layout.dim)
    assert np.isfinite(features).all()


def test_an_empty_catalogue_is_refused() -> None:
    with pytest.raises(InputError, match="0 items: load a catalogue first"):
        Catalogue(ITEMS.vectors[:0], [], ITEMS.born[:0]).fit()


def test_an_item_of_the_day_after_is_not_all_date() -> None:
    # Without dates of publication a whole catalogue is first seen at one moment, whose deviation is 0, or 2e-7 by
    # rounding. An item of the next day must not stand 86,400 deviations away, or a taste is all about its date.
    items = replace(catalogue(30), born=np.full(30, 1.7e9 + 1e-3))
    pairing = items.fit()
    cards = pairing.cards(items.vectors[:2], items.attributes[:2], np.array([1.7e9, 1.7e9 + 86_400.0]))
    assert abs(cards[0, -1]) < 1e-3
    assert 0.0 < cards[1, -1] <= 3.0
    late = pairing.cards(items.vectors[:1], items.attributes[:1], np.array([2.2e9]))
    assert late[0, -1] == 3.0  # clipped


# The way back


def through_a_file(pairing: Pairing, layout: PairingSettings) -> Pairing:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **pairing.state())
    file.seek(0)
    with np.load(file, allow_pickle=False) as found:
        return Pairing.restored(layout, dict(found), pairing.encoder)


@pytest.mark.parametrize("name", ["full", *oddities()])
def test_a_restored_pairing_is_the_same_to_the_last_bit(name: str) -> None:
    items = ITEMS if name == "full" else oddities()[name]
    pairing = items.fit()
    again = through_a_file(pairing, SMALL)
    assert again.space == pairing.space
    assert again.layout.slices == pairing.layout.slices
    assert again.code.names == pairing.code.names
    for kind in KINDS:
        assert (
            case(kind, again, items).features().tobytes() == case(kind, pairing, items).features().tobytes()
        )


def test_fitting_twice_gives_one_space() -> None:
    assert ITEMS.fit().space == PAIRING.space
    assert PAIRING.space.name == "pairing"
    assert PAIRING.space.dim == PAIRING.layout.dim


def test_anything_fitted_is_part_of_the_space() -> None:
    turned = ITEMS.vectors.copy()
    turned[0] = -turned[0]
    renamed = [{**item, "genre": ["other"]} for item in ITEMS.attributes]
    dearer = [{**item, "price": item["price"] * 2} for item in ITEMS.attributes]
    spaces = [
        PAIRING.space,
        replace(ITEMS, vectors=turned).fit().space,
        replace(ITEMS, attributes=renamed).fit().space,
        replace(ITEMS, attributes=dearer).fit().space,
        replace(ITEMS, born=ITEMS.born + 86_400.0).fit().space,
        replace(ITEMS, born=ITEMS.born * 0.9).fit().space,
    ]
    others = (FeatureSpace("toy", "2", WIDTH), FeatureSpace("other", "1", WIDTH))
    spaces += [Pairing.restored(SMALL, PAIRING.state(), encoder).space for encoder in others]
    assert Pairing.restored(SMALL, PAIRING.state(), ENCODER).space == spaces[0]
    assert len(set(spaces)) == len(spaces)


@pytest.mark.parametrize(
    "changed",
    [
        {"item": 5, "crosses": 8},
        {"product": 5, "crosses": 6},
        {"crosses": 5, "request": 5},
        {"item": 5, "request": 4},
        {"attributes": 9, "request": 4},
    ],
)
def test_blocks_of_other_sizes_are_another_space_though_the_width_is_the_same(
    changed: dict[str, int],
) -> None:
    other = ITEMS.fit(replace(SMALL, **changed))
    assert other.layout.dim == PAIRING.layout.dim
    assert other.space != PAIRING.space


# What a request is about


def test_a_told_history_counts_instead_of_the_past() -> None:
    cards = ITEMS.cards(PAIRING)
    told = PAIRING.outlook(Asked(at=NOW, history=cards[:2]), cards[5:7])
    past = PAIRING.outlook(Asked(at=NOW), cards[5:7])
    alone = PAIRING.outlook(Asked(at=NOW, history=cards[:2]), cards[:0])
    assert told.history is not None
    assert alone.history is not None
    assert past.history is not None
    np.testing.assert_array_equal(told.history, alone.history)
    assert np.abs(told.history - past.history).max() > 0.1


def test_an_empty_told_history_means_that_there_is_none() -> None:
    cards = ITEMS.cards(PAIRING)
    outlook = PAIRING.outlook(Asked(at=NOW, history=cards[:0]), cards[5:7])
    assert outlook.history is None
    assert outlook.focus is None


def test_the_text_is_in_focus_before_the_history() -> None:
    cards = ITEMS.cards(PAIRING)
    vector = unit(np.ones((1, WIDTH)))[0]
    outlook = PAIRING.outlook(Asked(at=NOW, vector=vector, history=cards[:2]), cards[:0])
    assert outlook.focus is not None
    assert outlook.history is not None
    np.testing.assert_array_equal(outlook.focus, PAIRING.project(vector[None, :])[0])
    alone = PAIRING.outlook(Asked(at=NOW, history=cards[:2]), cards[:0])
    assert alone.focus is not None
    np.testing.assert_array_equal(alone.focus, outlook.history)


def test_a_stranger_without_a_request_sees_no_trace_of_one() -> None:
    asked = case("nothing", PAIRING, ITEMS)
    slices = PAIRING.layout.slices
    features = asked.features()
    for name in (
        "request x item text",
        "request x item attributes",
        "request attributes",
        "taste",
        "taste x certainty",
        "similar to request",
        "similar to history",
        "user so far",
    ):
        assert not features[:, slices[name]].any(), name


def test_an_item_of_unknown_age_has_the_features_of_a_new_one() -> None:
    cards = ITEMS.cards(PAIRING)[:1].repeat(2, axis=0)
    shown = Shown(cards, np.array([np.nan, NOW]))
    experience = experience_of(2)
    asked = Asked(at=NOW)
    rows = PAIRING.pair(
        asked,
        PAIRING.outlook(asked, cards[:0]),
        shown,
        replace(
            experience,
            item_means=np.zeros(2),
            item_counts=np.zeros(2),
            item_asked=np.zeros(2),
            item_asked_lately=np.zeros(2),
            item_company=np.zeros(2),
        ),
        cards[:0],
        similarity=None,
    )
    np.testing.assert_array_equal(rows[0], rows[1])
