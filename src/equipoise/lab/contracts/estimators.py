"""The laws of an Estimator: logged rewards to what another policy would have earned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Baseline, EquipoiseError, Estimate, Estimator, Floats
from equipoise.lab.contracts.law import Law, check_all, law, refuses, require

_CHANCES = np.array([[0.1, 0.3, 0.5, 0.8], [0.6, 0.3, 0.2, 0.1]])
"""Chance of a reward for each of the four items of the known world, for each of two kinds of users."""

_LOGGING = np.array([0.4, 0.3, 0.2, 0.1])
_TARGET = np.array([[0.1, 0.2, 0.3, 0.4], [0.2, 0.4, 0.3, 0.1]])
_WRONG = np.array([0.7, 0.1, 0.4, 0.2])
"""Forecasts of a poor reward model, the same for both kinds."""


@dataclass(frozen=True, slots=True)
class EstimatorCase:
    """worlds: how many logs of `rows` rows the law of unbiasedness averages over.

    consistent: True for an estimator that is only consistent: its bias may then be up to a tenth of the spread of a
        single estimate, which chance hides on any one log. leans: what reward model it is given: `none`, a `wrong`
        one that a doubly robust estimator must survive, or the `true` one that a direct method needs.
    """

    estimator: Estimator
    rows: int = 400
    worlds: int = 300
    seed: int = 0
    consistent: bool = False
    leans: Literal["none", "wrong", "true"] = "none"

    def log(self, world: int = 0) -> tuple[Floats, Floats, Floats]:
        """rewards, propensities and target probabilities, (n,) each, of a world whose truth is known."""
        rewards, kinds, shown = self._thrown(world)
        return rewards, _LOGGING[shown], _TARGET[kinds, shown]

    def baseline(self, world: int = 0) -> Baseline | None:
        """The reward model's forecasts for the rows of `log(world)`."""
        if self.leans == "none":
            return None
        _, kinds, shown = self._thrown(world)
        forecast = _CHANCES if self.leans == "true" else np.array([_WRONG, _WRONG])
        return Baseline(forecast[kinds, shown], (_TARGET * forecast).sum(axis=1)[kinds])

    def flat(self, level: float) -> Baseline | None:
        """A model that forecasts the same for everything."""
        return (
            None if self.leans == "none" else Baseline(np.full(self.rows, level), np.full(self.rows, level))
        )

    def estimate(self, world: int = 0) -> Estimate:
        return self.estimator.estimate(*self.log(world), self.baseline(world))

    def _thrown(self, world: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
        """rewards, kinds of users and items shown, (n,) each."""
        rng = np.random.default_rng([self.seed, world])
        kinds = rng.integers(2, size=self.rows)
        shown = rng.choice(4, size=self.rows, p=_LOGGING)
        rewards = (rng.random(self.rows) < _CHANCES[kinds, shown]).astype(np.float64)
        return rewards, kinds, shown


TRUTH = float((_CHANCES * _TARGET).sum(axis=1).mean())
"""What the target policy earns in the known world: 0.425."""


@law
def the_logging_policy_earns_the_plain_mean(case: EstimatorCase) -> None:
    """A target equal to the logging policy gives the mean reward, with every row at full worth."""
    rewards, propensities, _ = case.log()
    mean = float(rewards.mean())
    found = case.estimator.estimate(rewards, propensities, propensities, case.flat(mean))
    require(
        abs(found.value - mean) <= 1e-9
        and found.n == case.rows
        and abs(found.n_effective - case.rows) <= 1e-6,
        given=f"{case.rows} rows, mean reward {mean:.6f}, target = propensities, a model that forecasts the mean",
        seen=f"value {found.value:.6f}, n {found.n}, n_effective {found.n_effective:.3f}",
        remedy="weight rows by target / propensity, which is 1 here",
    )


@law
def unbiased_in_a_known_world(case: EstimatorCase) -> None:
    """Over many logs the mean estimate is the truth, within 5 of its standard errors (false alarm 6e-7)."""
    values = np.array([case.estimate(world).value for world in range(case.worlds)])
    spread = float(values.std(ddof=1))
    allowed = 5 * spread / np.sqrt(case.worlds) + (0.1 * spread if case.consistent else 0.0)
    require(
        abs(values.mean() - TRUTH) <= allowed,
        given=f"{case.worlds} logs of {case.rows} rows, truth {TRUTH:.4f}, reward model: {case.leans}",
        seen=f"mean {values.mean():.4f}, at most {allowed:.4f} off is allowed",
        remedy="do not clip weights without saying so, and divide by n",
    )


@law
def reports_what_it_is_worth(case: EstimatorCase) -> None:
    """low <= value <= high, stderr above 0, and an effective sample size above 0 and at most n."""
    found = case.estimate()
    require(
        found.low <= found.value <= found.high
        and found.stderr > 0.0
        and 0.0 < found.n_effective <= found.n + 1e-9,
        given=f"{case.rows} rows and another target",
        seen=found,
        remedy="n_effective is (sum w)^2 / sum w^2 (Kish 1965)",
    )


@law
def its_standard_error_is_the_spread(case: EstimatorCase) -> None:
    """The root mean square of the standard errors is the spread of the estimates over many logs, within a third.

    With 300 logs the spread itself is known within 4 %, so that false alarms are below 1e-9.
    """
    found = [case.estimate(world) for world in range(case.worlds)]
    spread = float(np.std([each.value for each in found], ddof=1))
    said = float(np.sqrt(np.mean([each.stderr**2 for each in found])))
    require(
        spread / 1.33 <= said <= spread * 1.33,
        given=f"{case.worlds} logs of {case.rows} rows",
        seen=f"standard error {said:.5f}, spread {spread:.5f}",
        remedy="divide the standard deviation of the rows' terms by the root of n; linearise ratios",
    )


@law
def refuses_what_is_no_propensity(case: EstimatorCase) -> None:
    """A propensity of 0, below 0 or NaN, and lengths that differ, are errors."""
    rewards, propensities, target = case.log()
    baseline = case.baseline()
    for wrong in (0.0, -0.1, np.nan):
        spoilt = np.append(propensities[1:], wrong)
        refuses(
            partial(case.estimator.estimate, rewards, spoilt, target, baseline),
            EquipoiseError,
            given=f"a propensity of {wrong}",
            remedy="raise PropensityError and say in which row",
        )
    refuses(
        lambda: case.estimator.estimate(rewards, propensities, target[1:], baseline),
        EquipoiseError,
        given=f"{case.rows} rewards and {case.rows - 1} target probabilities",
        remedy="raise InputError",
    )


@law
def says_when_it_needs_a_model(case: EstimatorCase) -> None:
    """An estimator that leans on a reward model refuses to go without one."""
    if case.leans != "none":
        refuses(
            lambda: case.estimator.estimate(*case.log()),
            EquipoiseError,
            given="no baseline",
            remedy="raise InputError and say where a baseline comes from",
        )


ESTIMATOR_LAWS: tuple[Law[EstimatorCase], ...] = (
    the_logging_policy_earns_the_plain_mean,
    unbiased_in_a_known_world,
    reports_what_it_is_worth,
    its_standard_error_is_the_spread,
    refuses_what_is_no_propensity,
    says_when_it_needs_a_model,
)


def check_estimator(
    estimator: Estimator,
    *,
    seed: int = 0,
    consistent: bool = False,
    leans: Literal["none", "wrong", "true"] = "none",
) -> None:
    """Every law of an estimator; `consistent` and `leans` as in `EstimatorCase`. Raises: ContractError."""
    check_all(ESTIMATOR_LAWS, EstimatorCase(estimator, seed=seed, consistent=consistent, leans=leans))
