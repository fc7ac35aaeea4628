"""Settled decisions to a log of slates: the journal's own slot propensities, with nothing to fill in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.core import Floats, InputError, Logged, SlateDistribution
from equipoise.evaluation.slates.log import SlateLog


def chances_of(slate: SlateDistribution, positions: Sequence[int]) -> Floats:
    """(m,) what a slate's distribution gives the shown items, each given those above it.

    positions: (m,) of the shown items among the policy's candidates, top first; -1 where the request had pinned
    the slot: no dice were thrown for it, so its chance is 1.
    """
    above: list[int] = []
    chances = np.ones(len(positions))
    for slot, position in enumerate(positions):
        if position >= 0:
            chances[slot] = slate.given(tuple(above))[position]
            above.append(position)
    return chances


def slate_log(
    settled: Sequence[Logged], target: Sequence[Floats], *, slot_weights: Floats | None = None
) -> SlateLog:
    """The log of settled decisions under a target policy. Slates may have different lengths.

    target: (n,) arrays, for each decision the (m,) chances of its shown items (see `chances_of`).
    Raises: InputError: no decision, or as many targets as decisions or slots are not there. PropensityError.
    """
    if not settled or len(settled) != len(target):
        raise InputError(
            f"{len(settled)} decisions but {len(target)} targets: give one array of chances a decision, one at least"
        )
    lengths = np.array([len(entry.decision.slots) for entry in settled], dtype=np.int64)
    shape = (len(settled), int(lengths.max()))
    rewards, propensities, chances = np.zeros(shape), np.ones(shape), np.ones(shape)
    for row, (entry, given) in enumerate(zip(settled, target, strict=True)):
        m = lengths[row]
        if len(given) != m:
            raise InputError(
                f"decision {entry.decision.decision_id!r} has {m} slots but {len(given)} target chances"
            )
        rewards[row, :m] = entry.rewards
        propensities[row, :m] = [slot.propensity for slot in entry.decision.slots]
        chances[row, :m] = given
    return SlateLog(rewards, propensities, chances, lengths=lengths, slot_weights=slot_weights)
