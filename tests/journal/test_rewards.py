"""What feedback is worth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import ConfigurationError, Feedback, InputError
from equipoise.journal import RewardSpec

TABLE = {
    "impression": 0.0,
    "click": 1.0,
    "cart": 2.0,
    "like": 1,
    "dislike": -1.0,
    "dwell_seconds": {"weight": 0.5, "full": 60},
    "low": -1.0,
    "high": 4.0,
}
SPEC = RewardSpec.of(TABLE)


def told(kind: str, value: float = 1.0, at: float = 0.0) -> Feedback:
    return Feedback("d", slot=0, kind=kind, value=value, at=at)


feedbacks = st.lists(
    st.builds(told, st.sampled_from(SPEC.kinds), st.floats(0, 100), st.floats(0, 1e6)),
    unique_by=lambda one: one.at,
)


@given(feedbacks)
def test_a_reward_stays_in_its_range(some: list[Feedback]) -> None:
    assert SPEC.low <= SPEC.reward(some) <= SPEC.high


@given(feedbacks, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_bit(some: list[Feedback], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert SPEC.reward(shuffled) == SPEC.reward(some)


@given(feedbacks)
def test_telling_everything_twice_changes_nothing(some: list[Feedback]) -> None:
    assert SPEC.reward([*some, *some]) == SPEC.reward(some)


def test_no_feedback_is_worth_nothing() -> None:
    assert SPEC.reward([]) == 0.0


def test_a_sum_by_hand() -> None:
    # click 1 x 1 + dwell .5 x 30/60 = 1.25
    assert SPEC.reward([told("click"), told("dwell_seconds", 30.0)]) == 1.25
    # dwell is full at 60 s: .5 x 1 = .5
    assert SPEC.reward([told("dwell_seconds", 600.0)]) == 0.5
    # two in the cart, 2 x 2 = 4, and a click, 5, clipped to 4
    assert SPEC.reward([told("cart", 2.0), told("click")]) == 4.0
    # a dislike three times over, -3, clipped to -1
    assert SPEC.reward([told("dislike", 3.0)]) == -1.0


def test_a_maximum_by_hand() -> None:
    best = RewardSpec.of({**TABLE, "combine": "max"})
    # the greater of click 1 and cart 2
    assert best.reward([told("click"), told("cart")]) == 2.0
    assert best.reward([told("dislike")]) == -1.0


def test_the_later_value_of_a_kind_counts() -> None:
    # .5 x 12/60 = .1, whichever came first
    assert SPEC.reward([told("dwell_seconds", 60.0, at=1), told("dwell_seconds", 12.0, at=2)]) == 0.1
    assert SPEC.reward([told("dwell_seconds", 12.0, at=2), told("dwell_seconds", 60.0, at=1)]) == 0.1
    # at the same time, the later to arrive
    assert SPEC.reward([told("dwell_seconds", 60.0), told("dwell_seconds", 12.0)]) == 0.1


def test_of_two_opposites_the_later_counts() -> None:
    assert SPEC.reward([told("like", at=1), told("dislike", at=2)]) == -1.0
    assert SPEC.reward([told("like", at=2), told("dislike", at=1)]) == 1.0
    # 1 - 1 where the specification says that they are no opposites
    assert RewardSpec.of({**TABLE, "opposites": []}).reward([told("like"), told("dislike")]) == 0.0


def test_a_kind_that_is_no_longer_named_is_worth_nothing() -> None:
    assert RewardSpec.of({"click": 1.0}).reward([told("click"), told("cart")]) == 1.0
    assert RewardSpec.of({"click": 1.0}).reward([told("cart")]) == 0.0


def test_an_empty_table_is_the_default() -> None:
    spec = RewardSpec.of({})
    assert {"click", "impression", "dwell_seconds"} <= set(spec.kinds)
    assert spec.reward([told("click")]) == 1.0
    assert spec.reward([told("impression")]) == 0.0
    assert RewardSpec.of({"high": 2.0}).kinds == spec.kinds


def test_the_fingerprint_follows_the_meaning() -> None:
    assert SPEC.fingerprint == RewardSpec.of(dict(TABLE)).fingerprint
    changes = ({"click": 2.0}, {"high": 3.0}, {"combine": "max"}, {"opposites": []}, {"share": 1.0})
    assert (
        len({RewardSpec.of({**TABLE, **change}).fingerprint for change in changes} | {SPEC.fingerprint}) == 6
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", b"1", None, [1.0], 1e13, 10**400])
def test_a_value_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"click has value .* finite number"):
        SPEC.value("click", value)


def test_an_amount_cannot_be_negative_but_a_plain_value_can() -> None:
    with pytest.raises(InputError, match="dwell_seconds has value -1"):
        SPEC.value("dwell_seconds", -1.0)
    assert SPEC.value("click", -1) == -1.0


def test_an_unknown_kind_names_the_known_and_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'clik': did you mean 'click'\? known are impression, click"):
        SPEC.value("clik", 1.0)
    with pytest.raises(InputError, match="unknown kind of feedback 'zzz': known are"):
        SPEC.value("zzz", 1.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"click": "much"}, "click is 'much'"),
        ({"click": math.nan}, "click is nan"),
        ({"dwell": {"weight": 1.0}}, "needs weight and full"),
        ({"dwell": {"weight": 1.0, "full": 0}}, "full is 0.0"),
        ({"click": 1.0, "low": 0.5}, "low <= 0 < high"),
        ({"click": 1.0, "high": 0.0}, "low <= 0 < high"),
        ({"click": 1.0, "combine": "mean"}, "combine is 'mean'"),
        ({"click": 1.0, "opposites": [["click", "clack"]]}, "opposites is"),
        ({"click": 1.0, "opposites": "click"}, "opposites is"),
    ],
)
def test_a_bad_table_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RewardSpec.of(table)
