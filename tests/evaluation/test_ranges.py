"""The range that an interval takes: no term ever leaves it, and where it was not declared the row says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import Baseline, InputError, PropensityError
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.bounds import NOT_SHARES
from equipoise.evaluation.evidence import Evidence, one_name
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.ranges import FORECASTS, LINEARISED, Span, limits_of
from equipoise.evaluation.targets import Given
from equipoise.evaluation.terms import on_policy, terms_of

MOST = 4.0
GUARANTEED = [
    "ips",
    "clipped_ips",
    "sg_ips",
    "dm",
    "dr",
    "switch_dr",
    "dros",
    "sg_dr",
    "slate_ips",
    "independent_ips",
    "reward_interaction_ips",
    "pseudo_inverse",
]


def evidence(seed: int, *, low: float = 0.0, high: float = 1.0, m: int = 3, decisions: int = 40) -> Evidence:
    """Slates of one to m slots, weights in [0, 4], rewards and forecasts in [low, high]."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, m + 1, decisions)
    lengths[0] = m
    codes, n = np.repeat(np.arange(decisions), lengths), int(lengths.sum())
    propensities = rng.uniform(0.25, 1.0, n)
    target = np.minimum(propensities * rng.choice([0.0, 0.5, 1.0, MOST], n), 1.0)
    rewards = rng.choice([low, high, 0.5 * (low + high)], n)
    return Evidence(
        rewards=rewards,
        propensities=propensities,
        target=target,
        decisions=codes,
        slots=np.arange(n) - (np.cumsum(lengths) - lengths)[codes],
        at=np.full(n, np.nan),
        items=one_name("a", n),
        loggers=one_name("logged", n),
        baseline=Baseline(rng.uniform(low, high, n), rng.uniform(low, high, n)),
    )


@pytest.mark.parametrize("estimator", GUARANTEED)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(0.0, 1.0), (-2.0, 1.0), (1.0, 3.0), (-3.0, -1.0)]))
def test_no_term_leaves_the_declared_range(estimator: str, seed: int, rewards: tuple[float, float]) -> None:
    here = evidence(seed, low=rewards[0], high=rewards[1])
    found = terms_of(here, estimator, limits_of(here, rewards=rewards, weight=MOST))
    assert found.span.assumed == ()
    assert found.span.low - 1e-9 <= found.values.min()
    assert found.values.max() <= found.span.high + 1e-9


def test_ranges_by_hand() -> None:
    here = evidence(1, m=2)
    limits = limits_of(here, rewards=(0.0, 1.0), weight=MOST)
    assert terms_of(here, "independent_ips", limits).span == Span(0.0, 4.0 + 4.0)
    assert terms_of(here, "slate_ips", limits).span == Span(0.0, pytest.approx(16.0 + 16.0))
    assert terms_of(here, "reward_interaction_ips", limits).span == Span(0.0, pytest.approx(4.0 + 16.0))
    # Two slots, each forecast 0 to 1 plus or minus 4 times a miss of at most 1.
    assert terms_of(here, "dr", limits).span == Span(-8.0, 10.0)
    assert on_policy(here.rewards, here.decisions, limits=limits).span == Span(0.0, 2.0)
    assert Span(0.0, 8.0).minus(Span(0.0, 2.0)) == Span(-2.0, 8.0)


def test_what_is_not_declared_is_told() -> None:
    here = evidence(2)
    (told,) = limits_of(here, rewards=(0.0, 1.0)).assumed
    assert "weights to 3.8857" in told and "--largest-weight" in told
    assert len(limits_of(here).assumed) == 2
    (told,) = limits_of(here, weight=MOST).rewards_assumed
    assert "rewards 0 to 1" in told and "--reward-range" in told
    limits = limits_of(here, rewards=(0.0, 1.0), weight=MOST)
    assert limits.assumed == limits.rewards_assumed == ()
    assert terms_of(here, "snips", limits).span.assumed == (LINEARISED,)
    assert terms_of(here, "cascade_dr", limits).span.assumed == (FORECASTS,)
    # Forecasts of 2 leave rewards of 0 to 1, so no range of theirs is known.
    wild = Baseline(np.full(len(here), 2.0), np.full(len(here), 2.0))
    beyond = Evidence(**{**{name: getattr(here, name) for name in Evidence.__slots__}, "baseline": wild})
    assert terms_of(beyond, "dr", limits).span.assumed == (FORECASTS,)
    one, other = Span(0.0, 1.0, ("a", "b")), Span(0.0, 2.0, ("b", "c"))
    assert one.minus(other) == Span(-2.0, 1.0, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("declared", "kind", "says"),
    [
        ({"rewards": (0.0, 0.5)}, InputError, "the declared range is 0 to 0.5"),
        ({"rewards": (1.0, 1.0)}, InputError, "the first below the second"),
        ({"weight": 2.0}, PropensityError, "the declared largest is 2"),
        ({"weight": 0.0}, InputError, "a number above 0"),
    ],
)
def test_false_declarations(declared: dict[str, object], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        limits_of(evidence(3), **declared)  # type: ignore[arg-type]


def log_of(here: Evidence) -> Log:
    names = ("rewards", "propensities", "decisions", "slots", "at", "items", "loggers")
    return Log(name="log", **{name: getattr(here, name) for name in names})


@pytest.mark.parametrize("interval", ["empirical_bernstein", "confidence_sequence"])
def test_rows_say_what_their_interval_rests_on(interval: str) -> None:
    here = evidence(4, m=1, decisions=400)
    target = Given("new", here.target, here.baseline)
    for declared, guaranteed in (
        ({}, False),
        ({"reward_range": (0.0, 1.0), "largest_weight": MOST}, True),
    ):
        options = Options(estimators=("ips", "dr"), interval=interval, **declared)  # type: ignore[arg-type]
        found = Evaluation(log_of(here), options=options).compare([target])
        told = [any("is not guaranteed" in line for line in row.warnings) for row in found.rows]
        assert told == [not guaranteed] * 5  # on_policy, two values, two differences
        assert all(row.estimate.low <= row.estimate.value <= row.estimate.high for row in found.rows)


def test_a_share_is_exact_for_the_log_and_for_what_replay_keeps_and_others_say_that_they_are_normal() -> None:
    here = evidence(5, m=1, decisions=400)
    clicks = Evidence(
        **{**{name: getattr(here, name) for name in Evidence.__slots__}, "rewards": np.round(here.rewards)}
    )
    options = Options(estimators=("replay", "ips"), interval="clopper_pearson")
    found = Evaluation(log_of(clicks), options=options).compare([Given("new", here.target)])
    by_name = {row.estimator: row for row in found.values.rows}
    assert f"ips: {NOT_SHARES}" in by_name["ips"].warnings
    for exact in ("on_policy", "replay"):
        estimate = by_name[exact].estimate
        assert not any(NOT_SHARES in line for line in by_name[exact].warnings)
        # Exact intervals are not symmetric about the value.
        assert abs((estimate.high - estimate.value) - (estimate.value - estimate.low)) > 1e-6
