"""The dice: what they may choose, what they say of it, and that they fall as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from equipoise.core import InputError, PropensityError
from equipoise.policies import build, draw
from equipoise.policies.draw import MANY, pick
from equipoise.policies.registry import EXPLORERS

weights = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=30).filter(lambda values: sum(values) > 1e-3)


def normalised(values):
    array = np.array(values)
    return array / array.sum()


@given(values=weights, seed=st.integers(0, 2**32 - 1), share=st.floats(0.0, 1.0))
def test_positions_are_distinct_and_possible(values, seed, share):
    odds = normalised(values)
    m = max(1, round(share * np.count_nonzero(odds)))
    choice = draw(odds, m, np.random.default_rng(seed))
    assert len(set(choice.positions.tolist())) == m
    assert (odds[choice.positions] > 0.0).all()
    assert (choice.propensities > 0.0).all()
    assert (choice.propensities <= 1.0).all()


@given(values=weights, seed=st.integers(0, 2**32 - 1))
def test_propensities_are_conditional(values, seed):
    odds = normalised(values)
    m = np.count_nonzero(odds)
    choice = draw(odds, m, np.random.default_rng(seed))
    left = odds.copy()
    for position, propensity in zip(choice.positions, choice.propensities, strict=True):
        assert propensity == pytest.approx(left[position] / left.sum(), rel=1e-12)
        left[position] = 0.0
    assert choice.propensities[-1] == 1.0


@given(values=weights, uniform=st.sampled_from([0.0, 0.5, 1.0 - 2.0**-53]))
def test_impossible_is_never_picked_at_the_ends_of_the_dice(values, uniform):
    odds = normalised(values)
    assert odds[pick(odds, uniform)] > 0.0


def test_by_hand():
    # Sums .5, .5, .8, 1: uniform .5 is the first beyond .5, so position 2 (position 1 has probability 0).
    odds = np.array([0.5, 0.0, 0.3, 0.2])
    assert [pick(odds, u) for u in (0.0, 0.49, 0.5, 0.79, 0.8, 0.99)] == [0, 0, 2, 2, 3, 3]


@given(
    k=st.integers(MANY - 1, 3 * MANY),
    zeros=st.integers(0, 250),
    seed=st.integers(0, 99),
    uniform=st.floats(0.0, 1.0 - 2.0**-53),
)
def test_many_odds_are_added_up_in_blocks_to_the_same_position(k, zeros, seed, uniform):
    """Whole numbers of 2^-40, whose sums are exact, so that a running sum in one go must say the very same."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 2**25, k)
    counts[rng.permutation(k)[:zeros]] = 0
    counts[rng.integers(k)] += 2**40 - counts.sum()
    odds = counts / 2**40
    assert pick(odds, uniform) == int(np.searchsorted(np.cumsum(odds), uniform, side="right"))


def test_the_end_of_the_dice_falls_on_the_last_possible_of_many():
    odds = np.zeros(MANY + 600)
    odds[[3, 130]] = 0.5
    assert [pick(odds, u) for u in (0.0, 0.4999, 0.5, 1.0 - 2.0**-53)] == [3, 3, 130, 130]


def test_one_uniform_number_a_slot():
    odds, dice, twin = np.full(5, 0.2), np.random.default_rng(1), np.random.default_rng(1)
    draw(odds, 3, dice)
    twin.random(3)
    assert dice.random() == twin.random()


def test_taken_positions_are_gone():
    # Without position 0 the others' .3 and .2 become .6 and .4.
    odds = np.array([0.5, 0.3, 0.2])
    choice = draw(odds, 2, np.random.default_rng(0), taken=[0])
    assert sorted(choice.positions.tolist()) == [1, 2]
    assert choice.propensities.tolist() == pytest.approx(
        [0.6, 1.0] if choice.positions[0] == 1 else [0.4, 1.0]
    )


def test_tiny_probabilities_keep_their_digits():
    # 1 - (1 - 3e-17) is 0 in float64; the sum of what is left is not.
    odds = np.array([1.0, 1e-17, 2e-17])
    choice = draw(odds, 2, np.random.default_rng(0), taken=[0])
    assert choice.propensities[0] == pytest.approx(1 / 3 if choice.positions[0] == 1 else 2 / 3, rel=1e-12)


@pytest.mark.parametrize(("m", "words"), [(0, "slots is 0"), (-1, "1 or more"), (4, "4 slots but only 3")])
def test_impossible_numbers_of_slots_are_refused(m, words):
    with pytest.raises(InputError, match=words):
        draw(np.full(3, 1 / 3), m, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("odds", "words"),
    [
        ([0.5, 0.6], "sum to 1.1"),
        ([1.5, -0.5], "least is -0.5"),
        ([np.nan, 1.0], "least is nan"),
        ([np.inf, 0.0], "sum to inf"),
        ([], "missing"),
        ([[1.0]], "shape"),
    ],
)
def test_what_is_no_distribution_is_refused(odds, words):
    with pytest.raises(PropensityError, match=words):
        draw(np.array(odds), 1, np.random.default_rng(0))


def test_more_slots_than_possible_candidates_are_refused():
    with pytest.raises(PropensityError, match="only 1 of 3 have one, so ask for fewer slots or give"):
        draw(np.array([0.0, 1.0, 0.0]), 2, np.random.default_rng(0))


THROWS = 5_000


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_policys_dice_fall_as_its_distribution_says(name, space, batch, candidates):
    """Chi-square on 5,000 throws of slot 0; refused below p = 1e-6: one false alarm in a million."""
    policy = build(name, space, floor=0.02)
    policy.update(batch(60))
    odds = policy.distribution(candidates(8), np.random.default_rng(5))
    dice = np.random.default_rng(17)
    counts = np.bincount([draw(odds, 1, dice).positions[0] for _ in range(THROWS)], minlength=8)
    assert stats.chisquare(counts, THROWS * odds).pvalue > 1e-6


@pytest.mark.parametrize("diversity", [None, "mmr", "dpp"])
@pytest.mark.parametrize("name", EXPLORERS)
def test_every_slates_dice_fall_as_their_propensities_say(name, diversity, space, batch, candidates):
    """1,500 slates of 3 from 5 candidates: in slot 1, and in slot 2, each candidate comes as often as the
    propensities that were logged add up to; |z| < 5 for 10 numbers, one false alarm in 170,000.
    """
    policy = build(name, space, floor=0.03, diversity=diversity)
    policy.update(batch(60))
    slate = policy.slate(candidates(5), np.random.default_rng(5))
    cache: dict[tuple[int, ...], np.ndarray] = {}

    class Remembering:
        def given(self, above):
            key = tuple(above)
            if key not in cache:
                cache[key] = slate.given(above)
            return cache[key]

    dice = np.random.default_rng(23)
    surprise, variance = np.zeros((3, 5)), np.zeros((3, 5))
    for _ in range(1_500):
        choice = draw(Remembering(), 3, dice)
        for slot in range(3):
            odds = cache[tuple(choice.positions[:slot].tolist())]
            assert choice.propensities[slot] == odds[choice.positions[slot]]
            surprise[slot] -= odds
            surprise[slot, choice.positions[slot]] += 1.0
            variance[slot] += odds * (1.0 - odds)
    assert (np.abs(surprise) <= 5.0 * np.sqrt(variance)).all()
