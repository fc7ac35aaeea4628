"""Evidence, one row a slot, to a log of slates, one row a decision."""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.slates.log import SlateLog


def slates_of(evidence: Evidence, *, slot_weights: Floats | None = None) -> SlateLog:
    """The same rows, those of one decision beside each other.

    A slate is what the log has of it: where a slot was left out, those below move up, and what was drawn there no
    longer weighs. Without decision_id in the log every row is a slate of one.
    Raises: InputError: no rows. PropensityError.
    """
    if not len(evidence):
        raise InputError("there is no row to make slates of: was everything left out?")
    lengths = np.bincount(evidence.decisions)
    starts = np.cumsum(lengths) - lengths
    places = np.arange(len(evidence)) - starts[evidence.decisions]
    shape = (len(lengths), int(lengths.max()))
    rewards, propensities, target = np.zeros(shape), np.ones(shape), np.ones(shape)
    here = (evidence.decisions, places)
    rewards[here], propensities[here], target[here] = (
        evidence.rewards,
        evidence.propensities,
        evidence.target,
    )
    return SlateLog(rewards, propensities, target, lengths=lengths, slot_weights=slot_weights)
