"""A log of slates: what every slot earned, how likely it was as logged, and how likely the other policy makes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError, PropensityError

SLACK = 1e-9
"""How far above 1 a probability may lie and still be rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class SlateLog:
    """n decisions of at most m slots, top slot first.

    rewards: (n, m). propensities: (n, m) in (0, 1], the logged probability of each slot's item given the slots
        above it. target: (n, m) in [0, 1], what the evaluated policy gives that same item given those same
        slots above. A slot that the request had pinned has 1 in both.
    lengths: (n,) int, how many slots each decision really had, 1 to m; None says that all have m. What stands
        behind a row's length is ignored.
    slot_weights: (m,) what a slot's reward counts for in the value; None counts each 1, so that the value is
        the expected sum of a slate's rewards.
    q_shown: (n, m), a reward model's forecast of the weighted rewards from this slot downwards, given the shown
        item and those above it, if the target policy fills the slots below. q_expected: (n, m), that forecast's
        mean over the target policy's item for this slot, given those above. Both or none.
    Raises: InputError: shapes that differ, no rows, a reward, weight or forecast that is not finite, or a length
        out of range. PropensityError: a propensity or target probability that cannot be one.
    """

    rewards: Floats
    propensities: Floats
    target: Floats
    lengths: NDArray[np.int64] | None = None
    slot_weights: Floats | None = None
    q_shown: Floats | None = None
    q_expected: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("rewards", "propensities", "target", "slot_weights", "q_shown", "q_expected"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _numbers(name, value))
        _shapes(self)
        filled = self.filled
        _finite("rewards", self.rewards, filled)
        _probabilities("propensities", self.propensities, filled, zero=False)
        _probabilities("target", self.target, filled, zero=True)
        if self.q_shown is not None and self.q_expected is not None:
            _finite("q_shown", self.q_shown, filled)
            _finite("q_expected", self.q_expected, filled)

    def __len__(self) -> int:
        return int(self.rewards.shape[0])

    @property
    def slots(self) -> int:
        """m, the most slots that a row can have."""
        return int(self.rewards.shape[1])

    @property
    def filled(self) -> NDArray[np.bool_]:
        """(n, m), True where the row has this slot."""
        if self.lengths is None:
            return np.ones(self.rewards.shape, dtype=np.bool_)
        return np.asarray(np.arange(self.slots) < self.lengths[:, None])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> SlateLog:
        """The log of these rows, in this order; a row may come more than once, as a bootstrap wants it."""
        return SlateLog(
            rewards=self.rewards[rows],
            propensities=self.propensities[rows],
            target=self.target[rows],
            lengths=None if self.lengths is None else self.lengths[rows],
            slot_weights=self.slot_weights,
            q_shown=None if self.q_shown is None else self.q_shown[rows],
            q_expected=None if self.q_expected is None else self.q_expected[rows],
        )


def _numbers(name: str, value: object) -> Floats:
    """Raises: InputError: something in it is no number."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} must hold numbers only, but {error}: look for text in that column"
        ) from error


def _shapes(log: SlateLog) -> None:
    shape = log.rewards.shape
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"rewards have shape {shape} but must be (n, m), with a row and a slot at least")
    for name in ("propensities", "target", "q_shown", "q_expected"):
        value = getattr(log, name)
        if value is not None and value.shape != shape:
            raise InputError(
                f"{name} has shape {value.shape} but rewards have {shape}: give one number a slot"
            )
    if (log.q_shown is None) != (log.q_expected is None):
        raise InputError("only one of q_shown and q_expected was given: a baseline needs both")
    _weights(log.slot_weights, shape[1])
    _lengths(log.lengths, shape)


def _weights(weights: Floats | None, m: int) -> None:
    if weights is not None and (weights.shape != (m,) or not np.all(np.isfinite(weights))):
        raise InputError(f"slot_weights are {weights} but must be {m} finite numbers, one a slot")


def _lengths(lengths: NDArray[np.int64] | None, shape: tuple[int, ...]) -> None:
    if lengths is None:
        return
    if np.shape(lengths) != shape[:1] or not np.issubdtype(lengths.dtype, np.integer):
        raise InputError(
            f"lengths have shape {np.shape(lengths)} but must be {shape[0]} whole numbers, one a row"
        )
    wrong = np.flatnonzero((lengths < 1) | (lengths > shape[1]))
    if wrong.size:
        raise InputError(
            f"row {wrong[0]} has {lengths[wrong[0]]} slots but must have 1 to {shape[1]}: leave out empty slates"
        )


def _finite(name: str, value: Floats, filled: NDArray[np.bool_]) -> None:
    wrong = np.argwhere(filled & ~np.isfinite(value))
    if wrong.size:
        row, slot = wrong[0]
        raise InputError(
            f"{name} of row {row}, slot {slot} is {value[row, slot]} but must be a finite number: "
            f"leave that row out ({len(wrong)} such)"
        )


def _probabilities(name: str, value: Floats, filled: NDArray[np.bool_], *, zero: bool) -> None:
    sound = ((value >= 0.0) if zero else (value > 0.0)) & (value <= 1.0 + SLACK)
    wrong = np.argwhere(filled & ~sound)
    if wrong.size:
        row, slot = wrong[0]
        raise PropensityError(
            f"{name} of row {row}, slot {slot} is {value[row, slot]} but must be {'0' if zero else 'above 0'} "
            f"to 1: what was shown had a chance of being shown ({len(wrong)} such)"
        )
