"""Every estimator is right where its assumptions hold, and wrong where they do not.

Right: over 200 logs the mean estimate is within 3 standard errors of the truth (false alarm .0027 for each; seeds are
fixed). Wrong: it is more than 5 away (false alarm 6e-7).
"""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import Baseline
from equipoise.evaluation.estimators import (
    AdaptiveDr,
    BalancedIps,
    ClippedIps,
    Dm,
    Dr,
    Ips,
    Loggers,
    Mips,
    MoreRobustDr,
    OptimisticDr,
    Replay,
    Sndr,
    Snips,
    SubGaussianDr,
    SubGaussianIps,
    SwitchDr,
    Tuned,
    WeightedIps,
    difference,
    estimator,
    marginalised,
)

from .world import CHANCES, FAMILIES, LOGGING, OTHER, TARGET, TRUTH, WRONG, thrown, z_of

RUNS, ROWS = 200, 1_000


def estimates(made, *, forecast=None, runs=RUNS, rows=ROWS, spoil=lambda p: p, **world):
    """(runs,) values."""
    found = []
    for seed in range(runs):
        log = thrown(rows, seed, **world)
        baseline = None if forecast is None else log.baseline(forecast)
        found.append(made.estimate(log.rewards, spoil(log.propensities), log.target, baseline).value)
    return np.array(found)


@pytest.mark.parametrize(
    ("made", "forecast"),
    [
        (Replay(), None),
        (Ips(), None),
        (BalancedIps(), None),
        (ClippedIps(ceiling=8.0), None),  # no weight exceeds .35 / .05 = 7
        (SubGaussianIps(shrinkage=0.0), None),
        (Snips(), None),
        (Dm(), CHANCES),
        (Dr(), WRONG),
        (MoreRobustDr(), WRONG),
        (Sndr(), WRONG),
        (SwitchDr(ceiling=8.0), WRONG),
        (SwitchDr(ceiling=0.5), CHANCES),
        (OptimisticDr(), WRONG),
        (OptimisticDr(shrinkage=1.0), CHANCES),
        (SubGaussianDr(), WRONG),
        (SubGaussianDr(shrinkage=0.5), CHANCES),
        (AdaptiveDr(), WRONG),
    ],
    ids=lambda part: type(part).__name__ if hasattr(part, "level") else "",
)
def test_right_where_its_assumptions_hold(made, forecast):
    assert abs(z_of(estimates(made, forecast=forecast), TRUTH)) < 3


@pytest.mark.parametrize(
    ("made", "forecast"),
    [
        (ClippedIps(ceiling=2.0), None),
        (SubGaussianIps(shrinkage=0.3), None),
        (Dm(), WRONG),
        (SwitchDr(ceiling=1.0), WRONG),
        (OptimisticDr(shrinkage=1.0), WRONG),
        (SubGaussianDr(shrinkage=0.5), WRONG),
    ],
    ids=lambda part: type(part).__name__ if hasattr(part, "level") else "",
)
def test_wrong_where_weights_are_cut_or_the_model_is_poor(made, forecast):
    assert abs(z_of(estimates(made, forecast=forecast), TRUTH)) > 5


@pytest.mark.parametrize("made", [Replay(), Ips(), Snips(), Mips(), BalancedIps(), ClippedIps(ceiling=8.0)])
def test_wrong_where_the_propensities_are_not_those_thrown(made):
    """Logged as if every item were equally likely."""
    values = estimates(made, spoil=lambda p: np.full(len(p), 1 / 6))
    assert abs(z_of(values, TRUTH)) > 5


@pytest.mark.parametrize(("made", "forecast"), [(Dr(), WRONG), (Sndr(), WRONG), (MoreRobustDr(), WRONG)])
def test_doubly_robust_is_right_if_either_is_and_wrong_if_neither(made, forecast):
    def flat(p):
        return np.full(len(p), 1 / 6)

    assert abs(z_of(estimates(made, forecast=CHANCES, spoil=flat), TRUTH)) < 3
    assert abs(z_of(estimates(made, forecast=forecast, spoil=flat), TRUTH)) > 5


@pytest.mark.parametrize("made", [Ips(), Snips(), Dr(), Sndr(), Replay()])
def test_wrong_where_the_log_never_shows_what_the_target_would(made):
    """No support for item 5, the best for the first kind of users; the poor model does not make up for it."""
    blind = LOGGING.copy()
    blind[:, 4] += blind[:, 5]
    blind[:, 5] = 0.0
    forecast = WRONG if isinstance(made, (Dr, Sndr)) else None
    assert abs(z_of(estimates(made, forecast=forecast, logging=blind), TRUTH)) > 5


def test_a_model_lowers_the_variance():
    spread = {made: estimates(made, forecast=CHANCES).std() for made in (Ips(), Dr())}
    plain, robust = spread.values()
    assert robust < 0.8 * plain


def family_estimates(chances):
    """MIPS with items in families, over logs of a world with the given chances."""
    found = []
    for seed in range(RUNS):
        log = thrown(ROWS, seed, chances=chances)
        pair = marginalised(LOGGING[log.kinds], TARGET[log.kinds], log.shown, clusters=FAMILIES)
        found.append(Mips().estimate(log.rewards, *pair).value)
    return np.array(found)


def test_marginal_weights_are_right_where_the_family_says_it_all_and_less_noisy():
    alike = np.repeat([[0.05, 0.3, 0.7], [0.5, 0.3, 0.1]], 2, axis=1)
    truth = float((alike * TARGET).sum(axis=1).mean())
    marginal, plain = family_estimates(alike), estimates(Ips(), chances=alike)
    assert abs(z_of(marginal, truth)) < 3
    assert marginal.std() < 0.95 * plain.std()


def test_marginal_weights_are_wrong_where_the_item_itself_matters():
    apart = np.array([[0.0, 0.5, 0.0, 0.5, 0.0, 1.0], [1.0, 0.0, 0.5, 0.0, 0.5, 0.0]])
    assert abs(z_of(family_estimates(apart), float((apart * TARGET).sum(axis=1).mean()))) > 5


def two_loggers(seed, rows=ROWS):
    """Nine rows in ten by a logger that knows what it wants, one in ten by an even one."""
    bold = 0.02 / 6 + 0.98 * np.eye(6)[np.array([0, 5])]
    rng = np.random.default_rng([seed, 9])
    logger = (rng.random(rows) < 0.1).astype(int)
    parts = [thrown(rows, seed, logging=odds) for odds in (bold, np.full((2, 6), 1 / 6))]
    shown = np.where(logger, parts[1].shown, parts[0].shown)
    kinds = parts[0].kinds
    assert np.array_equal(kinds, parts[1].kinds)
    rewards = np.where(logger, parts[1].rewards, parts[0].rewards)
    odds = np.stack([bold[kinds, shown], np.full(rows, 1 / 6)], axis=1)
    return rewards, odds, TARGET[kinds, shown], logger


def test_several_loggers_are_right_together_and_balance_helps():
    """Naive, balanced and weighted are right; balanced has far less variance than naive (Agarwal et al. 2017)."""
    found = []
    for seed in range(RUNS):
        rewards, odds, target, logger = two_loggers(seed)
        own = odds[np.arange(len(logger)), logger]
        ways = Ips(), BalancedIps(loggers=Loggers(logger, odds)), WeightedIps(logger=logger)
        found.append([way.estimate(rewards, own, target).value for way in ways])
    naive, balanced, weighted = np.array(found).T
    for values in (naive, balanced):
        assert abs(z_of(values, TRUTH)) < 3
    assert balanced.std() < 0.5 * naive.std()
    assert weighted.std() < 0.7 * naive.std()
    assert abs(weighted.mean() - TRUTH) < 0.3 * weighted.std()  # consistent: its weights are estimated


@pytest.mark.parametrize("name", ["clipped_ips", "switch_dr", "dros", "sg_ips", "sg_dr"])
@pytest.mark.parametrize("method", ["slope", "mse"])
def test_a_tuned_one_is_consistent(name, method):
    """Sixty times the rows: the root mean squared error falls by half or more, whatever is chosen."""
    tuned = estimator(name)
    tuned = Tuned(family=tuned.family, grid=tuned.grid, method=method)
    forecast = None if name.endswith("ips") else WRONG

    def error(rows):
        return np.sqrt(np.mean((estimates(tuned, forecast=forecast, runs=10, rows=rows) - TRUTH) ** 2))

    assert error(60_000) < 0.5 * error(1_000)


def test_a_paired_difference_is_right_and_sure():
    """Two like policies: the difference's own standard error is below half of what two intervals would say."""
    truth = TRUTH - float((CHANCES * OTHER).sum(axis=1).mean())
    found, apart = [], []
    for seed in range(RUNS):
        log = thrown(ROWS, seed)
        other = OTHER[log.kinds, log.shown]
        found.append(difference(Ips(), *log.columns, other))
        one, two = (Ips().estimate(log.rewards, log.propensities, t) for t in (log.target, other))
        apart.append(np.hypot(one.stderr, two.stderr))
    values = np.array([each.value for each in found])
    assert abs(z_of(values, truth)) < 3
    said = np.array([each.stderr for each in found])
    assert said.mean() < 0.6 * np.mean(apart)
    assert said.mean() == pytest.approx(values.std(ddof=1), rel=0.2)  # 200 runs: 5 % of noise
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert covered >= 0.90  # of 95 %: below with probability 1e-3


def learned_logs(runs, rows=1_000):
    """Two arms of equal worth, 0.5. After 10 even throws the better-looking one is shown nearly always.

    Returns: shown, rewards, and the propensity of arm 0 before each throw; (runs, rows) each.
    """
    rng = np.random.default_rng(0)
    sums, counts = np.zeros((runs, 2)), np.zeros((runs, 2))
    shown, rewards, odds = np.zeros((runs, rows), int), np.zeros((runs, rows)), np.full((runs, rows), 0.5)
    for row in range(rows):
        if row >= 10:
            means = sums / np.maximum(counts, 1)
            least = 0.5 * row**-0.5
            odds[:, row] = np.where(means[:, 0] >= means[:, 1], 1.0 - least, least)
        shown[:, row] = rng.random(runs) >= odds[:, row]
        rewards[:, row] = rng.random(runs) < 0.5
        counts[np.arange(runs), shown[:, row]] += 1
        sums[np.arange(runs), shown[:, row]] += rewards[:, row]
    return shown, rewards, odds


def mean_so_far(hits, rewards):
    """(rows,), the mean reward of the arm before each row; one half before it was ever shown."""
    count, total = np.cumsum(hits) - hits, np.cumsum(hits * rewards) - hits * rewards
    return np.where(count > 0, total / np.maximum(count, 1), 0.5)


@pytest.mark.parametrize("allocation", ["constant", "two_point"])
def test_a_log_of_a_learning_policy_needs_adaptive_weights(allocation):
    """The mean of one arm. Its plain mean is biased down (Hadad et al. 2021); even weights waste; adaptive weights
    are at most a tenth of their spread off, and their interval covers."""
    plain, even, adaptive, said = [], [], [], []
    for shown, rewards, first in zip(*learned_logs(400), strict=True):
        hits = (shown == 0).astype(float)
        own, before = np.where(shown == 0, first, 1.0 - first), mean_so_far(hits, rewards)
        log = rewards, own, hits, Baseline(before * hits, before)
        plain.append(rewards[shown == 0].mean())
        even.append(AdaptiveDr().estimate(*log).value)
        found = AdaptiveDr(spread=1.0 / first, allocation=allocation, decay=0.5).estimate(*log)
        adaptive.append(found.value)
        said.append(found.stderr)
    assert z_of(np.array(plain), 0.5) < -5
    off = np.array(adaptive) - 0.5
    assert abs(off.mean()) < 0.1 * off.std() + 3 * off.std() / 20  # 400 runs; false alarm .0027
    assert off.std() < 0.95 * np.std(even)
    # 95 % less what 400 runs may miss: 3.1 standard errors of .011, false alarm 1e-3.
    assert (np.abs(off) < 1.96 * np.array(said)).mean() > 0.916
