"""What a term can never exceed: the range that empirical Bernstein bounds and confidence sequences rest on.

Both promise coverage for terms that cannot leave a range which is known before the log is seen. It follows from two
declared facts: between which numbers a slot's reward lies, and how large a weight can be (target probability over
propensity; 1 / floor at most). What nobody declared is read from the log, and whoever reads the interval is told so:
the largest weight seen may be far below the largest that can come.

Letters: rewards in [a, b], weights in [0, W], at most m slots in a decision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from equipoise.core import Floats, InputError, PropensityError
from equipoise.evaluation.evidence import Evidence

NEED_RANGE = frozenset({"empirical_bernstein", "confidence_sequence"})
"""Intervals that a range is for; the others take none."""

LINEARISED = "its terms are those of a ratio, so an interval of this kind is right for many rows only"
FORECASTS = "its range was read from its own terms, since forecasts may lie anywhere: nothing is guaranteed"

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """low, high: of a row's reward. weight: the most that target / propensity of a row can be. slots: m.

    assumed: what of it was read from the log, a sentence each; none where all was declared. rewards_assumed: the same
    of the rewards alone, which is all that a plain mean needs.
    """

    low: float
    high: float
    weight: float
    slots: int
    assumed: tuple[str, ...] = ()
    rewards_assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """The range of what a decision adds. assumed: why it is not guaranteed, in sentences; none where it is."""

    low: float
    high: float
    assumed: tuple[str, ...] = ()

    def minus(self, other: Span) -> Span:
        """Of the difference of two terms."""
        told = tuple(dict.fromkeys((*self.assumed, *other.assumed)))
        return Span(self.low - other.high, self.high - other.low, told)


def limits_of(
    evidence: Evidence, *, rewards: tuple[float, float] | None = None, weight: float | None = None
) -> Limits:
    """Declared limits where there are any, and else those of the log.

    Raises: InputError: a range that is none, or a reward outside. PropensityError: a weight above the largest.
    """
    weights = evidence.weights
    seen = (min(0.0, float(evidence.rewards.min())), max(0.0, float(evidence.rewards.max())))
    low, high = _rewards(evidence.rewards, rewards) if rewards is not None else seen
    most = max(1.0, float(weights.max()))
    if weight is not None:
        _require_weight(weights, weight)
    of_rewards = (
        (_told(f"rewards {seen[0]:.6g} to {seen[1]:.6g}", "--reward-range"),) if rewards is None else ()
    )
    of_weights = (_told(f"weights to {most:.6g}", "--largest-weight"),) if weight is None else ()
    return Limits(
        low,
        high,
        most if weight is None else max(1.0, weight),
        evidence.slate_size,
        assumed=(*of_rewards, *of_weights),
        rewards_assumed=of_rewards,
    )


def _told(seen: str, option: str) -> str:
    return f"its interval rests on {seen}, as this log has them, and is not guaranteed: declare {option}"


def with_rewards(limits: Limits, rewards: Floats) -> Limits:
    """The same limits for another log too. Raises: InputError: a reward outside of what was declared."""
    if not limits.rewards_assumed:
        _rewards(rewards, (limits.low, limits.high))
        return limits
    low, high = min(limits.low, float(rewards.min())), max(limits.high, float(rewards.max()))
    return replace(limits, low=low, high=high, slots=1)


def _sentence(seen: dict[str, str]) -> str:
    if not seen:
        return ""
    options = " and ".join(f"--{name.replace(' ', '-')}" for name in seen)
    return (
        f"the range that its interval needs was read from this log ({', '.join(seen.values())}), so the interval is "
        f"not guaranteed: declare it with {options}"
    )


def _rewards(rewards: Floats, declared: tuple[float, float]) -> tuple[float, float]:
    low, high = map(float, declared)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f"the reward range is {low!r} to {high!r} but must be two numbers, the first below the second: 0 1 for clicks"
        )
    outside = (rewards < low) | (rewards > high)
    if outside.any():
        row = int(outside.argmax())
        raise InputError(
            f"the reward in row {row + 1} is {float(rewards[row])!r} but the declared range is {low:g} to {high:g}: "
            "declare the range that no reward can leave"
        )
    return low, high


def _require_weight(weights: Floats, declared: float) -> None:
    if not (math.isfinite(declared) and declared > 0.0):
        raise InputError(
            f"the largest weight is {declared!r} but must be a number above 0: 1 / floor is always enough"
        )
    above = weights > declared * (1.0 + _ROUNDING)
    if above.any():
        row = int(above.argmax())
        raise PropensityError(
            f"the weight in row {row + 1} is {float(weights[row]):.6g} but the declared largest is {declared:g}: "
            "declare what target probability over propensity can be at most, such as 1 / floor"
        )


def plain_span(limits: Limits) -> Span:
    """Of what a decision earned itself."""
    return Span(*_summed(limits.low, limits.high, limits.slots), limits.rewards_assumed)


def weighted_span(limits: Limits) -> Span:
    """Of the sum over a decision's slots of weight times reward, each weight in [0, W]."""
    return _slots(limits, [limits.weight] * limits.slots)


def robust_span(limits: Limits, forecasts: tuple[float, float]) -> Span | None:
    """Of e + w (r - q) over a decision's slots. forecasts: their range; None where they leave that of rewards."""
    if forecasts[0] < limits.low or forecasts[1] > limits.high:
        return None
    reach = limits.weight * (limits.high - limits.low)
    return Span(*_summed(limits.low - reach, limits.high + reach, limits.slots), limits.assumed)


def slate_span(limits: Limits, weights: str) -> Span:
    """Of the sum of slot weight times reward. weights: `slate`, `independent` or `reward_interaction`."""
    m, most = limits.slots, limits.weight
    powers = {
        "slate": [m] * m,
        "independent": [1] * m,
        "reward_interaction": range(1, m + 1),
    }
    return _slots(limits, [_power(most, power) for power in powers[weights]])


def additive_span(limits: Limits) -> Span:
    """Of (1 - m + sum of weights) times the sum of rewards."""
    m = limits.slots
    weights = (1.0 - m, 1.0 + m * (limits.weight - 1.0))
    corners = [w * r for w in weights for r in _summed(limits.low, limits.high, m)]
    return Span(min(0.0, *corners), max(0.0, *corners), limits.assumed)


def _slots(limits: Limits, weights: list[float]) -> Span:
    low = sum(min(0.0, limits.low * weight) for weight in weights)
    high = sum(max(0.0, limits.high * weight) for weight in weights)
    return Span(low, high, limits.assumed)


def _summed(low: float, high: float, m: int) -> tuple[float, float]:
    """Of the sum of one to m numbers in [low, high]."""
    return min(low, low * m), max(high, high * m)


def _power(weight: float, power: int) -> float:
    """Finite, so that a range stays one: beyond 1e100 a bound says nothing anyway."""
    return math.exp(min(power * math.log(weight), 230.0))
