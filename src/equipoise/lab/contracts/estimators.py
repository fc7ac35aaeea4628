"""The laws of an Estimator: logged rewards to what another policy would have earned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from equipoise.core import EquipoiseError, Estimator, Floats
from equipoise.lab.contracts.law import Law, check_all, law, refuses, require

_CHANCES = np.array([0.1, 0.3, 0.5, 0.8])
"""Chance of a reward for each of the four items of the known world."""

_LOGGING = np.array([0.4, 0.3, 0.2, 0.1])
_TARGET = np.array([0.1, 0.2, 0.3, 0.4])


@dataclass(frozen=True, slots=True)
class EstimatorCase:
    """worlds: how many logs of `rows` rows the law of unbiasedness averages over."""

    estimator: Estimator
    rows: int = 400
    worlds: int = 300
    seed: int = 0

    def log(self, world: int = 0) -> tuple[Floats, Floats, Floats]:
        """rewards, propensities and target probabilities, (n,) each, of a world whose truth is known."""
        rng = np.random.default_rng([self.seed, world])
        shown = rng.choice(4, size=self.rows, p=_LOGGING)
        rewards = (rng.random(self.rows) < _CHANCES[shown]).astype(np.float64)
        return rewards, _LOGGING[shown], _TARGET[shown]


@law
def the_logging_policy_earns_the_plain_mean(case: EstimatorCase) -> None:
    """A target equal to the logging policy gives the mean reward, with every row at full worth."""
    rewards, propensities, _ = case.log()
    found = case.estimator.estimate(rewards, propensities, propensities)
    require(
        abs(found.value - rewards.mean()) <= 1e-9
        and found.n == case.rows
        and abs(found.n_effective - case.rows) <= 1e-6,
        given=f"{case.rows} rows, mean reward {rewards.mean():.6f}, target = propensities",
        seen=f"value {found.value:.6f}, n {found.n}, n_effective {found.n_effective:.3f}",
        remedy="weight rows by target / propensity, which is 1 here",
    )


@law
def unbiased_in_a_known_world(case: EstimatorCase) -> None:
    """Over many logs the mean estimate is the truth, within 5 of its standard errors (false alarm 6e-7)."""
    values = np.array([case.estimator.estimate(*case.log(world)).value for world in range(case.worlds)])
    truth = float(_CHANCES @ _TARGET)
    stderr = float(values.std(ddof=1) / np.sqrt(case.worlds))
    require(
        abs(values.mean() - truth) <= 5 * stderr,
        given=f"{case.worlds} logs of {case.rows} rows, truth {truth:.4f}",
        seen=f"mean {values.mean():.4f} with standard error {stderr:.4f}",
        remedy="do not clip weights without saying so, and divide by n",
    )


@law
def reports_what_it_is_worth(case: EstimatorCase) -> None:
    """low <= value <= high, stderr above 0, and an effective sample size above 0 and at most n."""
    found = case.estimator.estimate(*case.log())
    require(
        found.low <= found.value <= found.high
        and found.stderr > 0.0
        and 0.0 < found.n_effective <= found.n + 1e-9,
        given=f"{case.rows} rows and another target",
        seen=found,
        remedy="n_effective is (sum w)^2 / sum w^2 (Kish 1965)",
    )


@law
def refuses_what_is_no_propensity(case: EstimatorCase) -> None:
    """A propensity of 0, below 0 or NaN, and lengths that differ, are errors."""
    rewards, propensities, target = case.log()
    for wrong in (0.0, -0.1, np.nan):
        spoilt = np.append(propensities[1:], wrong)
        refuses(
            partial(case.estimator.estimate, rewards, spoilt, target),
            EquipoiseError,
            given=f"a propensity of {wrong}",
            remedy="raise PropensityError and say in which row",
        )
    refuses(
        lambda: case.estimator.estimate(rewards, propensities, target[1:]),
        EquipoiseError,
        given=f"{case.rows} rewards and {case.rows - 1} target probabilities",
        remedy="raise InputError",
    )


ESTIMATOR_LAWS: tuple[Law[EstimatorCase], ...] = (
    the_logging_policy_earns_the_plain_mean,
    unbiased_in_a_known_world,
    reports_what_it_is_worth,
    refuses_what_is_no_propensity,
)


def check_estimator(estimator: Estimator, *, seed: int = 0) -> None:
    """Every law of an estimator. Raises: ContractError."""
    check_all(ESTIMATOR_LAWS, EstimatorCase(estimator, seed=seed))
