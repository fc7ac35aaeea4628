"""Estimators that need more than rows: `mips`, `mrdr` and `adaptive_dr`, from what a log holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import InputError
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.estimators import AdaptiveDr, FoundMips, Ips, Mips, marginalised, spread_so_far
from equipoise.evaluation.evidence import Codes, one_name
from equipoise.evaluation.logs import Log
from equipoise.evaluation.logs.items import with_clusters

ITEMS = 12
CLUSTERS = np.repeat(np.arange(3), 4)
CHANCES = np.array([0.1, 0.4, 0.7])[CLUSTERS]  # a cluster says all that matters
NAMES = tuple(f"i{item}" for item in range(ITEMS))
VECTORS = np.eye(3)[CLUSTERS] + 0.01 * np.arange(ITEMS)[:, None] / ITEMS
LOGGING = np.array([8, 2, 1, 1] * 3) / 36.0
TARGET = np.array([1, 1, 2, 2, 1, 2, 3, 4, 2, 4, 6, 8]) / 36.0
TRUTH = float(TARGET @ CHANCES)


def world(n: int, seed: int, chances: np.ndarray = CHANCES) -> Log:
    rng = np.random.default_rng(seed)
    shown = rng.choice(ITEMS, n, p=LOGGING)
    return Log(
        name="world",
        rewards=(rng.random(n) < chances[shown]).astype(np.float64),
        propensities=LOGGING[shown],
        decisions=np.arange(n),
        slots=np.zeros(n, dtype=np.int16),
        at=np.arange(n) * 60.0,
        items=Codes(shown, NAMES),
        loggers=one_name("logged", n),
        targets={"new": TARGET[shown]},
        placed={"new": TARGET[:, None]},
    )


def found(log: Log, estimator: str, policy: str = "new") -> tuple[float, float]:
    row = Evaluation(log, options=Options(estimators=(estimator,))).compare([policy]).row(policy, estimator)
    return row.estimate.value, row.estimate.stderr


@pytest.mark.parametrize("estimator", ["mips", "mrdr", "adaptive_dr", "dr"])
def test_each_finds_the_truth_of_a_known_world(estimator: str) -> None:
    """200 logs of 400 rows: the mean is within 3 standard errors, by chance wrong in .3 % of tests; and honest errors."""
    runs = [found(with_clusters(world(400, seed), NAMES, VECTORS, count=3), estimator) for seed in range(200)]
    values, errors = np.array(runs).T
    assert abs(values.mean() - TRUTH) < 3.0 * values.std(ddof=1) / np.sqrt(200)
    # The standard deviation of 200 values is known within 5 % (one standard error); a quarter is five of those.
    assert 0.75 < errors.mean() / values.std(ddof=1) < 1.25


def test_clusters_that_say_all_make_the_error_smaller() -> None:
    logs = [with_clusters(world(400, seed), NAMES, VECTORS, count=3) for seed in range(200)]
    spread = {name: np.std([found(log, name)[0] for log in logs]) for name in ("mips", "ips")}
    assert spread["mips"] < 0.9 * spread["ips"]


def test_clusters_that_hide_what_matters_are_wrong() -> None:
    """Within each cluster only the rarest items pay: 40,000 rows, and off by far more than the error."""
    log = with_clusters(world(40_000, 1, np.array([0.0, 0.0, 0.0, 1.0] * 3)), NAMES, VECTORS, count=3)
    value, stderr = found(log, "mips")
    truth = float(TARGET[3::4].sum())
    assert abs(value - truth) > 10.0 * stderr
    right, error = found(log, "ips")
    assert abs(right - truth) < 4.0 * error


def test_found_weights_become_those_of_the_distributions() -> None:
    log = world(200_000, 3)
    assert log.propensities is not None
    shown = np.asarray(log.items.codes, dtype=np.int64)
    pair = marginalised(
        np.tile(LOGGING, (len(log), 1)), np.tile(TARGET, (len(log), 1)), shown, clusters=CLUSTERS
    )
    exact = Mips().estimate(log.rewards, *pair)
    here = FoundMips(clusters=CLUSTERS[shown]).estimate(log.rewards, log.propensities, log.targets["new"])
    assert abs(here.value - exact.value) < 3.0 * here.stderr


def test_found_mips_by_hand() -> None:
    """Clusters 0, 0, 1; weights 1, 3, 2; rewards 1, 0, 1. Mean weights 2, 2, 2: value (2 + 0 + 2) / 3."""
    rewards, propensities = np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.25, 0.25])
    target = np.array([0.5, 0.75, 0.5])
    made = FoundMips(clusters=np.array([0, 0, 1]))
    assert made.estimate(rewards, propensities, target).value == pytest.approx(4.0 / 3.0)
    # Terms: 2 + .5 (1 - 2), 0 + .5 (3 - 2), 2 + 1 (2 - 2).
    assert made.terms(rewards, propensities, target).tolist() == pytest.approx([1.5, 0.5, 2.0])
    apart = FoundMips(clusters=np.arange(3)).estimate(rewards, propensities, target)
    assert apart.value == pytest.approx(Ips().estimate(rewards, propensities, target).value)


def test_vectors_for_items_that_are_not_there() -> None:
    with pytest.raises(InputError, match="the item 'i11' of the log has no vector"):
        with_clusters(world(400, 0), NAMES[:-1], VECTORS[:-1])


def test_spread_so_far_is_of_the_past_alone() -> None:
    spreads = np.random.default_rng(0).uniform(1.0, 9.0, 2_000)
    whole = spread_so_far(spreads)
    for row in (0, 1, 500, 1_999):
        changed = spreads.copy()
        changed[row:] = 1e6
        assert spread_so_far(changed)[row] == whole[row]
    assert whole[0] == 1.0
    assert whole.min() >= 1.0


def learner_log(seed: int, n: int = 1_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two arms of chance .5; the arm that is ahead gets 1 - t^-.5 / 2. Target: always arm 0."""
    rng = np.random.default_rng(seed)
    sums, counts = np.ones(2), np.full(2, 2.0)
    rewards, odds, target = np.empty(n), np.empty(n), np.zeros(n)
    for row in range(n):
        less = max(0.5 / np.sqrt(row + 1.0), 0.02)
        ahead = int(sums[1] / counts[1] > sums[0] / counts[0])
        chances = np.array([1.0 - less, less]) if ahead == 0 else np.array([less, 1.0 - less])
        arm = int(rng.random() < chances[1])
        rewards[row], odds[row], target[row] = float(rng.random() < 0.5), chances[arm], float(arm == 0)
        sums[arm] += rewards[row]
        counts[arm] += 1.0
    return rewards, odds, target


def test_the_log_of_a_learner_is_weighed_by_what_was_known() -> None:
    """300 logs: less error than plain IPS, unbiased within 3 standard errors, intervals at 95 % not much too short.

    Of 300 intervals 95 % hold the truth, +- 1.3 % (one standard error); 90 % would be four of those off.
    """
    plain, weighed, held = [], [], 0
    for seed in range(300):
        rewards, odds, target = learner_log(seed)
        made = AdaptiveDr(spread=spread_so_far((target / odds) ** 2)).estimate(rewards, odds, target)
        plain.append(Ips().estimate(rewards, odds, target).value)
        weighed.append(made.value)
        held += made.low <= 0.5 <= made.high
    assert np.mean((np.array(weighed) - 0.5) ** 2) < np.mean((np.array(plain) - 0.5) ** 2)
    assert abs(np.mean(weighed) - 0.5) < 3.0 * np.std(weighed) / np.sqrt(300)
    assert held > 0.90 * 300


def test_the_order_is_that_of_the_times_not_of_the_rows() -> None:
    log = world(600, 5)
    mixed = np.random.default_rng(1).permutation(600)
    again = replace(
        log,
        rewards=log.rewards[mixed],
        propensities=None if log.propensities is None else log.propensities[mixed],
        at=log.at[mixed],
        items=Codes(log.items.codes[mixed], NAMES),
        targets={"new": log.targets["new"][mixed]},
        placed={},
    )
    assert found(again, "adaptive_dr") == pytest.approx(found(replace(log, placed={}), "adaptive_dr"))


@pytest.mark.parametrize(
    ("estimator", "changed", "says"),
    [
        ("adaptive_dr", {"at": np.full(400, np.nan)}, "name the column of times under 'at'"),
        ("mips", {}, "--vectors"),
        ("mrdr", {"placed": {}}, "of every candidate"),
        ("dr", {"placed": {}}, "of every candidate"),
        ("mips", {"decisions": np.arange(400) // 2}, "one item a decision, but here a decision has up to 2"),
        ("adaptive_dr", {"decisions": np.arange(400) // 2}, "one item a decision"),
    ],
)
def test_what_a_log_lacks_is_said(estimator: str, changed: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        found(replace(world(400, 0), **changed), estimator)  # type: ignore[arg-type]
