"""Token vectors to one row of unit length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, Vectors

Pooling: TypeAlias = Literal["mean", "cls", "none"]
"""`mean` over the tokens; `cls`, the first token; `none` where the graph has pooled already."""

POOLINGS: dict[str, Callable[[NDArray[Any]], Floats]] = {
    "mean": lambda tokens: tokens[0].mean(axis=0, dtype=np.float64),
    "cls": lambda tokens: tokens[0, 0].astype(np.float64),
    "none": lambda row: row[0].astype(np.float64),
}
"""One text's output, (1, tokens, d) or (1, d), to (d,). No token is padding: texts run one by one."""


def unit(row: Floats) -> Floats:
    """The row at length 1; a row of zeros, which has no direction, becomes the first axis."""
    length = float(np.sqrt(row @ row))
    if length > 0:
        return row / length
    axis = np.zeros_like(row)
    axis[0] = 1.0
    return axis


def joined(layers: Sequence[NDArray[Any]], pooling: Pooling) -> Vectors:
    """Each layer pooled and brought to length 1, side by side, the whole row at length 1.

    layers: one text's outputs, each (1, tokens, d) or (1, d). Returns: (len(layers) * d,) float32.
    """
    pool = POOLINGS[pooling]
    row = np.concatenate([unit(pool(layer)) for layer in layers])
    return np.asarray(row / np.sqrt(len(layers)), np.float32)
