"""What a policy refuses to look at or to learn from, before anything is touched."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import blas

from equipoise.core import (
    Batch,
    Candidates,
    FeatureSpace,
    Floats,
    InputError,
    NoCandidatesError,
    PropensityError,
    Vectors,
)

REMEDY = "run 'equipoise replay --rebuild' to rebuild it from the journal, or use the encoder and pairing it learned in"

FLOAT32 = np.dtype(np.float32)


def check_candidates(candidates: Candidates, space: FeatureSpace, *, who: str) -> None:
    """Raises: NoCandidatesError, FeatureSpaceError or InputError."""
    if candidates.space is not space:
        space.require(candidates.space, who=who, remedy=REMEDY)
    if not len(candidates):
        raise NoCandidatesError(f"{who} was given no candidates: widen the request's filters")
    _check_features(candidates.features, len(candidates), space.dim, who=who)


def check_batch(batch: Batch, space: FeatureSpace, *, who: str) -> None:
    """Raises: FeatureSpaceError, InputError, or PropensityError for a propensity outside (0, 1]."""
    if batch.space is not space:
        space.require(batch.space, who=who, remedy=REMEDY)
    n = len(batch.item_ids)
    _check_features(batch.features, n, space.dim, who=who)
    if not len(batch.user_ids) == len(batch.rewards) == len(batch.propensities) == n:
        raise InputError(
            f"{who} was given {n} item_ids, {len(batch.user_ids)} user_ids, {len(batch.rewards)} rewards and"
            f" {len(batch.propensities)} propensities: give one of each a row"
        )
    _check_numbers(batch.rewards, batch.propensities, who=who)


def is_sound_row(batch: Batch, space: FeatureSpace) -> bool:
    """Whether the batch is a single row that `check_batch` finds nothing amiss in; False may mean anything.

    Asked in as few steps as can be: a row is learned in a few microseconds, of which that would take a fifth.
    """
    features, rewards, propensities = batch.features, batch.rewards, batch.propensities
    return (
        len(batch.item_ids) == len(batch.user_ids) == len(rewards) == len(propensities) == 1
        and batch.space is space
        and features.shape == (1, space.dim)
        and features.dtype is FLOAT32
        and math.isfinite(blas.sasum(features) + rewards.item())
        and 0.0 < propensities.item() <= 1.0
    )


def _check_numbers(rewards: Floats, propensities: Floats, *, who: str) -> None:
    """Plain numbers, since for the few rows of a decision numpy's calls take longer than its loops save."""
    if len(rewards) == 1 and math.isfinite(rewards.item()) and 0.0 < propensities.item() <= 1.0:
        return
    odds = propensities.tolist()
    # the sums are finite only if every term is; what NaN would do to min and max then cannot happen
    if math.isfinite(sum(rewards.tolist()) + sum(odds)) and (not odds or 0.0 < min(odds) <= max(odds) <= 1.0):
        return
    bad = np.flatnonzero(~np.isfinite(rewards))
    if bad.size:
        raise InputError(f"{who} cannot learn reward {rewards[bad[0]]} of row {bad[0]}: it must be finite")
    odd = np.flatnonzero(~((propensities > 0.0) & (propensities <= 1.0)))
    if odd.size:
        raise PropensityError(
            f"{who} cannot learn row {odd[0]} with propensity {propensities[odd[0]]}: it must lie in (0, 1],"
            " as the dice that chose it reported"
        )


def finite(features: Vectors) -> bool:
    """Whether there is neither NaN nor infinity: one sum of sizes, which they would spoil, and seldom a closer look."""
    if not features.size:
        return True
    sizes = blas.sasum if features.dtype.char == "f" else blas.dasum
    return math.isfinite(sizes(features.ravel())) or bool(np.isfinite(features).all())


def check_means(means: Floats, k: int, *, who: str) -> None:
    """Raises: NoCandidatesError, or InputError: there is not one finite mean for each of k items."""
    if not k:
        raise NoCandidatesError(f"{who} was given no items: widen the request's filters")
    if means.shape != (k,) or not np.isfinite(means).all():
        raise InputError(
            f"{who} was given means of shape {means.shape} for {k} items: give one finite mean each"
        )


def refuse_outside_unit(rewards: Floats, *, who: str) -> None:
    """Raises: InputError: a reward outside [0, 1]."""
    bad = np.flatnonzero((rewards < 0.0) | (rewards > 1.0))
    if bad.size:
        raise InputError(
            f"{who} cannot learn reward {rewards[bad[0]]} of row {bad[0]}: it must lie in [0, 1], so scale"
            " the reward specification or take another posterior"
        )


def _check_features(features: Vectors, n: int, dim: int, *, who: str) -> None:
    if features.shape != (n, dim):
        raise InputError(f"{who} was given features of shape {features.shape} but expects ({n}, {dim})")
    if not finite(features):
        row, column = np.argwhere(~np.isfinite(features))[0]
        raise InputError(
            f"{who} was given {features[row, column]} as feature {column} of row {row}: features must be finite"
        )
