"""Processor time of one thread, ours and a peer's in turns; and the words that every row is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Call = Callable[[int], object]
"""One thing done, told the number of the turn so that every turn can be another request."""

WORDS = (
    *("red", "blue", "steel", "oak", "light", "heavy", "running", "walking"),
    *("winter", "summer", "small", "large", "shoe", "lamp", "chair", "tent"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """ours_ms, peer_ms: median processor milliseconds of one call. ratio: ours / peer, so that less is faster."""

    name: str
    ours_ms: float
    peer: str
    peer_ms: float
    ratio: float


def row(name: str, ours_ms: float, peer: str, peer_ms: float) -> Row:
    """A row with its numbers rounded to what the clock can tell."""
    return Row(name, round(ours_ms, 5), peer, round(peer_ms, 5), round(ours_ms / peer_ms, 5))


def processor_ms(call: Call, number: int) -> float:
    """Processor milliseconds of this process for one call."""
    start = time.process_time_ns()
    call(number)
    return (time.process_time_ns() - start) / 1e6


def side_by_side(
    name: str, ours: Call, peer: str, theirs: Call, *, rounds: int = 100, warm_up: int = 20, block: int = 0
) -> Row:
    """Ours and the peer in turns, after a warm-up; the row has the medians of one call.

    block: 0 lets each do one call a turn, which finds the caches as the other left them, as a call among other work
    does. Above 0 each does so many calls a turn, timed together, after one that is not: the caches are then its own.
    """
    for number in range(warm_up):
        ours(number)
        theirs(number)
    numbers = range(warm_up, warm_up + rounds)
    spent = [(turn(ours, number, block), turn(theirs, number, block)) for number in numbers]
    ours_ms, peer_ms = (float(np.median(column)) for column in zip(*spent, strict=True))
    return row(name, ours_ms, peer, peer_ms)


def turn(call: Call, number: int, block: int) -> float:
    """Processor milliseconds of one call in this turn."""
    if not block:
        return processor_ms(call, number)
    call(number)
    start = time.process_time_ns()
    for at in range(block):
        call(number + at)
    return (time.process_time_ns() - start) / 1e6 / block
