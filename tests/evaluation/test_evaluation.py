"""Policies on one log: values, differences, groups and time, and policies that learn on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Baseline, InputError
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.bounds import INTERVALS
from equipoise.evaluation.evidence import Codes, one_name
from equipoise.evaluation.logs import Log
from equipoise.evaluation.support import NoSupportError
from equipoise.evaluation.targets import Given, Learning, Uniform
from equipoise.evaluation.targets.learning import feature_space
from equipoise.evaluation.terms import slates_of
from equipoise.policies import build

CHANCES = np.array([0.1, 0.3, 0.5, 0.8])
LOGGING = np.array([0.4, 0.3, 0.2, 0.1])
TARGET = np.array([0.1, 0.2, 0.3, 0.4])
NAMES = ("a", "b", "c", "d")


def world(n: int = 2_000, *, seed: int = 0) -> Log:
    """Four items whose chances are known; in country FR every chance is .1 less."""
    rng = np.random.default_rng(seed)
    shown, french = rng.choice(4, n, p=LOGGING), rng.random(n) < 0.5
    return Log(
        name="world",
        rewards=(rng.random(n) < CHANCES[shown] - 0.1 * french).astype(np.float64),
        propensities=LOGGING[shown],
        decisions=np.arange(n),
        slots=np.zeros(n, dtype=np.int16),
        at=np.arange(n) * 60.0,
        items=Codes(shown, NAMES),
        loggers=one_name("logged", n),
        groups={"country": Codes(french.astype(np.uint16), ("DE", "FR"))},
        targets={"new": TARGET[shown], "same": LOGGING[shown]},
    )


def slates(n: int = 400, *, seed: int = 0) -> Log:
    """Two slots, the second drawn from the items that are left."""
    rng = np.random.default_rng(seed)
    rows = []
    for decision in range(n):
        first = rng.choice(4, p=LOGGING)
        left = np.where(np.arange(4) == first, 0.0, LOGGING) / (1.0 - LOGGING[first])
        second = rng.choice(4, p=left)
        rows += [(decision, 0, first, LOGGING[first]), (decision, 1, second, left[second])]
    decisions, slots, shown, odds = map(np.array, zip(*rows, strict=True))
    return Log(
        name="slates",
        rewards=(rng.random(2 * n) < CHANCES[shown]).astype(np.float64),
        propensities=odds.astype(np.float64),
        decisions=decisions,
        slots=slots,
        at=decisions * 60.0,
        items=Codes(shown, NAMES),
        loggers=one_name("logged", 2 * n),
    )


@pytest.mark.parametrize("log", [world(), slates()], ids=["single", "slates"])
def test_the_logging_policy_earns_the_plain_mean_and_differs_by_nothing(log: Log) -> None:
    assert log.propensities is not None
    found = Evaluation(log).compare([("same", log.propensities)])
    mean = log.rewards.sum() / (log.decisions[-1] + 1)
    for row in found.values.rows:
        assert abs(row.estimate.value - mean) < 1e-12
    for row in found.differences.rows:
        assert abs(row.estimate.value) < 1e-12
        assert row.estimate.stderr < 1e-12


def test_values_by_hand() -> None:
    """Weights .5, 2, 1, 0.5 on rewards 1, 0, 1, 1: IPS (.5 + 1 + .5) / 4 = .5, self-normalised 2 / 4 = .5."""
    log = replace(
        world(4),
        rewards=np.array([1.0, 0.0, 1.0, 1.0]),
        propensities=np.array([0.5, 0.25, 0.5, 0.5]),
        targets={"new": np.array([0.25, 0.5, 0.5, 0.25])},
    )
    found = Evaluation(log, options=Options(estimators=("ips", "snips"))).compare()
    assert found.row("new", "ips").estimate.value == pytest.approx(0.5)
    assert found.row("new", "snips").estimate.value == pytest.approx(0.5)
    assert found.row("logged", "on_policy").estimate.value == 0.75
    assert found.row("new - logged", "ips").estimate.value == pytest.approx(-0.25)


def test_estimates_meet_the_truth() -> None:
    """Truth .1 x .1 + .2 x .3 + .3 x .5 + .4 x .8 - .05 = .49; within 5 standard errors (false alarm 6e-7 each)."""
    log = world(20_000)
    baseline = Baseline(CHANCES[log.items.codes], np.full(len(log), CHANCES @ TARGET))
    policies = [Given("new", TARGET[log.items.codes], baseline), Uniform()]
    found = Evaluation(log).compare(policies)
    for policy, truth in (("new", CHANCES @ TARGET - 0.05), ("uniform", CHANCES.mean() - 0.05)):
        for estimator in ("ips", "snips", "dr"):
            estimate = found.row(policy, estimator).estimate
            assert abs(estimate.value - truth) < 5 * estimate.stderr
    assert found.row("new", "dr").estimate.stderr < found.row("new", "ips").estimate.stderr


def test_differences_are_paired() -> None:
    """A target close to the logging policy: its difference is far surer than its value."""
    log = world()
    near = 0.9 * LOGGING + 0.1 * TARGET
    found = Evaluation(log).compare([("near", near[log.items.codes])])
    assert found.row("near - logged", "ips").estimate.stderr < 0.5 * found.row("near", "ips").estimate.stderr


def test_two_policies_are_compared_with_each_other_and_the_log() -> None:
    found = Evaluation(world()).compare()
    pairs = {row.policy for row in found.differences.rows}
    assert pairs == {"new - logged", "same - logged", "new - same"}
    one, other = found.row("new", "ips").estimate.value, found.row("same", "ips").estimate.value
    assert found.row("new - same", "ips").estimate.value == pytest.approx(one - other)


def test_groups_are_estimated_from_their_own_rows() -> None:
    found = Evaluation(world(20_000), options=Options(by=("country",))).compare(["new"])
    (section,) = found.groups
    rows = {(label, row.policy): row for label, row in zip(section.labels, section.rows, strict=True)}
    gap = rows[("DE", "new")].estimate.value - rows[("FR", "new")].estimate.value
    error = np.hypot(rows[("DE", "new")].estimate.stderr, rows[("FR", "new")].estimate.stderr)
    assert abs(gap - 0.1) < 5 * error
    assert rows[("DE", "logged")].estimate.n + rows[("FR", "logged")].estimate.n == 20_000
    assert any(row.policy == "new [country = DE]" for row in found.rows)


def test_parts_over_time_cover_the_log() -> None:
    found = Evaluation(world(), options=Options(over_time=True)).compare(["new"])
    (section,) = found.series
    logged = [row.estimate for row in section.rows if row.policy == "logged"]
    assert sum(estimate.n for estimate in logged) == 2_000
    weighed = sum(estimate.value * estimate.n for estimate in logged) / 2_000
    assert weighed == pytest.approx(found.row("logged", "on_policy").estimate.value)


def test_a_part_that_the_target_never_shows_is_unknown() -> None:
    log = world()
    target = np.where(np.arange(2_000) < 1_000, log.targets["new"], 0.0)
    found = Evaluation(log, options=Options(over_time=True, force=True)).compare([("half", target)])
    last = found.series[0].rows[-1]
    assert np.isnan(last.estimate.value)
    assert last.as_dict()["value"] is None
    assert "shows nothing" in last.warnings[0]


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_holds_its_value(interval: str) -> None:
    found = Evaluation(world(), options=Options(interval=interval, level=0.9)).compare(["new"])
    for row in (*found.values.rows, *found.differences.rows):
        assert row.estimate.low < row.estimate.value < row.estimate.high


def test_a_higher_level_is_wider() -> None:
    narrow, wide = (
        Evaluation(world(), options=Options(level=level)).compare(["new"]).row("new", "ips").estimate
        for level in (0.8, 0.99)
    )
    assert wide.low < narrow.low < narrow.high < wide.high


def test_threads_change_nothing() -> None:
    one, two = (Evaluation(world(), options=Options(cores=cores)).compare() for cores in (1, 2))
    assert one.rows == two.rows


def test_several_loggers_add_their_own_estimator() -> None:
    log = world()
    log = replace(log, loggers=Codes(np.arange(2_000) % 2, ("old", "older")))
    found = Evaluation(log).compare(["same"])
    assert found.row("same", "weighted_ips").estimate.value == pytest.approx(log.rewards.mean(), abs=0.01)
    assert found.values.rows[0].policy == "logged"


def test_a_policy_that_learns_finds_the_best_item() -> None:
    """It has seen the rewards of all items, d pays best, and so most of its probability goes there in the end."""
    log = replace(world(), groups={})
    policy = build("epsilon_greedy", feature_space(log), posterior="beta", floor=0.01, text=False)
    chances = Learning("greedy", policy).chances(log)
    last = slice(1_500, 2_000)
    assert chances.target[last][log.items.codes[last] == 3].min() > 0.8
    assert chances.target[last][log.items.codes[last] == 0].max() < 0.2
    assert chances.baseline is not None
    found = Evaluation(log).compare(
        [Learning("greedy", build("epsilon_greedy", feature_space(log), posterior="beta"))]
    )
    assert found.row("greedy - logged", "dr").estimate.low > 0.0


def test_a_policy_of_fixed_weights_is_not_said_to_learn() -> None:
    log = world()
    space = feature_space(log)
    learner = build("greedy", space, posterior="linear")
    weights = {str(space): {"scores": [0.0] * space.dim, "rewards": [0.0] * space.dim}}
    notes = [
        Learning("x", each).chances(log).note for each in (learner, build("trained", space, weights=weights))
    ]
    assert notes[0].startswith("learns 100 times from the parts of the log before;")
    assert notes[1].startswith("learns nothing from the log: it is judged as it stands;")


def test_what_a_learning_policy_does_depends_on_the_past_alone() -> None:
    """Other rewards in the second half change nothing of the first."""
    log = replace(world(), groups={})
    changed = np.where(np.arange(2_000) < 1_000, log.rewards, 1.0 - log.rewards)
    one, other = (
        Learning("t", build("thompson", feature_space(log), posterior="beta", text=False)).chances(each)
        for each in (log, replace(log, rewards=changed))
    )
    assert (one.target[:1_000] == other.target[:1_000]).all()
    assert (one.target[1_100:] != other.target[1_100:]).any()
    assert one.baseline is not None
    assert other.baseline is not None
    assert (one.baseline.expected[:1_000] == other.baseline.expected[:1_000]).all()


def test_a_learning_policy_uses_attributes_and_slots() -> None:
    log = replace(slates(100), groups={"device": Codes(np.repeat(np.arange(100) % 2, 2), ("desk", "phone"))})
    chances = Learning("t", build("thompson", feature_space(log), posterior="mixed")).chances(log)
    assert ((chances.target > 0.0) & (chances.target <= 1.0)).all()


def test_uniform_draws_without_putting_back() -> None:
    """A quarter for the first slot, a third for the second."""
    assert Uniform().chances(slates(2)).target.tolist() == [1 / 4, 1 / 3, 1 / 4, 1 / 3]


def test_a_policy_object_is_a_target() -> None:
    log = replace(world(300), groups={})
    found = Evaluation(log, options=Options(force=True)).compare(
        [build("uniform", feature_space(log), posterior="beta")]
    )
    assert found.supports[0].policy == "uniform"
    assert found.row("uniform", "ips").estimate.value > 0.0


def test_hopeless_logs_give_no_number_unless_forced() -> None:
    log = world()
    never = ("never", np.zeros(2_000))
    with pytest.raises(NoSupportError, match="cannot answer"):
        Evaluation(log).compare([never])
    found = Evaluation(log, options=Options(force=True)).compare([never])
    row = found.row("never", "ips")
    assert row.estimate.value == 0.0
    assert row.warnings[0].startswith("this log cannot answer that")


def test_slates_have_the_grid_of_their_rows() -> None:
    log = slates(3)
    grid = slates_of(log.evidence(np.full(6, 0.5)))
    assert grid.rewards.shape == (3, 2)
    assert grid.rewards.ravel().tolist() == log.rewards.tolist()


def test_slates_lean_on_forecasts() -> None:
    log = slates()
    codes = log.items.codes
    baseline = Baseline(CHANCES[codes], np.full(len(log), CHANCES.mean()))
    found = Evaluation(log).compare([Given("uniform", Uniform().chances(log).target, baseline)])
    names = [row.estimator for row in found.values.rows]
    assert names == [
        "on_policy",
        "reward_interaction_ips",
        "reward_interaction_snips",
        "independent_ips",
        "cascade_dr",
    ]
    leaning, plain = (
        found.row("uniform", name).estimate for name in ("cascade_dr", "reward_interaction_ips")
    )
    assert leaning.stderr < plain.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimators": ("isp",)}, "did you mean"),
        ({"interval": "bootstrp"}, "did you mean 'bootstrap'"),
        ({"level": 1.5}, "between 0 and 1"),
    ],
)
def test_options_that_cannot_be(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Options(**options)  # type: ignore[arg-type]


def test_questions_that_cannot_be() -> None:
    log = world()
    with pytest.raises(InputError, match="did you mean 'new'"):
        Evaluation(log).compare(["nwe"])
    with pytest.raises(InputError, match="a name of its own"):
        Evaluation(log).compare(["new", ("new", log.targets["same"])])
    with pytest.raises(InputError, match="no attribute 'county'"):
        Evaluation(log, options=Options(by=("county",))).compare(["new"])
    with pytest.raises(InputError, match="no policy to evaluate"):
        Evaluation(replace(log, targets={})).compare()
    with pytest.raises(InputError, match="no target policy"):
        Evaluation(log).compare([3])  # type: ignore[list-item]
    with pytest.raises(InputError, match="baseline"):
        Evaluation(log, options=Options(estimators=("dr",))).compare(["new"])


def test_no_estimate_is_worth_more_than_its_decisions() -> None:
    """Slates of two: row by row two thousand rows of weight 1 are a thousand decisions, whatever the estimator."""
    log = replace(world(), decisions=np.arange(2_000) // 2)
    found = Evaluation(log, options=Options(estimators=("ips", "snips", "slate_ips"))).compare(["same"])
    for row in found.values.rows:
        assert row.estimate.n == 1_000
        assert row.estimate.n_effective == pytest.approx(1_000)


@pytest.mark.parametrize(
    ("step", "last"),
    [(60.0, "1970-01-02 06:33"), (0.1, "1970-01-01 00:03:03"), (0.0, "row 1,834"), (np.inf, "row 1,834")],
)
def test_parts_over_time_have_labels_of_their_own(step: float, last: str) -> None:
    """Twelve parts of 2,000 rows, the last from row 1,833 on: 1,833 minutes, 183.3 seconds, or no time at all."""
    at = np.full(2_000, np.nan) if step == np.inf else np.arange(2_000) * step
    found = Evaluation(replace(world(), at=at), options=Options(over_time=True)).compare(["new"])
    labels = dict.fromkeys(found.series[0].labels)
    assert len(labels) == 12
    assert list(labels)[-1] == last
