"""Many pieces of work on one log, in as many processes as asked.

A process that is forked sees the log without copying it, and hands back rows only. Threads would share one interpreter
lock, which the many short blocks of a log ask for again and again. Where a system cannot fork safely, all work is done
here. Each piece depends on nothing but the log, so its result is the same wherever it is made.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Made = TypeVar("Made")


def each(pieces: int, work: Callable[[int], Made], *, cores: int = 1) -> Iterator[Made]:
    """`work(0)`, `work(1)`, ... in this order. cores: 0 for all of the machine.

    Raises: whatever the work does, at its place in the order.
    """
    used = min(cores or os.cpu_count() or 1, pieces)
    if used < 2 or not sys.platform.startswith("linux"):
        yield from map(work, range(pieces))
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(used, mp_context=context, initializer=_adopt, initargs=(work,)) as processes:
        yield from processes.map(_done, range(pieces))


_adopted: list[Callable[[int], Any]] = []
"""In a forked process, what it was made for; always empty in the first one."""


def _adopt(work: Callable[[int], Any]) -> None:
    _adopted.append(work)


def _done(piece: int) -> Any:
    return _adopted[-1](piece)
