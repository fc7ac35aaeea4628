"""A model of the Hugging Face hub, by its name: downloaded once into the cache folder, then a directory."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from equipoise.core import EncoderError, MissingExtraError
from equipoise.encoders.artifact import cache_folder
from equipoise.encoders.directory import MODEL_FILES, open_directory
from equipoise.encoders.runtime import TransformerEncoder

WANTED_FILES = (
    *MODEL_FILES,
    *(f"{file}?data" for file in MODEL_FILES),
    "tokenizer.json",
    "config.json",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)
"""Patterns of the only files that are fetched."""

_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def hub_name(spec: str) -> bool:
    """Whether a text can be a model's name on the hub: `organisation/model`."""
    return _NAME.fullmatch(spec) is not None


def open_hub(
    name: str,
    *,
    outputs: tuple[str, ...] = (),
    cache: Path | None = None,
    threads: int | None = None,
    download: Callable[..., str] | None = None,
) -> TransformerEncoder:
    """The encoder `organisation/model`.

    download: what fetches it, with the arguments of `huggingface_hub.snapshot_download`, which is the default.
    Raises: MissingExtraError: huggingface_hub is not installed. EncoderError: the hub cannot be reached and
        the model is not in the cache, or it is no model that `open_directory` understands.
    """
    fetch = download or _snapshot_download()
    folder = cache_folder(cache) / "hub"
    try:
        found = fetch(repo_id=name, allow_patterns=list(WANTED_FILES), cache_dir=str(folder))
    except Exception as problem:  # the client raises errors of several libraries
        raise EncoderError(
            f"cannot fetch {name!r} from the Hugging Face hub ({type(problem).__name__}: {problem}): check the "
            "name and the network, or download it elsewhere and give the path of its directory"
        ) from problem
    return open_directory(Path(found), name=name, outputs=outputs, threads=threads)


def _snapshot_download() -> Any:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as problem:
        raise MissingExtraError(
            "a model of the hub needs huggingface-hub: pip install 'equipoise[hub]'"
        ) from problem
    return snapshot_download
