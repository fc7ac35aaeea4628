"""Randomness that belongs to an item and not to its position among the candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Vectors


def ranks(item_ids: tuple[str, ...]) -> NDArray[np.int64]:
    """Returns: (k,) the place of each item_id among them all in order."""
    places = np.empty(len(item_ids), dtype=np.int64)
    places[sorted(range(len(item_ids)), key=item_ids.__getitem__)] = np.arange(len(item_ids))
    return places


def by_item(drawn: Vectors, item_ids: tuple[str, ...]) -> Vectors:
    """drawn: (s, k), its columns in the order of item_ids. Returns: (s, k), each column at its candidate."""
    return drawn.take(ranks(item_ids), axis=1)
