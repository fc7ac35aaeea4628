"""Files that an encoder builds or checks: where they lie, that they are whole, how they are written."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from equipoise.core import EncoderError

_BLOCK_BYTES = 1 << 20


def cache_folder(cache: Path | None = None) -> Path:
    """Where encoders keep what can be made again: `cache`, else $EQUIPOISE_CACHE, else the user's cache."""
    if cache is not None:
        return Path(cache)
    own = os.environ.get("EQUIPOISE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "equipoise"


def sha256_of(path: Path) -> str:
    """The 64 hex digits of a file's SHA-256.

    Raises: EncoderError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as problem:
        raise EncoderError(f"cannot read {path} ({problem.strerror}): check that it is there") from problem
    return digest.hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that others see all of it or nothing, also when two processes do it at once.

    Raises: OSError: the folder cannot be made or written, or the disk is full; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
