"""Short texts through the embedded encoder, one thread, beside the model as it ships."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise.encoders.minilm import open_minilm

from .measure import WORDS, Row, row, side_by_side

BATCH = 32


def texts(count: int) -> list[str]:
    """Seven words or so each, all different."""
    picks = np.random.default_rng(2).integers(0, len(WORDS), (count, 6))
    return [" ".join(WORDS[word] for word in words) + f" {row}" for row, words in enumerate(picks)]


def rows(folder: Path) -> Iterator[Row]:
    """The compact graph that the encoder folds at first use, and the shipped one that it is folded from."""
    given = texts(400)
    compact, shipped = (open_minilm(threads=1, compact=chosen) for chosen in (True, False))
    short = compact.encode(given), shipped.encode(given)
    cosines = np.einsum("nd,nd->n", *short)
    found = side_by_side(
        "encode, one short text",
        lambda number: compact.encode(some(given, number)),
        "the model as it ships",
        lambda number: shipped.encode(some(given, number)),
        rounds=24,
        warm_up=1,
    )
    yield row(found.name, found.ours_ms / BATCH, found.peer, found.peer_ms / BATCH)
    print(
        f"{1000 * BATCH / found.ours_ms:.0f} short texts a processor-second, cosine to the shipped model"
        f" {cosines.min():.4f} or more, {cosines.mean():.4f} in the mean",
        file=sys.stderr,
    )


def some(given: list[str], number: int) -> list[str]:
    """32 of the texts, others every turn."""
    start = number * BATCH % (len(given) - BATCH)
    return given[start : start + BATCH]
