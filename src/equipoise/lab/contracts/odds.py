"""The laws of a Policy about its distribution over the candidates."""

from __future__ import annotations

import numpy as np
from scipy import stats

from equipoise.lab.contracts.law import Law, law, require
from equipoise.lab.contracts.policy_case import FALSE_ALARM, SUM_TOLERANCE, PolicyCase, permuted


@law
def a_distribution_is_k_probabilities(case: PolicyCase) -> None:
    """distribution(candidates) is (k,) float64, finite, none negative, for one candidate as for many."""
    policy = case.learned()
    for k in (1, 2, case.k):
        odds = policy.distribution(case.candidates(k), case.rng())
        require(
            odds.shape == (k,) and odds.dtype == np.float64 and bool(np.all(odds >= 0.0)),
            given=f"{k} candidates",
            seen=f"{odds.dtype} {odds.shape}: {odds[:4]}",
            remedy="return float64 probabilities, one for each candidate",
        )


@law
def sums_to_one(case: PolicyCase) -> None:
    """A distribution sums to 1 within 1e-9, for one candidate as for many."""
    policy = case.learned()
    for k in (1, 2, 3, case.k):
        total = float(policy.distribution(case.candidates(k), case.rng()).sum())
        require(
            abs(total - 1.0) <= SUM_TOLERANCE,
            given=f"{k} candidates, after {case.rows} rows",
            seen=f"sum {total!r}",
            remedy="divide by the sum as the last step, after the floor is mixed in",
        )


@law
def keeps_the_floor(case: PolicyCase) -> None:
    """Every candidate gets at least the floor, in slot 0 and in every further slot that it is left for."""
    least = min(case.floor, 1.0 / case.k)
    candidates = case.candidates()
    slate = case.learned().slate(candidates, case.rng())
    above: list[int] = []
    for slot in range(min(4, case.k)):
        left = np.delete(slate.given(tuple(above)), above)
        require(
            bool(np.all(left >= least - 1e-12)),
            given=f"{case.k} candidates, slot {slot}, floor {case.floor:g}",
            seen=f"a probability of {float(left.min()):.3g}, expected {least:.3g} or more",
            remedy="mix: floor + (1 - k floor) x the explorer's distribution, over what is left",
        )
        above.append(slot)


@law
def works_before_any_update(case: PolicyCase) -> None:
    """A policy that has learned nothing gives a distribution too."""
    odds = case.make().distribution(case.candidates(), case.rng())
    require(
        odds.shape == (case.k,)
        and bool(np.all(odds >= 0.0))
        and abs(float(odds.sum()) - 1.0) <= SUM_TOLERANCE,
        given="a new policy",
        seen=f"{odds[:4]} with sum {float(np.sum(odds)):.6g}",
        remedy="start from a proper prior",
    )


@law
def the_dice_alone_are_random(case: PolicyCase) -> None:
    """The same state, candidates and seed give the same bits, whatever was asked in between."""
    policy, candidates = case.learned(), case.candidates()
    first = policy.distribution(candidates, case.rng(0)).copy()
    policy.distribution(candidates, case.rng(1))
    again = policy.distribution(candidates, case.rng(0))
    twin = case.learned().distribution(candidates, case.rng(0))
    for which, odds in (("the same policy", again), ("another one, taught the same", twin)):
        require(
            np.array_equal(first, odds),
            given=f"one seed, two questions, {which}",
            seen=f"{first[:3]} and {odds[:3]}",
            remedy="take every random number from the rng that is passed in, and keep none",
        )


@law
def permuting_rows_permutes_entries(case: PolicyCase) -> None:
    """The order of the candidates changes nobody's probability.

    Exactly, for a policy without chance; one that draws in row order keeps it on average: over some seeds, the
    mean difference of an entry lies within Student's bound (false alarm 1e-6 over all entries).
    """
    policy, candidates = case.learned(), case.candidates()
    order = np.random.default_rng([case.seed, 4]).permutation(case.k)
    shuffled = permuted(candidates, order)
    differences = np.empty((case.seeds, case.k))
    for seed in range(case.seeds):
        straight = policy.distribution(candidates, case.rng(seed))
        differences[seed] = policy.distribution(shuffled, case.rng(seed)) - straight[order]
    mean = differences.mean(axis=0)
    bound = float(stats.t.isf(FALSE_ALARM / (2 * case.k), case.seeds - 1))
    allowed = 1e-9 + bound * differences.std(axis=0, ddof=1) / np.sqrt(case.seeds)
    worst = int(np.argmax(np.abs(mean) - allowed))
    require(
        bool(np.all(np.abs(mean) <= allowed)),
        given=f"{case.k} candidates in the order {order.tolist()}, {case.seeds} seeds",
        seen=f"{shuffled.item_ids[worst]!r} moved by {mean[worst]:+.3g}, at most {allowed[worst]:.3g} is chance",
        remedy="break ties evenly, and let nothing depend on a candidate's position",
    )


ODDS_LAWS: tuple[Law[PolicyCase], ...] = (
    a_distribution_is_k_probabilities,
    sums_to_one,
    keeps_the_floor,
    works_before_any_update,
    the_dice_alone_are_random,
    permuting_rows_permutes_entries,
)
