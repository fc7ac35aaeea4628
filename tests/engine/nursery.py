"""A process whose children run an engine until they are killed.

It imports everything once and forks, so that a child starts within milliseconds. Each line on stdin is
`journal acknowledgements round`; the answer is the child's pid, and `gone` when it has ended.
"""

from __future__ import annotations

import os
import sys

from equipoise.catalog import Item
from equipoise.core import Request

from .shop import START, opened

CHECKPOINTS = {"window_seconds": 100.0, "checkpoint_every": 5}


def live(path: str, acknowledgements: str, name: str) -> None:
    """Serve, learn and stock for ever; after each answer of the engine, one line in the file of acknowledgements."""
    out = os.open(acknowledgements, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(*words: object) -> None:
        os.write(
            out, (" ".join(map(str, words)) + "\n").encode()
        )  # survives the kill: it is the system's now

    engine = opened(path, journal={"path": path, **CHECKPOINTS})
    assert engine.replay().identical
    say("opened")
    number = 0
    while True:
        number += 1
        one, at = f"{name}-{number}", START + number
        request = Request(text="wet shoes", user_id=f"u{number % 3}")
        decision = engine.recommend(request, slots=3, decision_id=one, at=at)
        say("decided", one, *(f"{slot.item_id}={slot.propensity!r}" for slot in decision.slots))
        say(
            "told",
            one,
            engine.feedback(one, slot=number % 3, kind="click", at=at, feedback_id=f"f-{one}").status,
        )
        if number % 2:
            say("settled", one, engine.settle(one, at=at))
        if number % 4 == 0:
            engine.put([Item(f"x-{one}", text=f"fresh {one}")])
            say("stocked", f"x-{one}")


def main() -> None:
    for line in sys.stdin:
        path, acknowledgements, name = line.split()
        child = os.fork()
        if child == 0:
            live(path, acknowledgements, name)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
