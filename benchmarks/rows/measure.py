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
    name: str, ours: Call, peer: str, theirs: Call, *, rounds: int = 200, warm_up: int = 20, items: int = 1
) -> Row:
    """Ours and the peer in turns, one call each, after a warm-up: both find the caches as the other left them.

    items: how many things one call does; the row is for one of them.
    """
    for number in range(warm_up):
        ours(number)
        theirs(number)
    spent = [
        (processor_ms(ours, number), processor_ms(theirs, number))
        for number in range(warm_up, warm_up + rounds)
    ]
    ours_ms, peer_ms = (float(np.median(column)) / items for column in zip(*spent, strict=True))
    return row(name, ours_ms, peer, peer_ms)


def several(
    name: str, ours: Call, peers: dict[str, Call], *, rounds: int = 200, warm_up: int = 20
) -> list[Row]:
    """One row for each peer, each beside ours anew."""
    return [
        side_by_side(name, ours, peer, theirs, rounds=rounds, warm_up=warm_up)
        for peer, theirs in peers.items()
    ]
