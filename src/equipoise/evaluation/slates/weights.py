"""Importance weights of slots: how much more often the target policy would have shown this than the log did.

Letters: rho_j = target / propensity of slot j given the slots above. A slot that a row does not have weighs 1.
"""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.slates.log import SlateLog


def slot_ratios(log: SlateLog) -> Floats:
    """(n, m) rho_j, each slot by itself."""
    ratios = np.ones(log.rewards.shape)
    np.divide(log.target, log.propensities, out=ratios, where=log.filled)
    return ratios


def running_ratios(log: SlateLog) -> Floats:
    """(n, m) rho_1 ... rho_j: of this slot and all above it."""
    return np.asarray(np.cumprod(slot_ratios(log), axis=1))


def slate_ratios(log: SlateLog) -> Floats:
    """(n, m) rho_1 ... rho_m in every column: of the slate as a whole."""
    return np.broadcast_to(running_ratios(log)[:, -1:], log.rewards.shape)


def slot_rewards(log: SlateLog) -> Floats:
    """(n, m) rewards times slot weights, 0 where a row has no such slot."""
    rewards = np.where(log.filled, log.rewards, 0.0)
    return rewards if log.slot_weights is None else np.asarray(rewards * log.slot_weights)


def worth(weights: Floats, log: SlateLog) -> float:
    """Effective sample size of the slot that is worth least, in rows.

    Of each slot, Kish's share (sum w)^2 / (n_j sum w^2) over the n_j rows that have it (Kish 1965); the least
    of the shares, times n. Returns: above 0 and at most n; 0 if a slot has no weight left at all.
    """
    filled = log.filled
    present = filled.any(axis=0)
    kept = np.where(filled, weights, 0.0)[:, present]
    squares = (kept * kept).sum(axis=0)
    shares = np.divide(
        kept.sum(axis=0) ** 2,
        squares * filled.sum(axis=0)[present],
        where=squares > 0.0,
        out=np.zeros(squares.shape),
    )
    return float(len(log) * shares.min())
