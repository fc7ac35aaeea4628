"""The gate alone: equal policies are not told apart, better ones pass, worse ones go back, and every term is unbiased."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import ConfigurationError, Floats, InputError
from equipoise.evaluation.gate import SHADOW, Rules, Stage, Step, shadow_terms, traffic_terms
from equipoise.evaluation.intervals import ConfidenceSequence

GATES = 1_000
RULES = Rules(look_growth=1.5, least=50)
"""Looked at less often than in an engine, so that a thousand gates take seconds; more looks are as valid."""

INCUMBENT = np.array([0.5, 0.2, 0.2, 0.1])
CHALLENGER = np.array([0.1, 0.2, 0.3, 0.4])
"""Probabilities of four actions: two policies that do quite different things."""


def outcome(rng: np.random.Generator, policy: Floats, pays: Floats, n: int) -> tuple[Floats, Floats]:
    """n actions of a policy and their rewards, 0 or 1."""
    actions = rng.choice(len(policy), size=n, p=policy)
    return actions, (rng.random(n) < pays[actions]).astype(np.float64)


def shadowed(rng: np.random.Generator, pays: Floats, n: int, rules: Rules = RULES) -> Step | None:
    actions, rewards = outcome(rng, INCUMBENT, pays, n)
    weights = (CHALLENGER / INCUMBENT)[actions]
    return Stage(rules, SHADOW).shadowed(rewards[:, None], weights[:, None])


def assigned(
    rng: np.random.Generator, pays: Floats, n: int, *, stage: int, baseline: float, rules: Rules = RULES
) -> Step | None:
    challenger = rng.random(n) < rules.share(stage)
    ours, theirs = outcome(rng, CHALLENGER, pays, n)[1], outcome(rng, INCUMBENT, pays, n)[1]
    return Stage(rules, stage, baseline=baseline).assigned(np.where(challenger, ours, theirs), challenger)


def gate(rng: np.random.Generator, pays: Floats, n: int, rules: Rules = RULES) -> str:
    """All stages, at most n decisions each: `promoted`, `rolled back`, or `waits`."""
    step, earned = shadowed(rng, pays, n, rules), 0.5
    for stage in range(1, rules.stages):
        if step is None or step.verdict != "advance":
            break
        earned = step.earned
        step = assigned(rng, pays, n, stage=stage, baseline=earned, rules=rules)
    if step is None:
        return "waits"
    return "promoted" if step.verdict == "advance" else "rolled back"


EQUAL = np.full(4, 0.3)
"""What each action pays: whoever chooses earns .3, so the two policies are equal."""

ALLOWED = 39
"""A false step has probability at most (1 - .95) / 2 = 2.5 %. Of 1,000 gates 25 are then expected at the very most,
and more than 39 come with probability .003 (binomial)."""


@pytest.mark.parametrize("stage", [1, 2])
def test_a_against_a_is_not_told_apart(stage: int) -> None:
    """1,000 gates that begin at a share of the traffic, 1,000 decisions each: neither passed nor rolled back."""
    found = {"advance": 0, "roll_back": 0}
    for number in range(GATES):
        step = assigned(np.random.default_rng([stage, number]), EQUAL, 1_000, stage=stage, baseline=0.3)
        if step is not None:
            found[step.verdict] += 1
    assert max(found.values()) <= ALLOWED


def test_a_against_a_whole_gates_promote_nobody() -> None:
    """1,000 gates from the shadow on, where three stages must err one after the other: (2.5 %)^3, .016 in 1,000."""
    ends = [gate(np.random.default_rng([7, number]), EQUAL, 1_000) for number in range(GATES)]
    assert ends.count("promoted") == 0
    assert ends.count("rolled back") <= ALLOWED
    assert ends.count("waits") >= GATES - ALLOWED


def test_a_policy_against_itself_stays_in_the_shadow_for_ever() -> None:
    """All weights are 1, so all terms are 0 and the bounds close in on 0 from both sides without ever passing it."""
    rng = np.random.default_rng(3)
    stage = Stage(RULES, SHADOW)
    rewards = (rng.random((5_000, 1)) < 0.3).astype(np.float64)
    assert stage.shadowed(rewards, np.ones((5_000, 1))) is None
    step = stage.step()
    assert step.low <= 0.0 <= step.high
    assert step.difference == 0.0
    assert step.high - step.low < 0.1


def test_a_better_challenger_is_promoted_and_a_worse_one_rolled_back() -> None:
    """Its favourite pays .8 against .2 for the incumbent's: it earns .5 against .32."""
    better, worse = np.array([0.2, 0.2, 0.2, 0.8]), np.array([0.8, 0.8, 0.8, 0.2])
    assert [gate(np.random.default_rng(seed), better, 20_000) for seed in range(20)] == ["promoted"] * 20
    assert [gate(np.random.default_rng(seed), worse, 20_000) for seed in range(20)] == ["rolled back"] * 20


def test_a_challenger_better_by_less_than_the_margin_is_rolled_back() -> None:
    """Better by .18 in truth, where .4 were asked for."""
    better, asked = np.array([0.2, 0.2, 0.2, 0.8]), replace(RULES, margin=0.4)
    assert {gate(np.random.default_rng(seed), better, 20_000, asked) for seed in range(10)} == {"rolled back"}


def test_a_worse_challenger_passes_where_the_loss_is_tolerated() -> None:
    """Both earn .3, and a margin of -.2 lets anything pass that loses less."""
    tolerant = replace(RULES, margin=-0.2)
    assert {gate(np.random.default_rng(seed), EQUAL, 20_000, tolerant) for seed in range(10)} == {"promoted"}


def test_the_shadow_may_have_a_margin_of_its_own() -> None:
    """Equal policies pass a shadow that tolerates .2, and then wait at the share, where the margin is 0."""
    rules = replace(RULES, shadow_margin=-0.2)
    step = shadowed(np.random.default_rng(1), EQUAL, 2_000, rules)
    assert step is not None and step.verdict == "advance"
    assert assigned(np.random.default_rng(1), EQUAL, 1_000, stage=1, baseline=0.3, rules=rules) is None


@given(clip=st.floats(1.0, 8.0), pays=st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
def test_shadow_terms_enclose_the_difference_whatever_is_clipped(clip: float, pays: list[float]) -> None:
    """By the exact sum over the four actions; with nothing clipped (the largest weight is 4) both are the difference."""
    rules, worth = replace(RULES, clip=clip), np.array(pays)
    truth = float((CHALLENGER - INCUMBENT) @ worth)
    terms = shadow_terms(rules, worth[:, None], (CHALLENGER / INCUMBENT)[:, None])
    low, high = float(INCUMBENT @ terms.below), float(INCUMBENT @ terms.above)
    assert low <= truth + 1e-12
    assert high >= truth - 1e-12
    if clip >= 4.0:
        assert low == pytest.approx(truth, abs=1e-12)
        assert high == pytest.approx(truth, abs=1e-12)


def test_shadow_terms_enclose_the_difference_where_the_incumbent_never_goes() -> None:
    """The incumbent never shows action 1, which pays 1 or 0; the challenger always does. Truth: 1 - .5 or 0 - .5."""
    for pay in (0.0, 1.0):
        terms = shadow_terms(
            RULES, np.array([[0.5]]), np.array([[0.0]])
        )  # all that is ever seen: action 0, weight 0
        assert terms.below[0] <= pay - 0.5 <= terms.above[0]


@given(share=st.floats(0.05, 0.95), baseline=st.floats(0.0, 1.0), ours=st.floats(0.0, 1.0))
def test_traffic_terms_are_unbiased_for_any_baseline(share: float, baseline: float, ours: float) -> None:
    """Over the coin: share x (term of the challenger) + (1 - share) x (term of the incumbent) = ours - theirs."""
    theirs = 0.25
    terms = traffic_terms(RULES, share, baseline, np.array([ours, theirs]), np.array([True, False]))
    assert share * terms.below[0] + (1.0 - share) * terms.below[1] == pytest.approx(ours - theirs, abs=1e-9)


@given(
    rewards=st.lists(st.floats(-1.0, 2.0), min_size=1, max_size=30),
    stage=st.sampled_from([SHADOW, 1, 2]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=50)
def test_no_term_leaves_its_range(rewards: list[float], stage: int, seed: int) -> None:
    rules = Rules(low=-1.0, high=2.0, clip=3.0)
    rng, made = np.random.default_rng(seed), Stage(rules, stage, baseline=float(rewards[0]))
    values = np.array(rewards)
    if stage == SHADOW:
        made.shadowed(values[:, None], rng.uniform(0.0, 9.0, size=(len(values), 1)))
    else:
        made.assigned(values, rng.random(len(values)) < made.share)
    step = made.step()
    assert step.n == len(rewards)
    assert np.isfinite([step.low, step.high]).all()
    if stage != SHADOW:  # these weights have no mean of 1, so a shadow's two sides need not enclose anything
        assert step.low <= step.high
    assert step.earned == pytest.approx(values.mean(), abs=1e-12)


@given(cuts=st.lists(st.integers(1, 400), min_size=1, max_size=6), seed=st.integers(0, 50))
@settings(max_examples=30)
def test_how_outcomes_are_handed_over_changes_nothing(cuts: list[int], seed: int) -> None:
    """One by one, in batches or all at once: the same step after the same decision, as a rebuild by replay needs."""
    rng = np.random.default_rng(seed)
    challenger = rng.random(2_000) < 0.5
    rewards = np.where(challenger, rng.random(2_000) < 0.6, rng.random(2_000) < 0.3).astype(np.float64)
    whole = Stage(RULES, 2, baseline=0.4).assigned(rewards, challenger)
    pieces, start, found = Stage(RULES, 2, baseline=0.4), 0, None
    for size in (*cuts, 2_000):
        found = pieces.assigned(rewards[start : start + size], challenger[start : start + size])
        start += size
        if found is not None or start >= 2_000:
            break
    assert whole is not None and found is not None
    assert whole == found  # to the last bit


@pytest.mark.parametrize("cut", [1, 99, 100, 101, 357])
def test_a_stage_goes_on_from_its_state_as_if_it_had_never_stopped(cut: int) -> None:
    """Also from between two looks, when what waits is not in the sums yet."""
    rng = np.random.default_rng(4)
    rewards, challenger = rng.random(900), rng.random(900) < 0.5
    whole, first = (Stage(replace(RULES, level=0.999), 2, baseline=0.3) for _ in range(2))
    whole.assigned(rewards, challenger)
    first.assigned(rewards[:cut], challenger[:cut])
    second = Stage(replace(RULES, level=0.999), 2, baseline=0.3)
    second.restore(first.state())
    assert second.step() == first.step()
    second.assigned(rewards[cut:], challenger[cut:])
    assert second.step() == whole.step()
    assert all(np.array_equal(second.state()[name], array) for name, array in whole.state().items())


def test_a_state_of_other_rules_is_refused() -> None:
    stage = Stage(RULES, 2, baseline=0.3)
    with pytest.raises(InputError, match="make it with the same settings"):
        stage.restore(Stage(replace(RULES, level=0.8), 2, baseline=0.3).state())


def test_no_stage_ends_before_its_least_decisions() -> None:
    rules = replace(RULES, least=400)
    step = assigned(
        np.random.default_rng(1), np.array([0.0, 0.0, 0.0, 1.0]), 2_000, stage=2, baseline=0.3, rules=rules
    )
    assert step is not None and step.n >= 400


def test_a_step_by_hand() -> None:
    """Two decisions at a half each, baseline .25: the challenger's earned 1, the incumbent's 0.

    Terms: (1 - .25) / .5 = 1.5 and -(0 - .25) / .5 = .5; their mean is 1, and 1 is the difference that was seen.
    """
    stage = Stage(RULES, 2, baseline=0.25)
    assert stage.assigned(np.array([1.0, 0.0]), np.array([True, False])) is None
    step = stage.step()
    assert (step.difference, step.earned, step.n) == (1.0, 0.5, 2)


@given(
    values=st.lists(st.floats(-2.0, 3.0), min_size=1, max_size=60),
    threshold=st.floats(-2.5, 3.5),
    repeat=st.integers(1, 40),
)
@settings(max_examples=60)
def test_beyond_is_the_interval_compared(values: list[float], threshold: float, repeat: int) -> None:
    sequence = ConfidenceSequence(0.9, -2.0, 3.0)
    sequence.observe(np.repeat(np.array(values), repeat))
    low, high = sequence.interval()
    if min(abs(threshold - low), abs(threshold - high)) > 1e-6:
        assert sequence.beyond(threshold) == int(threshold < low) - int(threshold > high)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"shares": ()}, "must rise between 0 and 1"),
        ({"shares": (0.5, 0.1)}, "must rise between 0 and 1"),
        ({"shares": (0.5, 1.0)}, "must rise between 0 and 1"),
        ({"level": 1.0}, "level is 1.0 but must lie between 0 and 1"),
        ({"margin": float("nan")}, "margin is nan but must be a finite number"),
        ({"shadow_margin": float("inf")}, "shadow_margin is inf but must be a finite number"),
        ({"least": 0}, "least is 0 but must be 1 or more"),
        ({"clip": 0.5}, "clip is 0.5 but must be 1 or more"),
        ({"low": 1.0}, "rewards go from 1.0 to 1.0"),
        ({"look_growth": 0.9}, "look_growth is 0.9 but must be 1 or more"),
    ],
)
def test_rules_that_cannot_be_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        replace(RULES, **wrong)
