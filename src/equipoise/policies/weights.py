"""Rows that count for more or less than one.

A row of weight w is w rows that are alike: of the noise variance sigma^2 / w where rewards are normal, w r successes in
w tries where they are counted. A whole weight so is that many copies, and a row of weight 0 is no row at all. The clock
by which old rows are forgotten goes by rows, whatever they weigh: with a discount below 1 a row of weight 2 is one
moment, and two rows are two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, InputError, State
from equipoise.policies.stored import stored

HEAVIEST = 1000.0
"""The most that a row may weigh where it is learned copy by copy."""


def heavy(batch: Batch) -> Batch:
    """The batch without its rows of weight 0; itself where rows carry no weights."""
    if batch.weights is None or (batch.weights > 0.0).all():
        return batch
    kept = np.flatnonzero(batch.weights > 0.0)
    return replace(
        batch,
        item_ids=tuple(batch.item_ids[row] for row in kept.tolist()),
        user_ids=tuple(batch.user_ids[row] for row in kept.tolist()),
        features=batch.features[kept],
        rewards=batch.rewards[kept],
        propensities=batch.propensities[kept],
        weights=batch.weights[kept],
    )


def weights_of(batch: Batch) -> Iterable[float]:
    """(n,) what each row counts."""
    return repeat(1.0, len(batch)) if batch.weights is None else batch.weights.tolist()


def copies(weight: float) -> Iterator[float]:
    """Shares of a row that add up to `weight`: 1 for each whole copy, and what is left."""
    yield from repeat(1.0, int(weight))
    if left := weight - int(weight):
        yield left


def refuse_heavy(batch: Batch, *, who: str) -> None:
    """Raises: InputError: a row is too heavy to be learned copy by copy."""
    if batch.weights is not None and (batch.weights > HEAVIEST).any():
        row = int(np.argmax(batch.weights))
        raise InputError(
            f"{who} learns a row of weight w as w copies, but row {row} weighs {batch.weights[row]:g}: scale the weights"
            f" to a mean of 1, or clip them at {HEAVIEST:g}"
        )


def surplus(batch: Batch, before: float = 0.0) -> float:
    """`before` and by how much each row counts for more than one, added up in the order of the rows."""
    if batch.weights is None:
        return before
    for weight in batch.weights.tolist():
        before += weight - 1.0
    return before


def rows_state(rows: int, surplus: float) -> NDArray[np.generic]:
    """Rows learned, and beside them their `surplus` where they did not all count for one."""
    return np.array([rows, surplus]) if surplus else np.array(rows)


def rows_stored(state: State) -> tuple[int, float]:
    """What `rows_state` stored as `rows`. Raises: InputError: it is missing or of another shape."""
    if "rows" in state and state["rows"].shape == (2,):
        rows, more = stored(state, "rows").tolist()
        return int(rows), float(more)
    return int(stored(state, "rows", ())), 0.0
