"""Words and letter sequences, hashed: an encoder that needs no model and knows no meaning.

Near spellings come near, synonyms don't. For a catalogue whose words do the work, for tests, and for machines
where no model may be installed.

Reference: Weinberger et al. 2009 (signed feature hashing); subword features as in Bojanowski et al. 2017.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from equipoise.core import FeatureSpace, InputError, Vectors
from equipoise.encoders.pooling import unit
from equipoise.encoders.texts import readable

_WORD = re.compile(r"\w+")
_SIZES, _DENSE_SIZES = (3, 4), (1, 2, 3)
_DENSE_FROM = "\u2e80"
"""From here on, in the order of Unicode, stand the scripts that write no spaces between words."""

_SEQUENCE_WEIGHT = 0.5
"""Of a letter sequence, next to 1 for a whole word: a word has several times as many of them."""


class HashingEncoder:
    """Signed feature hashing of words and of letter sequences within words, to unit length.

    A feature seen t times in a text counts 1 + log t. Its axis and sign come from its BLAKE2b hash, so rows
    are the same on every machine and in every process. A text without any word is the first axis.
    """

    def __init__(self, dim: int = 256) -> None:
        if dim < 1:
            raise InputError(f"a hashing encoder of dim {dim}: expected 1 or more; 256 is usual")
        self._space = FeatureSpace("hashing", "1", dim)

    @property
    def space(self) -> FeatureSpace:
        return self._space

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Returns: (n, dim) float32, rows of unit length."""
        rows = np.zeros((len(texts), self._space.dim), np.float32)
        for row, text in zip(rows, readable(texts), strict=True):
            row[:] = self._row(text)
        return rows

    def _row(self, text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        row = np.zeros(self._space.dim)
        for feature, times in Counter(_features(text.lower())).items():
            code = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
            weight = 1.0 if feature.startswith("=") else _SEQUENCE_WEIGHT
            sign = 1.0 if code & 1 else -1.0
            row[(code >> 1) % self._space.dim] += sign * weight * (1 + math.log(times))
        return unit(row)


def _features(text: str) -> Iterator[str]:
    """`=word` for each word; for `shoe` also `<sh`, `sho`, `hoe`, `oe>` and `<sho`, `shoe`, `hoe>`."""
    for word in _WORD.findall(text):
        yield f"={word}"
        dense = max(word) >= _DENSE_FROM
        framed = word if dense else f"<{word}>"
        for size in _DENSE_SIZES if dense else _SIZES:
            yield from (framed[start : start + size] for start in range(len(framed) - size + 1))
