"""onnxruntime, set up for one text at a time, and the encoder that runs any transformer through it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from equipoise.core import EncoderError, FeatureSpace, Vectors
from equipoise.encoders.pooling import Pooling, joined
from equipoise.encoders.texts import readable

MAX_TOKENS = 256
_WORTH_THREADS = 8
"""Fewer texts than this run faster without waking other threads."""

_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
"""The types of token ids that graphs ask for."""


class Tokenizer(Protocol):
    """The one call that is needed of a `tokenizers.Tokenizer`."""

    def encode(self, sequence: Any, /) -> Any: ...


def default_threads() -> int:
    """Two, or one on a machine with one processor: more contend with whatever else it serves."""
    return min(2, os.cpu_count() or 1)


def open_session(model: Path | bytes) -> Any:
    """An `onnxruntime.InferenceSession` that may be run from several threads at once.

    Each run stays on its caller's thread and nothing spins while idle: two threads a run are slower than one
    on a busy machine. Without the memory arena, a long text's buffers are given back.

    Raises: EncoderError: onnxruntime does not accept the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        what = "the built graph" if isinstance(model, bytes) else str(model)
        raise EncoderError(f"onnxruntime cannot open {what}: {problem}; is it an ONNX model?") from problem


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A tokenizer, a session and how its outputs become a row. Safe to call from several threads."""

    session: Any
    tokenizer: Tokenizer
    outputs: tuple[str, ...]
    pooling: Pooling

    def row(self, text: str) -> Vectors:
        """Returns: (d,) float32 of unit length."""
        ids = self.tokenizer.encode(text).ids
        return joined(self.session.run(list(self.outputs), self._feeds(ids)), self.pooling)

    def _feeds(self, ids: list[int]) -> dict[str, Any]:
        """What the graph asks for, (1, tokens) each: every token is real (mask 1), in the first sentence (0)."""
        feeds = {}
        for given in self.session.get_inputs():
            values = ids if given.name == "input_ids" else [int(given.name == "attention_mask")] * len(ids)
            feeds[given.name] = np.array([values], _INTEGERS[given.type])
        return feeds


class TransformerEncoder:
    """Texts through a `Reader`, one text per run.

    Padding texts to a common length changes the last bits of a row, and a scale of activations taken over a
    batch changes far more; so each text runs alone, which costs a CPU no speed, and its row depends on
    nothing but the text. `_WORTH_THREADS` texts or more are shared among `threads` threads.
    """

    def __init__(self, reader: Reader, *, space: FeatureSpace, threads: int | None = None) -> None:
        self._reader = reader
        self._space = space
        self._threads = default_threads() if threads is None else max(1, threads)

    @property
    def space(self) -> FeatureSpace:
        return self._space

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Returns: (n, d) float32, rows of unit length; an empty text's row is that of its special tokens."""
        rows = self._rows(readable(texts))
        return np.stack(rows) if rows else np.zeros((0, self._space.dim), np.float32)

    def _rows(self, texts: list[str]) -> list[Vectors]:
        if self._threads == 1 or len(texts) < _WORTH_THREADS:
            return [self._reader.row(text) for text in texts]
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(self._reader.row, texts))
