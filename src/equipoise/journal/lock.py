"""One writing process a journal: a lock on the file `<path>.lock`, which the system drops when the process ends.

SQLite alone would let two processes write in turn, but versions before 3.51.3 can then corrupt the file when
both checkpoint (the WAL-reset bug, https://sqlite.org/wal.html); and one order of settlement needs one writer.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from equipoise.core import JournalBusyError, JournalError


class WriterLock:
    """Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._process = os.getpid()

    @classmethod
    def acquire(cls, journal: Path) -> WriterLock:
        """Raises: JournalBusyError: another holds it, by its pid. JournalError: the lock file cannot be written."""
        path = journal.with_name(journal.name + ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise JournalError(
                f"journal {journal}: its lock file {path.name} cannot be written ({error.strerror}): "
                "make the folder writable for this user, or open the journal with read_only=True"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise JournalBusyError(
                f"journal {journal} is being written by process {holder}, and one may at a time: "
                "end that process, or open the journal with read_only=True"
            ) from None
        _sign(descriptor)
        return cls(descriptor)

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def check(self) -> None:
        """Raises: JournalError: this process is a fork of the one that opened the journal."""
        if os.getpid() != self._process:
            raise JournalError(
                f"this journal was opened by process {self._process} and cannot be written by its fork "
                f"{os.getpid()}: open it after the fork, in one process"
            )


def _sign(descriptor: int) -> None:
    """Write who holds it, for whoever wonders. A disk too full for that is no reason not to start."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    except OSError:
        os.ftruncate(descriptor, 0)
