"""A confidence sequence holds at all times at once, whatever the order and the batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from equipoise.core import InputError
from equipoise.evaluation.intervals import ConfidenceSequence
from equipoise.evaluation.intervals.sequence import spread
from equipoise.evaluation.intervals.wealth import log_wealth

FALSE_ALARM = 1e-4

WORLDS = {
    # Values and their chances: clicks, clicks with weights of importance, a difference of two policies.
    "clicks": ([0.0, 1.0], [0.95, 0.05]),
    "weighted": ([0.0, 0.25, 2.0, 10.0], [0.9, 0.06, 0.03, 0.01]),
    "difference": ([-10 / 9, 0.0, 10.0], [0.045, 0.95, 0.005]),
}


def ever_excluded(values: list[float], odds: list[float], *, runs: int, times: int, seed: int) -> np.ndarray:
    """(runs,), the largest log wealth that either side ever reached against the true mean, at all times."""
    rng = np.random.default_rng(seed)
    atoms, chances = np.array(values), np.array(odds)
    low, width = atoms.min(), np.ptp(atoms)
    points, mean = (atoms - low) / width, float((atoms - low) @ chances / width)
    best = np.empty(runs)
    for run in range(runs):
        drawn = rng.choice(len(atoms), size=times, p=chances)
        counts = np.cumsum(np.eye(len(atoms))[drawn], axis=0)
        sides = log_wealth(mean, points, counts), log_wealth(1.0 - mean, 1.0 - points, counts)
        best[run] = max(side.max() for side in sides)
    return best


@pytest.mark.parametrize("world", WORLDS)
def test_coverage_at_all_times(world: str) -> None:
    """2,000 runs, looked at after every value: the mean is ever excluded in at most 10 and 5 % of them.

    A sequence that keeps its level fails here with probability 1e-4 at most.
    """
    runs = 2_000
    best = ever_excluded(*WORLDS[world], runs=runs, times=200, seed=1)
    for level in (0.90, 0.95):
        excluded = int((best >= np.log(2.0 / (1.0 - level))).sum())
        assert excluded <= stats.binom.isf(FALSE_ALARM, runs, 1.0 - level)


def test_a_plain_interval_would_fail_the_same_test() -> None:
    """The normal interval at 95 %, looked at 500 times, excludes the mean in far more than 5 % of 2,000 runs."""
    values = np.random.default_rng(2).random((2_000, 500))
    n = np.arange(1, 501)
    mean = np.cumsum(values, axis=1) / n
    errors = np.sqrt(np.maximum(np.cumsum(values**2, axis=1) / n - mean**2, 0.0) / n)
    outside = np.abs(mean - 0.5)[:, 20:] > 1.96 * errors[:, 20:]
    assert outside.any(axis=1).mean() > 0.15


def test_a_threshold_holds_while_means_drift():
    """Chances of a click swing between .02 and .08 by blocks, lower first, so their running average never exceeds
    .05: against that threshold the bettors ever reach 1 / risk in at most that share of 2,000 runs (false alarm 1e-4)."""
    chances = np.tile(np.repeat([0.02, 0.08], 25), 10)
    clicks = np.random.default_rng(7).random((2_000, len(chances))) < chances
    ones = np.cumsum(clicks, axis=1)
    counts = np.stack([np.arange(1, len(chances) + 1) - ones, ones], axis=-1).astype(float)
    best = np.array([log_wealth(0.05, np.array([0.0, 1.0]), run).max() for run in counts])
    for risk in (0.05, 0.025):
        assert (best >= np.log(1 / risk)).sum() <= stats.binom.isf(FALSE_ALARM, 2_000, risk)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_is_where_the_bettors_are_not_ruined(level: float) -> None:
    """interval() and log_wealth agree: just outside the bounds a side is ruined, just inside it is not."""
    rng = np.random.default_rng(3)
    values = rng.choice([0.0, 1.0, 4.0], size=300, p=[0.6, 0.3, 0.1])
    sequence = ConfidenceSequence(level, 0.0, 4.0)
    sequence.observe(values)
    low, high = sequence.interval()
    points, counts = np.array([0.0, 0.25, 1.0]), np.array([(values == v).sum() for v in (0, 1, 4)], float)
    ruin = np.log(2 / (1 - level))
    # 1.0 is no grid point: spreading it over its neighbours may only widen the interval, here by little.
    assert log_wealth((low - 1e-9) / 4, points, counts) >= ruin
    assert log_wealth((low + 0.01) / 4, points, counts) < ruin
    assert log_wealth(1 - (high + 1e-9) / 4, 1 - points, counts) >= ruin
    assert log_wealth(1 - (high - 0.01) / 4, 1 - points, counts) < ruin


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2.0, 5.0), min_size=1, max_size=40), st.integers(0, 40))
def test_order_and_batches_change_nothing(values: list[float], cut: int) -> None:
    whole, parts = ConfidenceSequence(0.95, -2.0, 5.0), ConfidenceSequence(0.95, -2.0, 5.0)
    whole.observe(np.array(values))
    for part in (values[::-1][:cut], values[::-1][cut:]):
        if part:
            parts.observe(np.array(part))
    assert parts.n == whole.n == len(values)
    assert np.allclose(parts.interval(), whole.interval(), atol=1e-7)
    low, high = whole.interval()
    assert -2.0 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 5.0


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_spreading_keeps_count_and_sum(values: list[float]) -> None:
    points = np.array([0.0, 0.01, 0.1, 0.5, 1.0])
    counts = spread(np.array(values), points)
    assert counts.min() >= 0.0
    assert counts.sum() == pytest.approx(len(values))
    assert counts @ points == pytest.approx(np.sum(values), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 3.0]), max_size=60), st.floats(-1.5, 3.5))
def test_asking_for_a_threshold_is_asking_the_interval(values: list[float], threshold: float) -> None:
    sequence = ConfidenceSequence(0.8, -1.0, 3.0)
    if values:
        sequence.observe(np.array(values))
    low, high = sequence.interval()
    if min(abs(threshold - low), abs(threshold - high)) > 1e-6:
        assert sequence.beyond(threshold) == int(threshold < low) - int(high < threshold)


def test_mirrored_values_mirror_the_interval() -> None:
    values = np.random.default_rng(4).uniform(-1.0, 3.0, 200)
    one, other = ConfidenceSequence(0.9, -1.0, 3.0), ConfidenceSequence(0.9, -3.0, 1.0)
    one.observe(values)
    other.observe(-values)
    assert np.allclose(one.interval(), np.negative(other.interval())[::-1], atol=1e-7)


def test_it_narrows_towards_the_mean() -> None:
    """By 100,000 values the width is below 2.2 times the normal interval's, which is good for one look only."""
    values = np.random.default_rng(5).random(100_000)
    sequence = ConfidenceSequence(0.95, 0.0, 1.0)
    assert sequence.interval() == (0.0, 1.0)
    widths = []
    for block in np.split(values, [100, 1_000, 10_000]):
        sequence.observe(block)
        low, high = sequence.interval()
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 2.2 * 2 * 1.96 * values.std() / np.sqrt(len(values))


def test_a_generous_upper_limit_barely_moves_the_lower_bound() -> None:
    clicks = (np.random.default_rng(6).random(2_000) < 0.1).astype(float)
    tight, generous = ConfidenceSequence(0.95, 0.0, 1.0), ConfidenceSequence(0.95, 0.0, 100.0)
    tight.observe(clicks)
    generous.observe(clicks)
    assert abs(tight.interval()[0] - generous.interval()[0]) < 0.002


def test_state_round_trips() -> None:
    first, second = ConfidenceSequence(0.95, 0.0, 2.0), ConfidenceSequence(0.95, 0.0, 2.0)
    first.observe(np.array([0.3, 1.7]))
    second.restore(first.state())
    for sequence in (first, second):
        sequence.observe(np.array([0.9]))
    assert first.interval() == second.interval()
    with pytest.raises(InputError, match="same settings"):
        ConfidenceSequence(0.9, 0.0, 2.0).restore(first.state())
    with pytest.raises(InputError, match="new sequence"):
        second.restore({**first.state(), "counts": np.zeros(3)})


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, float("nan")])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(InputError, match=r"0\.95 for 95 %"):
        ConfidenceSequence(level, 0.0, 1.0)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_is_two_numbers(low: float, high: float) -> None:
    with pytest.raises(InputError, match="two finite numbers"):
        ConfidenceSequence(0.95, low, high)


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), float("inf")])
def test_values_outside_are_refused_with_their_row(bad: float) -> None:
    sequence = ConfidenceSequence(0.95, 0.0, 1.0)
    with pytest.raises(InputError, match="row 1"):
        sequence.observe(np.array([0.5, bad]))
    assert sequence.n == 0


def test_the_end_of_the_range_can_be_excluded() -> None:
    """One value below the greatest is enough: a mean of 3 would need all of them there."""
    sequence = ConfidenceSequence(0.8, -1.0, 3.0)
    assert sequence.beyond(3.0) == sequence.beyond(-1.0) == 0
    sequence.observe(np.array([-1.0]))
    assert sequence.beyond(3.0) == -1
    assert sequence.beyond(-1.0) == 0
