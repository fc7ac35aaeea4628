"""A process whose children run a promotion until they are killed; it imports everything once and forks.

Each line on stdin is the journal's path; the answer is the child's pid, and `gone` when it has ended.
"""

from __future__ import annotations

import os
import sys

from .arms import challenge, serving, visit


def live(path: str) -> None:
    """Go on where the last child ended, for ever."""
    engine = serving(path)
    if not engine.parts.journal.events():
        challenge(engine)
    number = engine.status()["decisions"]
    while True:
        visit(engine, number)
        number += 1


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            live(line.strip())
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
