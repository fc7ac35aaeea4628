"""Each check is fine in a sound log, and speaks up where that one thing is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Floats
from equipoise.evaluation.evidence import Codes, Evidence, one_name
from equipoise.evaluation.support import Facts, NoSupportError, Verdict, support_of
from equipoise.evaluation.support.weights import clustered, kish, slate_weights

LOGGING = np.array([0.4, 0.3, 0.2, 0.1])
TARGET = np.array([0.1, 0.2, 0.3, 0.4])
FACTS = Facts(known_items=4, window_seconds=10.0, duplicates=0, unsupported=0.0)


def sound(n: int = 4_000, *, seed: int = 0, target: Floats = TARGET) -> Evidence:
    """Rows of four items, rewards of 0 or 1 that do not change with time, one row every 10 s."""
    rng = np.random.default_rng(seed)
    shown = rng.choice(4, n, p=LOGGING)
    return Evidence(
        rewards=(rng.random(n) < 0.2).astype(np.float64),
        propensities=LOGGING[shown],
        target=target[shown],
        decisions=np.arange(n),
        slots=np.zeros(n, dtype=np.int16),
        at=np.arange(n) * 10.0,
        items=Codes(shown, ("a", "b", "c", "d")),
        loggers=one_name("logged", n),
    )


def verdicts(evidence: Evidence, facts: Facts = FACTS) -> dict[str, Verdict]:
    return {check.name: check.verdict for check in support_of(evidence, policy="new", facts=facts).checks}


@pytest.mark.parametrize("seed", range(20))
def test_a_sound_log_has_nothing_to_warn_of(seed: int) -> None:
    """z 4 and 5 and p 1e-4 in 20 logs: a false alarm has a chance of about 20 x (6e-5 + 1e-4 + 1e-6) = .4 %."""
    found = support_of(sound(seed=seed), policy="new", facts=FACTS)
    assert found.warnings == ()
    assert not found.hopeless
    found.require()


def spoilt(**columns: Callable[[Evidence], object]) -> Evidence:
    evidence = sound()
    return replace(evidence, **{name: make(evidence) for name, make in columns.items()})


def late_rewards(evidence: Evidence) -> Floats:
    rewards = evidence.rewards.copy()
    rewards[-800:] = 0.0
    return rewards


def one_large(evidence: Evidence) -> Floats:
    propensities = evidence.propensities.copy()
    propensities[0] = evidence.target[0] / 400.0
    return propensities


BROKEN: dict[str, tuple[Evidence, Facts]] = {
    "mean weight": (spoilt(propensities=lambda log: log.propensities * 0.8), FACTS),
    "largest weight": (spoilt(propensities=one_large), FACTS),
    "target without support": (sound(), replace(FACTS, unsupported=0.2)),
    "rows that differ in reward": (spoilt(rewards=lambda log: (log.at < 100.0) * 1.0), FACTS),
    "propensity calibration": (spoilt(propensities=lambda log: log.propensities * 0.8), FACTS),
    "candidate coverage": (sound(), replace(FACTS, known_items=8)),
    "reward delay": (sound(), replace(FACTS, window_seconds=1_000.0)),
    "duplicate ids": (sound(), replace(FACTS, duplicates=3)),
    "drift": (spoilt(rewards=late_rewards), FACTS),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said(name: str) -> None:
    evidence, facts = BROKEN[name]
    assert verdicts(evidence, facts)[name] is Verdict.WARNING
    found = support_of(evidence, policy="new", facts=facts)
    (warning,) = [line for line in found.warnings if line.startswith(name)]
    assert "warns" in warning
    assert ";" in warning
    assert verdicts(sound())[name] is Verdict.FINE


def test_few_effective_rows_warn() -> None:
    assert verdicts(sound(80))["effective sample size"] is Verdict.WARNING


def test_weights_that_are_all_alike_have_no_endless_z() -> None:
    """Every weight is .001: their standard error is rounding alone, and the largest weight is no 0.0."""
    alike = replace(sound(), propensities=np.full(len(sound()), 0.5), target=np.full(len(sound()), 0.0005))
    found = {check.name: check.shown for check in support_of(alike, policy="new", facts=FACTS).checks}
    assert found["mean weight"] == "0.0010 (z beyond -1000)"
    assert found["largest weight"].startswith("0.001 (")


def test_unsupported_is_estimated_where_nobody_tells() -> None:
    """Item d carries .4 of the target and is never shown: the mean weight is .6 of what it should be."""
    evidence = sound()
    kept = evidence.items.codes != 3
    part = evidence.where(kept)
    part = replace(part, propensities=part.propensities / 0.9)
    found = support_of(part, policy="new")
    check = next(check for check in found.checks if check.name == "target without support")
    assert check.verdict is Verdict.WARNING
    assert float(check.shown.partition("%")[0]) == pytest.approx(40.0, abs=5.0)


HOPELESS = {
    "never shown": spoilt(target=lambda log: np.zeros(len(log))),
    "one row of all": spoilt(target=lambda log: (np.arange(len(log)) == 7) * 0.1),
    "not this log's propensities": spoilt(propensities=lambda log: log.propensities / 10.0),
}


@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless_logs_refuse(name: str) -> None:
    found = support_of(HOPELESS[name], policy="new")
    assert found.hopeless
    assert found.warnings[0].startswith("this log cannot answer that")
    with pytest.raises(NoSupportError, match=r"this log cannot answer that.*--force") as caught:
        found.require()
    assert caught.value.support is found


@pytest.mark.parametrize("n", [2, 4, 9])
def test_a_short_log_of_itself_is_not_hopeless(n: int) -> None:
    evidence = sound(n, target=LOGGING)
    assert not support_of(evidence, policy="logged").hopeless


def test_kish_by_hand() -> None:
    """(1 + 1 + 2)^2 / (1 + 1 + 4) = 16 / 6."""
    assert kish(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert kish(np.zeros(3)) == 0.0


def test_slates_weigh_as_products() -> None:
    evidence = replace(
        sound(3),
        target=np.array([0.5, 0.2, 0.1]),
        propensities=np.array([0.25, 0.1, 0.1]),
        decisions=np.array([0, 0, 1]),
        slots=np.array([0, 1, 0]),
    )
    assert slate_weights(evidence).tolist() == [4.0, 1.0]


def test_rows_of_one_decision_count_as_one_draw() -> None:
    """Every value twice in one decision: the mean is the same, and so is the error of half as many rows."""
    values = np.random.default_rng(0).random(200)
    single = sound(200)
    double = replace(sound(400), decisions=np.repeat(np.arange(200), 2))
    assert clustered(np.repeat(values, 2), double) == pytest.approx(clustered(values, single))
