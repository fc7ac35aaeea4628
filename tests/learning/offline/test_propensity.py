"""Propensities that nobody logged: near the truth where the model can be right, calibrated, and said to be estimates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import ConfigurationError, Floats, InputError
from equipoise.learning.offline import choices_of, estimate_propensities, frequency_propensities, train
from equipoise.learning.offline.calibration import by_isotonic, by_temperature, calibration_error, log_loss
from equipoise.learning.offline.choices import normalised

from .worlds import World


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ("calibration", "error"), [("temperature", 0.08), ("isotonic", 0.12), ("none", 0.08)]
)
def test_a_log_without_propensities_gets_near_the_true_ones(calibration: str, error: float) -> None:
    """2,000 choices by a softmax of the features: the mean relative error (measured .049, .081, .051)."""
    log = World.of(0).log(2000)
    found = estimate_propensities(replace(log, propensities=None), rng=rng(), calibration=calibration)
    assert np.abs(found.values / log.logged() - 1.0).mean() < error
    assert found.log_loss < found.even_log_loss and found.calibration == calibration
    # the mean weight of an even choice among 8 is 1: its standard error is below .05 here
    assert (1.0 / (8 * found.values)).mean() == pytest.approx(1.0, abs=0.15)
    assert "were not logged but estimated by a multinomial logistic model" in str(found)


def test_what_is_learned_with_them_is_worth_as_much() -> None:
    """On average over 4 worlds within .03 of what the logged ones teach."""
    lost = []
    for seed in range(4):
        world = World.of(seed)
        log = world.log(1000, seed)
        found = estimate_propensities(replace(log, propensities=None), rng=rng())
        told = replace(log, propensities=found.values)
        lost.append(
            world.earned(train(log, rng=rng()).weights) - world.earned(train(told, rng=rng()).weights)
        )
    assert np.mean(lost) < 0.03, lost


def overconfident() -> tuple[object, Floats]:
    """A log and odds that are the true ones to the power 3."""
    world = World.of(0)
    log = world.log(2000)
    scores = 0.6 * log.features @ world.taste
    return log, normalised(log, 3.0 * scores)


def test_temperature_undoes_overconfidence() -> None:
    """Scores three times too large have temperature 3 (standard error of the fit near .06)."""
    log, odds = overconfident()
    found = by_temperature(log, odds)
    assert found.temperature == pytest.approx(3.0, abs=0.3)
    assert calibration_error(log, found.odds) < 0.3 * calibration_error(log, odds)


def test_isotonic_keeps_the_order_and_corrects_the_level() -> None:
    log, odds = overconfident()
    found = by_isotonic(log, odds).odds
    assert log_loss(log, found) < log_loss(log, odds)
    assert calibration_error(log, found) < 0.3 * calibration_error(log, odds)
    assert np.add.reduceat(found, log.starts) == pytest.approx(1.0) and found.min() > 0.0
    first = slice(log.starts[5], log.starts[6])
    assert np.all(np.diff(found[first][np.argsort(odds[first])]) >= -1e-12)


def test_frequencies_by_hand() -> None:
    """Two contexts, ten rows each, items a and b: in the first a 9 times, in the second 1 time.

    Of the strengths that are tried, 2 rows make the log likeliest: a row showing `a` in the first context then has
    (9 - 1 + 2 x 10 / 21) / 11; the temperature moves it a little.
    """
    items = np.array([0] * 9 + [1] + [1] * 9 + [0])
    contexts = np.array([0] * 10 + [1] * 10)
    found = frequency_propensities(items, contexts)
    assert "in 2 contexts, shrunk to the whole log's by 2 rows" in found.method
    by_hand = (8 + 2 * 10 / 21) / 11
    rare = (0 + 2 * 10 / 21) / 11
    power = 1.0 / found.temperature
    # the table counts all rows: (9 + 2 x 11 / 22) / 12 and (1 + 1) / 12
    sums = (10 / 12) ** power + (2 / 12) ** power
    assert found.values[0] == pytest.approx(by_hand**power / sums)
    assert found.values[9] == pytest.approx(rare**power / sums)


def test_frequencies_come_near_the_truth() -> None:
    """20,000 rows of 20 items in 4 contexts: median relative error below .06 (measured .037)."""
    dice = np.random.default_rng(0)
    odds = 0.9 * dice.dirichlet(np.full(20, 0.7), size=4) + 0.1 / 20
    contexts = dice.integers(4, size=20_000)
    items = (odds.cumsum(axis=1)[contexts] > dice.random((20_000, 1))).argmax(axis=1)
    found = frequency_propensities(items, contexts)
    assert np.median(np.abs(found.values / odds[contexts, items] - 1.0)) < 0.06
    assert found.temperature == pytest.approx(1.0, abs=0.05)


def test_one_row_alone_is_no_certainty() -> None:
    """An item that only this row shows has what one pseudo-row in the others' share gives it."""
    found = frequency_propensities(np.array([0, 1, 2]), np.zeros(3, dtype=np.int64))
    assert np.all((found.values > 0.0) & (found.values < 1.0))


def test_what_cannot_be_estimated_is_refused() -> None:
    log = World.of(0).log(20)
    with pytest.raises(ConfigurationError, match="'platt'"):
        estimate_propensities(log, rng=rng(), calibration="platt")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        estimate_propensities(log, rng=rng(), least=0.0)
    with pytest.raises(InputError, match="2 items in 1 contexts"):
        frequency_propensities(np.zeros(2, dtype=int), np.zeros(1, dtype=int))
    with pytest.raises(ConfigurationError, match="least is 2"):
        frequency_propensities(np.zeros(2, dtype=int), np.zeros(2, dtype=int), least=2)
    small = choices_of([np.eye(2)] * 4, [0, 1, 0, 1], [1.0] * 4)
    least = estimate_propensities(small, rng=rng(), folds=2, least=0.9)
    assert least.raised == 4 and least.values == pytest.approx(0.9)
