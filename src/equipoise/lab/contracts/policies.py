"""The laws of a Policy: candidates to a probability distribution, and settled rows to what it has learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from equipoise.core import FeatureSpace, Policy
from equipoise.lab.contracts.law import Law, check_all
from equipoise.lab.contracts.odds import ODDS_LAWS
from equipoise.lab.contracts.policy_case import PolicyCase
from equipoise.lab.contracts.slates import SLATE_LAWS
from equipoise.lab.contracts.taught import TAUGHT_LAWS

POLICY_LAWS: tuple[Law[PolicyCase], ...] = (*ODDS_LAWS, *TAUGHT_LAWS, *SLATE_LAWS)


def check_policy(
    make: Callable[[], Policy],
    space: FeatureSpace,
    *,
    floor: float = 0.0,
    k: int = 12,
    item_ids: Sequence[str] = (),
    tolerance: float = 1e-12,
    forgets: bool = False,
    seed: int = 0,
) -> None:
    """Every law of a policy; arguments as in `PolicyCase`. Raises: ContractError."""
    check_all(
        POLICY_LAWS,
        PolicyCase(
            make, space, floor, k, item_ids=tuple(item_ids), tolerance=tolerance, forgets=forgets, seed=seed
        ),
    )
