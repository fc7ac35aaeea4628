"""Learned state on disk, so that a start need not replay the whole journal.

A checkpoint is only ever a shortcut: losing or deleting one costs time, never knowledge.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise.core import State

KEEP = 3
DIGEST_BYTES = 16
NAME = re.compile(r"^(?P<fingerprint>.+)-(?P<position>\d+)\.npz$")


class Checkpoints:
    """The checkpoints of one policy on one pairing, told apart from others by their `fingerprint`."""

    def __init__(self, folder: Path, *, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint

    def save(self, state: State, *, position: int) -> Path:
        """Write a checkpoint whole or not at all, and drop all but the last three.

        Those of a later position are dropped too: they belong to a past that this journal no longer has.
        Raises: OSError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.fingerprint}-{position}.npz"
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_sealed(state))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        found = list(self._found())
        upto = [entry for entry in found if entry[0] <= position]
        for entry in found:
            if entry not in upto[:KEEP]:
                entry[1].unlink(missing_ok=True)
        return path

    def latest(self, *, at_most: int | None = None) -> tuple[int, State] | None:
        """The newest readable checkpoint, of a position at most `at_most` where given; a damaged one is skipped."""
        for position, path in self._found():
            if at_most is None or position <= at_most:
                state = _read(path)
                if state is not None:
                    return position, state
        return None

    def clear(self) -> None:
        """Remove every checkpoint, half-written ones too: what a user asked to forget must not come back from one."""
        for kind in ("*.npz", "*.part"):
            for path in self.folder.glob(kind):
                path.unlink(missing_ok=True)

    def _found(self) -> Iterator[tuple[int, Path]]:
        """Newest first."""
        matches = ((NAME.match(path.name), path) for path in self.folder.glob("*.npz"))
        mine = [
            (int(match["position"]), path)
            for match, path in matches
            if match and match["fingerprint"] == self.fingerprint
        ]
        return iter(sorted(mine, reverse=True))


def _sealed(state: State) -> bytes:
    """The state as an npz file, followed by a digest of it: a zip's own sums do not cover its directory."""
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **state)
    return body.getvalue() + _digest(body.getbuffer())


def _read(path: Path) -> State | None:
    """The state, or None where the file is damaged: the journal can always rebuild it."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    body, digest = raw[:-DIGEST_BYTES], raw[-DIGEST_BYTES:]
    if _digest(body) != digest:
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _digest(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest()
