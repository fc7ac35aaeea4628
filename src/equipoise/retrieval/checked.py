"""What a caller hands in, refused with a remedy before it can do harm."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from equipoise.core import FeatureSpace, FeatureSpaceError, InputError, Vectors

_ROWS_AT_ONCE = 4096


def checked_ids(item_ids: Sequence[str]) -> tuple[str, ...]:
    """Distinct item_ids, as a tuple.

    Raises: InputError: one string instead of several, or the same item_id twice.
    """
    if isinstance(item_ids, str):
        raise InputError(f"item_ids is the one string {item_ids!r}: give a list, [{item_ids!r}]")
    ids = tuple(item_ids)
    if len(set(ids)) != len(ids):
        twice, times = Counter(ids).most_common(1)[0]
        raise InputError(f"item {twice!r} comes {times} times in one put, which of them counts? Keep one")
    return ids


def checked_vectors(
    vectors: Vectors, n: int, space: FeatureSpace, *, item_ids: Sequence[str] | None = None
) -> Vectors:
    """(n, d) finite C-contiguous float32: the caller's own array where it is that already.

    item_ids: (n,) names for the message about a row that is not finite.
    Raises: InputError: not a matrix, another number of rows, NaN or infinity. FeatureSpaceError: another d.
    """
    matrix = _as_matrix(vectors)
    if matrix.shape[1] != space.dim:
        raise FeatureSpaceError(
            f"this index works in {space} but got vectors of d={matrix.shape[1]}: "
            "encode with the encoder of this space, or make an index in the space of these vectors"
        )
    if len(matrix) != n:
        raise InputError(f"{n} item_ids came with {len(matrix)} vectors: give one vector for each item")
    _refuse_not_finite(matrix, item_ids)
    return matrix


def checked_queries(queries: Vectors, space: FeatureSpace) -> Vectors:
    """(q, d) finite float32 with q of 1 or more. Raises: as `checked_vectors`."""
    q = np.shape(queries)[0] if np.ndim(queries) else 0
    matrix = checked_vectors(queries, q, space)
    if not q:
        raise InputError("0 queries: give at least one, as an array of shape (q, d)")
    return matrix


def checked_k(k: SupportsIndex) -> int:
    """Raises: InputError: k is below 1 or no whole number."""
    try:
        number = operator.index(k)
    except TypeError:
        raise InputError(f"k is {k!r}, expected a whole number of 1 or more") from None
    if number < 1:
        raise InputError(f"k is {number}, expected 1 or more: how many items do you want?")
    return number


def checked_mask(allowed: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Raises: InputError: not n booleans."""
    mask = np.asarray(allowed)
    if mask.dtype != np.bool_ or mask.shape != (n,):
        raise InputError(
            f"allowed has shape {mask.shape} and type {mask.dtype}, expected ({n},) bool, one for each row: "
            "take the mask and the search from one view of the index"
        )
    return mask


def checked_bonus(bonus: NDArray[np.floating], n: int) -> Vectors:
    """(n,) or (q, n) finite float32. Raises: InputError: another shape, NaN or infinity."""
    added = np.asarray(bonus, dtype=np.float32)
    if added.ndim not in (1, 2) or added.shape[-1] != n or not np.isfinite(added).all():
        raise InputError(
            f"bonus has shape {added.shape}, expected {n} finite numbers, one for each row: "
            "to forbid an item use `allowed`"
        )
    return added


def _as_matrix(vectors: Vectors) -> Vectors:
    try:
        # asarray keeps a memmap's pages where they are; asarray of a plain array is that array
        with np.errstate(
            over="ignore"
        ):  # what is too large for float32 becomes infinite and is refused below
            matrix = np.ascontiguousarray(np.asarray(vectors), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"vectors cannot be read as float32 numbers ({error}): give an (n, d) array"
        ) from None
    if np.ndim(vectors) != 2:
        raise InputError(f"vectors have shape {np.shape(vectors)}, expected (n, d): one row for each item")
    return matrix


def _refuse_not_finite(matrix: Vectors, item_ids: Sequence[str] | None) -> None:
    """In steps of 4096 rows, so that the check itself needs little memory."""
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        fine = np.isfinite(matrix[start : start + _ROWS_AT_ONCE]).all(axis=1)
        if not fine.all():
            row = start + int(np.argmin(fine))
            who = f"row {row}" if item_ids is None else f"item {item_ids[row]!r} (row {row})"
            raise InputError(f"the vector of {who} has NaN or infinity in it: every number must be finite")
