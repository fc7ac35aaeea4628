"""Each explorer's formula, by numbers that can be checked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import Batch, ConfigurationError, FeatureSpace, InputError
from equipoise.policies.base import Belief
from equipoise.policies.explorers import (
    EpsilonGreedy,
    FastCB,
    Greedy,
    RegCB,
    Softmax,
    SoftmaxSettings,
    SquareCB,
    Thompson,
    TopTwo,
    Uniform,
    UpperConfidence,
)

SPACE = FeatureSpace("toy", "1", 1)
STATELESS = [Uniform, Greedy, EpsilonGreedy, UpperConfidence, Thompson, SquareCB, FastCB, RegCB, TopTwo]


def belief(mean, *, spread=None, samples=None, rows=100, similarity=None):
    mean = np.array(mean, dtype=np.float64)
    return Belief(
        item_ids=tuple(f"i{i}" for i in range(len(mean))),
        mean=mean,
        spread=None if spread is None else np.array(spread, dtype=np.float64),
        samples=None if samples is None else np.array(samples, dtype=np.float32),
        rows=rows,
        similarity=None if similarity is None else np.array(similarity, dtype=np.float64),
    )


@st.composite
def beliefs(draw):
    """Beliefs with many ties, and the candidates that are in play."""
    k = draw(st.integers(1, 8))
    value = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.5, 1.0, 2.0])
    mean = draw(st.lists(value, min_size=k, max_size=k))
    samples = draw(st.lists(st.lists(value, min_size=k, max_size=k), min_size=1, max_size=6))
    available = draw(st.lists(st.booleans(), min_size=k, max_size=k).filter(any))
    rows = draw(st.sampled_from([0, 1, 10_000]))
    spread = np.abs(mean) + 0.1
    return belief(mean, spread=spread, samples=samples, rows=rows), np.array(available)


@pytest.mark.parametrize("explorer", [kind() for kind in STATELESS] + [Softmax()], ids=lambda one: one.name)
@settings(max_examples=40)
@given(case=beliefs())
def test_odds_are_a_distribution_over_what_is_in_play(explorer, case):
    known, available = case
    odds = explorer.distribution(known, available)
    assert (odds >= 0.0).all()
    assert (odds[~available] == 0.0).all()
    assert abs(odds.sum() - 1.0) < 1e-9


@pytest.mark.parametrize("explorer", [kind() for kind in STATELESS] + [Softmax()], ids=lambda one: one.name)
@settings(max_examples=40)
@given(case=beliefs(), seed=st.integers(0, 1000))
def test_odds_do_not_depend_on_positions(explorer, case, seed):
    known, available = case
    order = np.random.default_rng(seed).permutation(len(known))
    turned = replace(
        known,
        item_ids=tuple(known.item_ids[at] for at in order),
        mean=known.mean[order],
        spread=known.spread[order],
        samples=known.samples[:, order],
    )
    expected = explorer.distribution(known, available)[order]
    np.testing.assert_allclose(explorer.distribution(turned, available[order]), expected, atol=1e-9)


def test_greedy_splits_ties():
    assert Greedy().distribution(belief([0.5, 0.2, 0.5])).tolist() == [0.5, 0.0, 0.5]


def test_epsilon_greedy_by_hand():
    # .3 shared by three, and .7 on the best: .1, .8, .1.
    odds = EpsilonGreedy(epsilon=0.3).distribution(belief([0.0, 0.5, 0.4]))
    np.testing.assert_allclose(odds, [0.1, 0.8, 0.1])


def test_ucb_by_hand():
    # .5 + 2 x .1 = .7 loses to .4 + 2 x .2 = .8.
    odds = UpperConfidence(width=2.0).distribution(belief([0.5, 0.4], spread=[0.1, 0.2]))
    assert odds.tolist() == [0.0, 1.0]


def test_thompson_counts_draws():
    # Four draws, won by 0, 0, 1 and, tied, half by 1 and half by 2.
    samples = [[3, 1, 0], [2, 1, 0], [0, 1, 0], [0, 4, 4]]
    odds = Thompson().distribution(belief([0, 0, 0], samples=samples))
    np.testing.assert_allclose(odds, [2 / 4, 1.5 / 4, 0.5 / 4])


def test_thompson_among_those_left():
    # Without candidate 0 the first draw goes to 1, the second is tied.
    odds = Thompson().distribution(
        belief([0, 0, 0], samples=[[9, 2, 1], [9, 1, 1]]), np.array([False, True, True])
    )
    np.testing.assert_allclose(odds, [0.0, 0.75, 0.25])


def test_top_two_by_hand():
    # Draws won by 0, 0, 1 with seconds 1, 2, 0: f = (2/3, 1/3, 0). The challenger of leader 0 is 1 or 2 or 1 in
    # the three draws, that of leader 1 is 0, 0, 0. So with beta = .5
    #   p0 = .5 x 2/3 + .5 x 1/3 x 1   = 1/2
    #   p1 = .5 x 1/3 + .5 x 2/3 x 2/3 = 7/18
    #   p2 = .5 x 2/3 x 1/3            = 1/9
    samples = [[3, 2, 1], [3, 1, 2], [2, 3, 1]]
    odds = TopTwo(beta=0.5).distribution(belief([0, 0, 0], samples=samples))
    np.testing.assert_allclose(odds, [1 / 2, 7 / 18, 1 / 9], rtol=1e-6)


@given(case=beliefs())
def test_top_two_equals_its_definition(case):
    known, available = case
    lead = Thompson().distribution(known, available)
    if available.sum() == 1:
        expected = lead
    else:
        expected = 0.5 * lead
        for leader in np.flatnonzero(lead):
            others = available.copy()
            others[leader] = False
            expected = expected + 0.5 * lead[leader] * Thompson().distribution(known, others)
    np.testing.assert_allclose(TopTwo(beta=0.5).distribution(known, available), expected, atol=1e-6)


def test_top_two_keeps_exploring_when_one_wins_all_draws():
    odds = TopTwo(beta=0.5).distribution(belief([0, 0], samples=[[2, 1]] * 5))
    assert odds.tolist() == [0.5, 0.5]


def test_squarecb_by_hand():
    # k = 3, n = 75: sqrt(k n) = 15, gamma = 2 x 15 = 30. Gaps .1 and .2: 1 / (3 + 3) and 1 / (3 + 6).
    odds = SquareCB(gamma=2.0).distribution(belief([0.5, 0.4, 0.3], rows=75))
    np.testing.assert_allclose(odds, [1 - 1 / 6 - 1 / 9, 1 / 6, 1 / 9])


def test_fastcb_by_hand():
    # As above with losses .5, .6 and .7: .5 / (1.5 + 30 x .1) = 1/9 and .5 / (1.5 + 30 x .2) = 1/15.
    odds = FastCB(gamma=2.0).distribution(belief([0.5, 0.4, 0.3], rows=75))
    np.testing.assert_allclose(odds, [1 - 1 / 9 - 1 / 15, 1 / 9, 1 / 15])


@pytest.mark.parametrize("explorer", [SquareCB(), FastCB()], ids=lambda one: one.name)
def test_gap_explorers_begin_uniform_and_end_greedy(explorer):
    assert explorer.distribution(belief([0.5, 0.1], rows=0)).tolist() == [0.5, 0.5]
    assert explorer.distribution(belief([0.5, 0.1], rows=10**8))[0] > 0.999


def test_regcb_by_hand():
    # Bounds .5 -+ .1, .3 -+ .15 and .1 -+ .05: the best lower bound is .4, and .45 clears it, .15 does not.
    odds = RegCB(width=1.0).distribution(belief([0.5, 0.3, 0.1], spread=[0.1, 0.15, 0.05]))
    assert odds.tolist() == [0.5, 0.5, 0.0]


def settled(item_ids, rewards):
    n = len(item_ids)
    features, ones = np.ones((n, 1), dtype=np.float32), np.ones(n)
    return Batch(tuple(item_ids), (None,) * n, features, np.array(rewards, dtype=float), ones, SPACE)


def test_softmax_by_hand():
    # C = 2 on similarities 0 and .5: 1 / (1 + e) and e / (1 + e).
    odds = Softmax(SoftmaxSettings(sharpness=2.0)).distribution(belief([9, 0], similarity=[0.0, 0.5]))
    np.testing.assert_allclose(odds, [1 / (1 + math.e), math.e / (1 + math.e)])


def test_softmax_falls_back_on_the_mean():
    odds = Softmax(SoftmaxSettings(sharpness=2.0)).distribution(belief([0.0, 0.5]))
    np.testing.assert_allclose(odds, [1 / (1 + math.e), math.e / (1 + math.e)])


def test_item_values_by_hand():
    softmax = Softmax(SoftmaxSettings(associability=0.5, adaptation=0.2))
    # First row of a, reward 1: the running mean is now 1, where Q starts: no error, Q = 1, and alpha becomes
    # .5 + .2 (0 - .5) = .4. Second row, reward 0: Q = .4 x 0 + .6 x 1 = .6, alpha = .4 + .2 (1 - .4) = .52.
    # Third, reward 0: Q = .48 x .6 = .288.
    softmax.update(settled("a", [1]), np.zeros(1))
    assert softmax.value("a") == 1.0
    softmax.update(settled("a", [0]), np.zeros(1))
    assert softmax.value("a") == pytest.approx(0.6)
    softmax.update(settled("a", [0]), np.zeros(1))
    assert softmax.value("a") == pytest.approx(0.288)
    assert softmax.value("never shown") == pytest.approx(1 / 3)  # the mean of 1, 0 and 0


def test_sharpness_by_hand():
    softmax = Softmax(SoftmaxSettings(sharpness=5.0, rate=0.5, value_weight=0.0))
    # After reward 0 at s = 0, the second row, reward 1 at s = .4, is .4 and 1 above the means: C = 5 + .5 x .4.
    softmax.update(settled("ab", [0, 1]), np.array([0.0, 0.4]))
    assert softmax.sharpness == pytest.approx(5.2)


@pytest.mark.parametrize(("sign", "grows"), [(1.0, True), (-1.0, False)])
def test_sharpness_follows_whether_similarity_pays(sign, grows):
    rng = np.random.default_rng(3)
    softmax = Softmax(SoftmaxSettings(sharpness=3.0, value_weight=0.0))
    for _ in range(2_000):
        similarity = rng.uniform(-1.0, 1.0, 5)
        odds = softmax.distribution(belief(np.zeros(5), similarity=similarity))
        shown = rng.choice(5, p=odds)
        reward = float(rng.random() < 0.5 + 0.4 * sign * similarity[shown])
        softmax.update(settled([f"i{shown}"], [reward]), similarity[[shown]])
    assert (softmax.sharpness > 5.0) if grows else (softmax.sharpness < 1.0)


@pytest.mark.parametrize(
    ("kind", "setting", "value"),
    [
        (EpsilonGreedy, "epsilon", 1.5),
        (UpperConfidence, "width", -1.0),
        (Thompson, "draws", 0),
        (TopTwo, "beta", 2.0),
        (SquareCB, "gamma", -1.0),
        (FastCB, "gamma", math.nan),
        (RegCB, "width", -0.1),
        (SoftmaxSettings, "sharpness", 1e9),
    ],
)
def test_settings_out_of_range_are_refused(kind, setting, value):
    with pytest.raises(ConfigurationError, match=f"setting '{setting}' is {value!r} but must lie in"):
        kind(**{setting: value})


@pytest.mark.parametrize(
    "explorer", [Thompson(), TopTwo(), UpperConfidence(), RegCB()], ids=lambda one: one.name
)
def test_a_belief_that_lacks_what_is_needed_is_refused(explorer):
    with pytest.raises(InputError, match="ask the posterior"):
        explorer.distribution(belief([0.1, 0.2]))
