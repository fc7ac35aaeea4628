"""Any transformer in a local directory: an ONNX model, its tokenizer.json, and what its configuration says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.core import EncoderError, FeatureSpace, fingerprint
from equipoise.encoders.artifact import sha256_of
from equipoise.encoders.pooling import Pooling
from equipoise.encoders.runtime import (
    MAX_TOKENS,
    Reader,
    TransformerEncoder,
    open_session,
)

MODEL_FILES = ("model.onnx", "onnx/model.onnx")
"""Where a model is looked for, in this order."""

_POOLED = "sentence_embedding"
"""What sentence-transformers calls an output that is pooled already."""

_TOKENWISE = ("last_hidden_state", "token_embeddings")
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


def open_directory(
    directory: Path,
    *,
    name: str | None = None,
    outputs: tuple[str, ...] = (),
    threads: int | None = None,
    max_tokens: int = MAX_TOKENS,
) -> TransformerEncoder:
    """The encoder in a directory of `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`.

    name: of its feature space; None is the directory's name. The version is a hash of model, tokenizer and
        how they are used.
    outputs: graph outputs to pool and join, such as middle layers; none means the last layer.
    max_tokens: a longer text is cut; the model's own limit holds where it is lower.
    Raises: EncoderError: a file is missing or damaged, or the model is of a kind that is not understood.
    """
    directory = Path(directory)
    model = model_file(directory)
    session = open_session(model)
    _check_inputs(session, model)
    chosen = outputs or (_last_layer(session, model),)
    pooling = _pooling(directory, _ranks(session, chosen, model))
    limit = min([max_tokens, *_limits(directory)])
    reader = Reader(session, _tokenizer(directory / "tokenizer.json", limit), chosen, pooling)
    version = _version(directory, model, [pooling, str(limit), *chosen])
    space = FeatureSpace(name or directory.resolve().name, version, _dim(reader, model))
    return TransformerEncoder(reader, space=space, threads=threads)


def model_file(directory: Path) -> Path:
    """The directory's ONNX file.

    Raises: EncoderError: there is none, or no tokenizer.json beside it.
    """
    found = [directory / file for file in MODEL_FILES if (directory / file).is_file()]
    if not found:
        raise EncoderError(f"{directory} has no {' or '.join(MODEL_FILES)}: export the model to ONNX")
    if not (directory / "tokenizer.json").is_file():
        raise EncoderError(f"{directory} has no tokenizer.json: save the model's fast tokenizer there")
    return found[0]


def _dim(reader: Reader, model: Path) -> int:
    """The length of a row, from encoding one text."""
    try:
        row = reader.row("a text")
    except Exception as problem:
        raise EncoderError(
            f"{model} cannot encode a text: {problem}; is tokenizer.json this model's?"
        ) from problem
    if not np.isfinite(row).all():
        raise EncoderError(f"{model} gives numbers that are not finite: export it again, in float32")
    return len(row)


def _version(directory: Path, model: Path, usage: list[str]) -> str:
    beside = sorted(path for path in model.parent.glob(f"{model.name}?data") if path.is_file())
    files = [model, *beside, directory / "tokenizer.json"]
    return fingerprint(*(sha256_of(file) for file in files), *usage)


def _check_inputs(session: Any, model: Path) -> None:
    wanted = {given.name for given in session.get_inputs()}
    if "input_ids" not in wanted or wanted - _INPUTS:
        raise EncoderError(
            f"{model} takes the inputs {', '.join(sorted(wanted))}; expected input_ids, and at most "
            "attention_mask and token_type_ids: export it for feature extraction"
        )


def _last_layer(session: Any, model: Path) -> str:
    """The output to use: one that is pooled already by name, else the token-level one, else the only (n, d)."""
    ranks = {output.name: len(output.shape or ()) for output in session.get_outputs()}
    if ranks.get(_POOLED) == 2:
        return _POOLED
    named = [name for name in _TOKENWISE if ranks.get(name) == 3]
    for candidates in (
        named,
        [n for n, r in ranks.items() if r == 3],
        [n for n, r in ranks.items() if r == 2],
    ):
        if candidates:
            return candidates[0]
    raise EncoderError(
        f"{model} has no output of token or text vectors among {', '.join(ranks)}: name it in outputs"
    )


def _ranks(session: Any, outputs: tuple[str, ...], model: Path) -> set[int]:
    known = {output.name: len(output.shape or ()) for output in session.get_outputs()}
    for name in outputs:
        if name not in known:
            raise EncoderError(f"{model} has no output {name!r}: choose among {', '.join(known)}")
    ranks = {known[name] for name in outputs}
    if not ranks <= {2, 3} or len(ranks) > 1:
        raise EncoderError(
            f"outputs {', '.join(outputs)} of {model} differ in kind: all token-level, or all pooled"
        )
    return ranks


def _pooling(directory: Path, ranks: set[int]) -> Pooling:
    """How token vectors become one, by sentence-transformers' files where there are any; else their mean."""
    if ranks == {2}:
        return "none"
    parts = _json(directory / "modules.json", default=[])
    if any("Dense" in str(part.get("type")) for part in parts if isinstance(part, dict)):
        raise EncoderError(f"{directory} has a dense layer after pooling: export it as part of the graph")
    config = _json(directory / "1_Pooling" / "config.json", default={"pooling_mode_mean_tokens": True})
    modes = {key.removeprefix("pooling_mode_") for key, value in config.items() if value is True}
    modes |= {str(config["pooling_mode"])} if "pooling_mode" in config else set()
    if "mean_tokens" in modes or "mean" in modes:
        return "mean"
    if "cls_token" in modes or "cls" in modes:
        return "cls"
    raise EncoderError(f"{directory} pools by {', '.join(sorted(modes))}: only mean and cls are known")


def _limits(directory: Path) -> list[int]:
    """The model's own limits of tokens, as far as its files tell them."""
    found = [
        _json(directory / "sentence_bert_config.json", default={}).get("max_seq_length"),
        _json(directory / "config.json", default={}).get("max_position_embeddings"),
    ]
    return [limit for limit in found if isinstance(limit, int) and limit > 0]


def _json(path: Path, *, default: Any) -> Any:
    """A JSON file's content; `default` where there is none."""
    if not path.is_file():
        return default
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise EncoderError(f"{path} is not readable JSON ({problem}): take the model's own file") from problem
    if not isinstance(content, type(default)):
        raise EncoderError(f"{path} should hold a JSON {type(default).__name__}: take the model's own file")
    return content


def _tokenizer(path: Path, max_tokens: int) -> Any:
    """The tokenizer with our own truncation and no padding, whatever its file says."""
    from tokenizers import Tokenizer

    try:
        pieces = Tokenizer.from_file(str(path))
    except Exception as problem:
        raise EncoderError(
            f"{path} is no tokenizer ({problem}): save the model's fast tokenizer there"
        ) from problem
    pieces.enable_truncation(max_tokens)
    pieces.no_padding()
    return pieces
