"""The dice. Everything that is shown is chosen here, by the probabilities that are written down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Choice, Floats, InputError, PropensityError, SlateDistribution

SUM_TOLERANCE = 1e-9

BLOCK = 128
"""Probabilities are added up in blocks where there are many: a running sum waits for each number before the next."""

MANY = 1_024
"""Where blocks begin to save more than they cost."""


def draw(
    distribution: Floats | SlateDistribution,
    m: int,
    rng: np.random.Generator,
    *,
    taken: Sequence[int] = (),
) -> Choice:
    """Choose m of k candidates, top-down and without replacement.

    distribution: (k,) probabilities, which for every further slot are renormalised over the candidates that
        are left; or a slate's distribution, which says itself what each slot's is, given those above.
    taken: positions that are gone before slot 0, such as pinned ones.

    Returns: the positions, and for each the probability with which it was drawn, given `taken` and the slots
        above it. One uniform number is used a slot, always.
    Raises: InputError: m is below 1, or more than there are candidates left. PropensityError: probabilities
        that are negative, NaN or do not sum to 1, or fewer than m candidates with a probability above 0.
    """
    if m < 1:
        raise InputError(f"slots is {m} but must be 1 or more: ask for at least one")
    if m == 1 and not taken and isinstance(distribution, np.ndarray):
        position = pick(distribution, rng.random())
        return Choice(np.array([position], dtype=np.int64), distribution[position : position + 1].copy())
    slate: SlateDistribution
    slate = _Renormalised(distribution) if isinstance(distribution, np.ndarray) else distribution
    above = [int(position) for position in taken]
    gone, propensities = len(above), []
    for _ in range(m):
        probabilities = slate.given(above)
        if len(above) == gone:
            _enough(m, k=len(probabilities), taken=gone)
        position = pick(probabilities, rng.random())
        propensities.append(probabilities.item(position))
        above.append(position)
    return Choice(np.array(above[gone:], dtype=np.int64), np.array(propensities))


def pick(probabilities: Floats, uniform: float) -> int:
    """The position at which the running sum of the probabilities first exceeds `uniform`, in [0, 1).

    A probability of 0 is never picked, whatever rounding does to the sum. probabilities: (k,).
    Raises: PropensityError: they are negative, NaN or do not sum to 1.
    """
    if probabilities.ndim != 1 or not probabilities.size:
        _sound(probabilities, 0.0)
    if probabilities.size > MANY:
        position = _blockwise(probabilities, uniform)
    else:
        sums = np.add.accumulate(probabilities)  # at half the price of `cumsum` among other work
        total = sums.item(-1)
        _sound(probabilities, total)
        position = int(sums.searchsorted(uniform * total, "right"))
    if position < len(probabilities) and probabilities.item(position) > 0.0:
        return position
    return int(np.flatnonzero(probabilities[:position])[-1])


def _blockwise(probabilities: Floats, uniform: float) -> int:
    """The same position, up to rounding, by the running sum of blocks and then that inside of one."""
    blocks = np.add.accumulate(np.add.reduceat(probabilities, np.arange(0, len(probabilities), BLOCK)))
    total = blocks.item(-1)
    _sound(probabilities, total)
    point = uniform * total
    block = min(int(blocks.searchsorted(point, "right")), len(blocks) - 1)
    inside = np.add.accumulate(probabilities[BLOCK * block : BLOCK * (block + 1)])
    if block:
        inside += blocks[block - 1]
    return BLOCK * block + int(inside.searchsorted(point, "right"))


class _Renormalised:
    """A plain distribution as a slate's: what is left keeps its proportions."""

    def __init__(self, probabilities: Floats) -> None:
        self._probabilities = probabilities
        self._checked = False
        if probabilities.ndim != 1 or not probabilities.size:
            self._check()

    def given(self, above: Sequence[int]) -> Floats:
        if not above:
            return self._probabilities  # as they are, and so `pick` checks them
        self._check()
        left = self._probabilities.copy()
        left[list(above)] = 0.0
        # The sum of what is left, not 1 less what is gone: the difference of near numbers would lose digits.
        total = float(left.sum())
        if total > 0.0:
            return left / total
        shown = int(np.count_nonzero(self._probabilities))
        raise PropensityError(
            f"slot {len(above)} has no candidate with a probability above 0: only {shown} of {len(left)}"
            " have one, so ask for fewer slots or give the policy a floor"
        )

    def _check(self) -> None:
        """What is renormalised is checked before, once: proportions of what is no distribution would pass."""
        if not self._checked:
            _sound(self._probabilities, float(self._probabilities.sum()))
            self._checked = True


def _enough(m: int, *, k: int, taken: int) -> None:
    if m > k - taken:
        raise InputError(f"{m} slots but only {k - taken} candidates left: ask for at most {k - taken}")


def _sound(probabilities: NDArray[np.float64], total: float) -> None:
    """total: their sum. Raises: PropensityError: these are no probabilities."""
    if probabilities.ndim != 1:
        raise PropensityError(f"probabilities must be (k,) but have shape {probabilities.shape}")
    if not probabilities.size or not probabilities.item(probabilities.argmin()) >= 0.0:
        raise PropensityError(
            "probabilities must be numbers of 0 or more, for at least one candidate, but the least is"
            f" {float(probabilities.min()) if probabilities.size else 'missing'}"
        )
    if not abs(total - 1.0) <= SUM_TOLERANCE:
        raise PropensityError(f"probabilities sum to {total!r} but must sum to 1: divide them by their sum")
