"""Where weights point: an inner product with an item's card says what the features say, up to a constant."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import Floats
from equipoise.encoders.pairing import Pairing, PairingSettings

from .worlds import KINDS, Case, case, catalogue

ITEMS = catalogue(80)
TEXT = ("item text", "request x item text", "similar to request", "similar to history")
LINEAR = (*TEXT, "item attributes", "item so far")
PAIRINGS = {
    "small": ITEMS.fit(),
    "product wider than item": ITEMS.fit(PairingSettings(3, 8, 10, 4, 2)),
    "more asked than there are axes": ITEMS.fit(PairingSettings()),  # 12 axes for 24 columns
    "no text columns": ITEMS.fit(PairingSettings(0, 0, 10, 4, 2)),
    "no attribute columns": ITEMS.fit(PairingSettings(6, 4, 0, 4, 2)),
}


def weights_on(pairing: Pairing, blocks: tuple[str, ...], *, seed: int = 0) -> Floats:
    """(d,) random weights on these blocks and 0 on all others."""
    rng = np.random.default_rng(seed)
    out = np.zeros(pairing.layout.dim)
    for name in blocks:
        cut = pairing.layout.slices[name]
        out[cut] = rng.normal(size=cut.stop - cut.start)
    return out


def score(asked: Case, weights: Floats) -> Floats:
    """(k,) what a linear policy of these weights makes of the features."""
    return np.asarray(asked.features().astype(np.float64) @ weights)


def assert_equal_up_to_a_constant(one: Floats, other: Floats) -> None:
    difference = one - other
    assert np.ptp(difference) < 1e-4
    assert np.ptp(one) > 1e-2  # there was something to tell apart


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PAIRINGS)
def test_a_direction_scores_items_as_their_features_do(kind: str, name: str) -> None:
    pairing = PAIRINGS[name]
    asked = case(kind, pairing, ITEMS)
    weights = weights_on(pairing, LINEAR)
    direction = pairing.direction(weights, asked.outlook)
    parts = asked.shown.cards @ direction.inner + direction.standing * asked.experience.item_means
    if asked.similarity is not None:
        parts = parts + direction.similarity * asked.similarity
    assert_equal_up_to_a_constant(score(asked, weights), parts)


@pytest.mark.parametrize("kind", ["text", "history", "past", "all"])
@pytest.mark.parametrize("block", LINEAR)
def test_each_part_alone(kind: str, block: str) -> None:
    pairing = PAIRINGS["small"]
    asked = case(kind, pairing, ITEMS)
    weights = weights_on(pairing, (block,))
    direction = pairing.direction(weights, asked.outlook)
    parts = {
        "similar to request": np.zeros(80)
        if asked.similarity is None
        else direction.similarity * asked.similarity,
        "item so far": direction.standing * asked.experience.item_means,
    }
    expected = parts.get(block, asked.shown.cards @ direction.inner)
    np.testing.assert_allclose(score(asked, weights), expected, atol=1e-5)
    others = {
        "similar to request": direction.similarity,
        "item so far": direction.standing,
    }
    others.pop(block, None)
    assert not any(others.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["small", "product wider than item", "more asked than there are axes"])
def test_unfolded_it_is_a_query_on_the_items_own_vectors(kind: str, name: str) -> None:
    pairing = PAIRINGS[name]
    asked = case(kind, pairing, ITEMS)
    weights = weights_on(pairing, TEXT)
    query = pairing.unfold(pairing.direction(weights, asked.outlook), asked.asked.vector)
    assert query.shape == ITEMS.vectors[0].shape
    assert query.dtype == np.float32
    assert_equal_up_to_a_constant(score(asked, weights), (ITEMS.vectors @ query).astype(np.float64))


def test_a_date_of_birth_is_no_direction() -> None:
    pairing = PAIRINGS["small"]
    asked = case("all", pairing, ITEMS)
    everything = weights_on(pairing, tuple(pairing.layout.slices))
    assert pairing.direction(everything, asked.outlook).inner[-1] == 0.0


def test_what_only_features_tell_moves_no_direction() -> None:
    pairing = PAIRINGS["small"]
    asked = case("all", pairing, ITEMS)
    rest = tuple(name for name in pairing.layout.slices if name not in LINEAR)
    direction = pairing.direction(weights_on(pairing, rest), asked.outlook)
    assert not direction.inner.any()
    assert direction.similarity == direction.standing == 0.0


def test_without_any_axis_only_the_rest_counts() -> None:
    vectors = np.repeat(ITEMS.vectors[:1], 80, axis=0)
    items = type(ITEMS)(vectors, ITEMS.attributes, ITEMS.born)
    pairing = items.fit()
    asked = case("all", pairing, items)
    weights = weights_on(pairing, LINEAR)
    direction = pairing.direction(weights, asked.outlook)
    assert asked.similarity is not None
    parts = asked.shown.cards @ direction.inner + direction.standing * asked.experience.item_means
    assert_equal_up_to_a_constant(score(asked, weights), parts + direction.similarity * asked.similarity)
    assert pairing.unfold(direction, None).tolist() == [0.0] * vectors.shape[1]
