"""An encoder by its name in the configuration, and the files that each one rests on."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from equipoise.core import ConfigurationError, Encoder, EncoderError
from equipoise.encoders.artifact import cache_folder, sha256_of
from equipoise.encoders.directory import model_file, open_directory
from equipoise.encoders.hashing import HashingEncoder
from equipoise.encoders.hub import hub_name, open_hub
from equipoise.encoders.minilm import SHIPPED_SHA256, open_minilm, shipped_path
from equipoise.encoders.minilm.model import VOCABULARY, VOCABULARY_SHA256, built_paths, named_sha256
from equipoise.encoders.multilingual import open_multilingual
from equipoise.encoders.numeric import NumericEncoder

NAMES = ("minilm", "multilingual", "hashing", "numeric")


def open_encoder(
    spec: str,
    *,
    layers: tuple[int, ...] = (),
    columns: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    cache: Path | None = None,
    threads: int | None = None,
) -> Encoder:
    """The encoder that `spec` names.

    spec: one of `NAMES`, the path of a directory with an ONNX model, or `organisation/model` on the hub.
    layers: of `minilm`. columns: of `numeric`. outputs: of a directory or a model of the hub.
    cache: the folder for what is built or downloaded; None is `$EQUIPOISE_CACHE`, else the user's cache folder.
    threads: how many texts are encoded at once; None is 2, or 1 on a single processor.
    Raises: EncoderError: no encoder has this name, or it cannot be opened. ConfigurationError: a setting
        that this encoder does not have. InputError: one out of its range.
        MissingExtraError: it needs a package that is not installed.
    """
    _refuse_foreign(spec, layers=layers, columns=columns, outputs=outputs)
    if spec == "minilm":
        return open_minilm(layers=layers, cache=cache, threads=threads)
    if spec == "multilingual":
        return open_multilingual(threads=threads)
    if spec == "hashing":
        return HashingEncoder()
    if spec == "numeric":
        return NumericEncoder(columns)
    if spec and Path(spec).is_dir():
        return open_directory(Path(spec), outputs=outputs, threads=threads)
    if hub_name(spec):
        return open_hub(spec, outputs=outputs, cache=cache, threads=threads)
    raise _unknown(spec)


def _refuse_foreign(spec: str, **settings: tuple[object, ...]) -> None:
    """A setting that would be ignored is a misunderstanding."""
    owners = {"layers": spec == "minilm", "columns": spec == "numeric", "outputs": spec not in NAMES}
    for name, value in settings.items():
        if value and not owners[name]:
            raise ConfigurationError(f"encoder {spec!r} has no {name}, got {value}: leave {name} out")


def _unknown(spec: str) -> EncoderError:
    near = difflib.get_close_matches(spec, NAMES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return EncoderError(
        f"there is no encoder {spec!r}: {hint}choose {', '.join(NAMES)}, the path of a directory with "
        "model.onnx and tokenizer.json, or a name on the Hugging Face hub such as 'organisation/model'"
    )


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that an encoder rests on.

    expected: its SHA-256, or the first digits of it; empty where any content is right.
    found: its SHA-256; empty where it cannot be read.
    """

    path: Path
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.found != "" and self.found.startswith(self.expected)


def known_files(spec: str, *, cache: Path | None = None) -> tuple[KnownFile, ...]:
    """The files of an encoder, each with the hash it should have and the one it has; for a diagnosis.

    Raises: EncoderError: the package of `minilm` is not installed, or a directory lacks a file.
    """
    if spec == "minilm":
        shipped = [(shipped_path(), SHIPPED_SHA256), (VOCABULARY, VOCABULARY_SHA256)]
        built = [(path, named_sha256(path)) for path in built_paths(cache_folder(cache))]
        return tuple(_known(path, expected) for path, expected in shipped + built)
    if spec and spec not in NAMES and Path(spec).is_dir():
        return tuple(_known(path, "") for path in (model_file(Path(spec)), Path(spec) / "tokenizer.json"))
    return ()


def _known(path: Path, expected: str) -> KnownFile:
    try:
        return KnownFile(path, expected, sha256_of(path))
    except EncoderError:
        return KnownFile(path, expected, "")
