"""Learned state on disk, so that a start need not replay the whole journal.

A checkpoint is only ever a shortcut: losing or deleting one costs time, never knowledge.
"""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise.core import State

KEEP = 3
NAME = re.compile(r"^(?P<fingerprint>[0-9a-f]+)-(?P<position>\d+)\.npz$")


class Checkpoints:
    """The checkpoints of one policy on one pairing, told apart from others by their `fingerprint`."""

    def __init__(self, folder: Path, *, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint

    def save(self, state: State, *, position: int) -> Path:
        """Write a checkpoint whole or not at all, and drop all but the last three.

        Raises: OSError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.fingerprint}-{position}.npz"
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **state)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        for _, old in list(self._found())[KEEP:]:
            old.unlink(missing_ok=True)
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
        """Remove every checkpoint: what a user asked to forget must not come back from one."""
        for path in self.folder.glob("*.npz"):
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


def _read(path: Path) -> State | None:
    """The state, or None where the file is damaged: the journal can always rebuild it."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        return None
