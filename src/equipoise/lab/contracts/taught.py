"""The laws of a Policy about what it has learned: its state, its updates, its feature space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from equipoise.core import FeatureSpaceError, Policy, State
from equipoise.lab.contracts.law import Law, copied, difference, law, refuses, require
from equipoise.lab.contracts.policy_case import PolicyCase, part, rows_of

WEIGHT_TOLERANCE = 1e-6
"""Between the odds after a row of weight 2 and after the row twice: sums in another order may round otherwise."""


@law
def leaves_the_state_unchanged(case: PolicyCase) -> None:
    """Asking for a distribution or a slate changes no bit of the state: a policy never remembers what it chose."""
    for name, policy in (("new", case.make()), ("taught", case.learned())):
        before = copied(policy.state())
        policy.distribution(case.candidates(), case.rng())
        slate = policy.slate(case.candidates(), case.rng())
        slate.given(())
        slate.given((0,))
        differs = difference(before, policy.state())
        require(
            differs is None,
            given=f"a {name} policy, asked for a distribution and a slate",
            seen=differs,
            remedy="learn in update() alone; counts of what was shown come from the journal",
        )


@law
def one_batch_equals_its_rows(case: PolicyCase) -> None:
    """Learning a batch at once, in two parts or row by row ends in one state; an empty batch changes nothing."""
    batch, whole = case.batch(), case.learned()
    cuts = {
        "row by row": list(range(len(batch) + 1)),
        "in two parts": [0, len(batch) // 3, len(batch)],
        "with an empty batch between": [0, 5, 5, len(batch)],
    }
    for how, edges in cuts.items():
        policy = case.make()
        for start, stop in pairwise(edges):
            policy.update(part(batch, start, stop))
        differs = difference(whole.state(), policy.state(), tolerance=case.tolerance)
        require(
            differs is None,
            given=f"{len(batch)} rows at once and {how}",
            seen=differs,
            remedy="loop over the rows inside update(), in their order",
        )


@law
def a_weight_is_so_many_rows(case: PolicyCase) -> None:
    """A row of weight 1 is a row, of weight 2 the row twice, and of weight 0 none: the odds agree to 1e-6.

    The rows are of strangers: what is known of a user may be kept by a rule that goes row by row. The states may differ,
    as where they count rows. And a policy that `forgets` may take a row of weight 2 for one moment, of which two rows
    are two; weights 0 and 1 bind it as any other.
    """
    batch = replace(case.batch(), user_ids=(None,) * case.rows)
    counts = np.array([0, 1] if case.forgets else [0, 1, 2])
    weights = counts[np.arange(len(batch)) % len(counts)]
    weighed, repeated = case.make(), case.make()
    weighed.update(replace(batch, weights=weights.astype(np.float64)))
    repeated.update(rows_of(batch, np.repeat(np.arange(len(batch)), weights)))
    one, other = (policy.distribution(case.candidates(), case.rng()) for policy in (weighed, repeated))
    apart = float(np.max(np.abs(one - other)))
    require(
        apart <= WEIGHT_TOLERANCE,
        given=f"{len(batch)} rows of weights {', '.join(map(str, counts))}, and each row as often as it weighs",
        seen=f"probabilities that are up to {apart:.3g} apart",
        remedy="let each row count batch.weights times in update(), and leave out those of weight 0; None is 1 for all",
    )


@law
def state_round_trips(case: PolicyCase) -> None:
    """restore(state()) in a new policy gives the same state and the same distribution, and learns on alike."""
    policy, twin = case.learned(), case.make()
    twin.restore(copied(policy.state()))
    for when in ("at once", "after the same further rows"):
        differs = difference(policy.state(), twin.state()) or _other_odds(case, policy, twin)
        require(
            differs is None,
            given=f"a restored policy, {when}",
            seen=differs,
            remedy="put everything that distribution() and update() read into state()",
        )
        for each in (policy, twin):
            each.update(part(case.batch(), 0, 10))


@law
def state_is_a_copy(case: PolicyCase) -> None:
    """A state that was taken stays what it was when the policy learns on; writing into it changes no policy."""
    policy = case.learned()
    taken = policy.state()
    kept = copied(taken)
    policy.update(case.batch())
    differs = difference(kept, taken)
    require(
        differs is None, given="a state taken before an update", seen=differs, remedy="copy arrays in state()"
    )
    restored = case.make()
    restored.restore(taken)
    _overwrite(taken)
    differs = difference(kept, restored.state())
    require(
        differs is None,
        given="a state that is written into after restore()",
        seen=differs,
        remedy="copy arrays in restore()",
    )


@law
def refuses_another_space(case: PolicyCase) -> None:
    """Candidates, batches and slates of another space are refused (FeatureSpaceError), and nothing is learned."""
    policy = case.learned()
    other = replace(case.space, version=case.space.version + "-other")
    before = copied(policy.state())
    candidates, batch = replace(case.candidates(), space=other), replace(case.batch(), space=other)
    calls: dict[str, Callable[[], object]] = {
        "distribution": lambda: policy.distribution(candidates, case.rng()),
        "slate": lambda: policy.slate(candidates, case.rng()).given(()),
        "update": lambda: policy.update(batch),
    }
    for verb, call in calls.items():
        refuses(
            call,
            FeatureSpaceError,
            given=f"{verb} in {other} for a policy in {case.space}: equal d, another version",
            remedy="call space.require(...) first",
        )
    differs = difference(before, policy.state())
    require(
        differs is None,
        given="an update that was refused",
        seen=differs,
        remedy="check the space before the first row is learned",
    )


TAUGHT_LAWS: tuple[Law[PolicyCase], ...] = (
    leaves_the_state_unchanged,
    one_batch_equals_its_rows,
    a_weight_is_so_many_rows,
    state_round_trips,
    state_is_a_copy,
    refuses_another_space,
)


def _other_odds(case: PolicyCase, one: Policy, other: Policy) -> str | None:
    a = one.distribution(case.candidates(), case.rng())
    b = other.distribution(case.candidates(), case.rng())
    return None if np.array_equal(a, b) else f"equal states, but probabilities {a[:3]} and {b[:3]}"


def _overwrite(state: State) -> None:
    for value in state.values():
        if np.issubdtype(value.dtype, np.number) and value.flags.writeable:
            value[...] = 77
