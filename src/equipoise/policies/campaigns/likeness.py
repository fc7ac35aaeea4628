"""How alike two texts are: an exponential kernel on rows of several parts, such as the layers of an encoder.

Each part is brought to length 1 and divided by its typical distance, so that |x - x'| is about 1 for two arms that have
nothing to do with each other.
"""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats

SAMPLED = 400
"""Arms among which a part's typical distance is measured."""


def typical_distances(features: Floats, parts: int) -> Floats:
    """(parts,) the median distance between two arms within each part; 1 where all arms are alike."""
    every = max(1, len(features) // SAMPLED)
    blocks = _unit_parts(features[::every], parts)
    pairs = np.triu_indices(blocks.shape[0], 1)
    medians = [
        np.median(_distances(rows, rows)[pairs]) if len(pairs[0]) else 0.0
        for rows in np.moveaxis(blocks, 1, 0)
    ]
    return np.array([median if median > 1e-6 else 1.0 for median in medians])


def placed(features: Floats, scales: Floats) -> Floats:
    """(n, d) the features so that two arms of typical distance in every part are 1 apart."""
    blocks = _unit_parts(features, len(scales))
    return np.asarray((blocks / (scales[:, np.newaxis] * np.sqrt(len(scales)))).reshape(features.shape))


def likeness(these: Floats, those: Floats, apart: Floats | float = 0.0) -> Floats:
    """(n, m) exp(-distance - apart): 1 for the same text, about .37 for a pair like any other. apart: (n, m) in time."""
    distances = _distances(these, those)
    distances += apart
    return np.exp(np.negative(distances, out=distances), out=distances)


def _unit_parts(features: Floats, parts: int) -> Floats:
    """(n, parts, d / parts), each of length 1 where it is not all 0."""
    blocks = features.reshape(len(features), parts, -1)
    length = np.linalg.norm(blocks, axis=2, keepdims=True)
    return np.asarray(blocks / np.where(length > 0.0, length, 1.0))


def _distances(these: Floats, those: Floats) -> Floats:
    """(n, m). A square below 1e-9 is what rounding leaves of a text's distance to itself."""
    squares = -2.0 * (these @ those.T)
    squares += np.square(these).sum(axis=1)[:, np.newaxis]
    squares += np.square(those).sum(axis=1)
    squares[squares < 1e-9] = 0.0
    return np.sqrt(squares, out=squares)
