"""The laws of a Policy about slates, and of the dice that are thrown with them."""

from __future__ import annotations

import numpy as np

from equipoise.core import Choice, Floats, SlateDistribution
from equipoise.lab.contracts.law import Law, law, require
from equipoise.lab.contracts.policy_case import FALSE_ALARM, SUM_TOLERANCE, PolicyCase


@law
def a_slate_starts_with_the_distribution(case: PolicyCase) -> None:
    """slate(c, rng).given(()) equals distribution(c, rng), bit for bit, for the same seed."""
    policy, candidates = case.learned(), case.candidates()
    for number in range(5):
        odds = policy.distribution(candidates, case.rng(number))
        first = policy.slate(candidates, case.rng(number)).given(())
        require(
            np.array_equal(odds, first),
            given=f"{case.k} candidates, seed {number}",
            seen=f"{first[:3]} for slot 0, but {odds[:3]} in the distribution",
            remedy="let distribution() be slate().given(())",
        )


@law
def a_slate_is_sound_given_those_above(case: PolicyCase) -> None:
    """Each slot's probabilities sum to 1 and are exactly 0 on the positions above, down to the last candidate."""
    slate = case.learned().slate(case.candidates(), case.rng())
    order = np.random.default_rng([case.seed, 5]).permutation(case.k).tolist()
    slate.given(())
    for slot in range(1, case.k):
        above = tuple(order[:slot])
        odds = slate.given(above)
        repeated, total = float(np.abs(odds[list(above)]).max()), float(odds.sum())
        require(
            repeated == 0.0 and abs(total - 1.0) <= SUM_TOLERANCE and bool(np.all(odds >= 0.0)),
            given=f"{case.k} candidates, positions {above} above",
            seen=f"sum {total!r}, up to {repeated:.3g} on a position above, least {float(odds.min()):.3g}",
            remedy="set those above to exactly 0, and divide by the sum of what is left",
        )


@law
def frequencies_match(case: PolicyCase) -> None:
    """What is drawn comes as often as its propensity says, in each of the first slots.

    Each throw has its own seed. The sum over throws of (1 if drawn, else 0) less its probability is a martingale;
    Freedman 1975 bounds it by L / 3 + sqrt(L^2 / 9 + 2 L V), V its variance, L = ln(2 cells / 1e-6).
    """
    slots = min(3, case.k)
    excess, variance = np.zeros((slots, case.k)), np.zeros((slots, case.k))
    policy, candidates = case.learned(), case.candidates()
    for throw in range(case.throws):
        choice = case.draw(policy.slate(candidates, case.rng(throw)), slots, case.rng(10**6 + throw))
        twin = policy.slate(candidates, case.rng(throw))
        for slot, odds in enumerate(_given(twin, choice)):
            _propensity_is(choice, slot, odds)
            excess[slot] -= odds
            excess[slot, choice.positions[slot]] += 1.0
            variance[slot] += odds * (1.0 - odds)
    weight = np.log(2 * excess.size / FALSE_ALARM)
    bound = weight / 3 + np.sqrt(weight**2 / 9 + 2 * weight * variance)
    slot, position = divmod(int(np.argmax(np.abs(excess) - bound)), case.k)
    require(
        bool(np.all(np.abs(excess) <= bound)),
        given=f"{case.throws} throws of {slots} slots from {case.k} candidates",
        seen=f"position {position} came {excess[slot, position]:+.0f} times too often in slot {slot}, "
        f"at most {bound[slot, position]:.0f} is chance",
        remedy="choose by draw() alone, with an rng that nothing else has used",
    )


SLATE_LAWS: tuple[Law[PolicyCase], ...] = (
    a_slate_starts_with_the_distribution,
    a_slate_is_sound_given_those_above,
    frequencies_match,
)


def _given(slate: SlateDistribution, choice: Choice) -> list[Floats]:
    """The probabilities of each slot that was drawn, given the slots above it."""
    return [np.array(slate.given(choice.positions[:slot].tolist())) for slot in range(len(choice.positions))]


def _propensity_is(choice: Choice, slot: int, odds: Floats) -> None:
    said, true = float(choice.propensities[slot]), float(odds[choice.positions[slot]])
    require(
        abs(said - true) <= 1e-12,
        given=f"positions {choice.positions.tolist()} drawn from a slate",
        seen=f"propensity {said!r} in slot {slot}, but its probability given those above is {true!r}",
        remedy="report the probability that the dice were thrown with",
    )
