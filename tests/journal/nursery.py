"""A process whose children write to a journal until they are killed.

It imports everything once and forks, so that a child starts within milliseconds. Each line on stdin is
`journal acknowledgements round`; the answer is the child's pid, and `gone` when it has ended.
"""

from __future__ import annotations

import os
import sys
import threading

from equipoise.core import Feedback
from equipoise.journal import SqliteJournal

from .samples import make_decision

THREADS = 2


def write(path: str, acknowledgements: str, name: str) -> None:
    """Write for ever; after each answer of the journal, one line in the file of acknowledgements."""
    out = os.open(acknowledgements, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(*words: object) -> None:
        os.write(
            out, (" ".join(map(str, words)) + "\n").encode()
        )  # survives the kill: it is the system's now

    with SqliteJournal.open(path) as journal:
        say("opened")
        threads = [threading.Thread(target=work, args=(journal, f"{name}-{t}", say)) for t in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def work(journal: SqliteJournal, name: str, say: object) -> None:
    assert callable(say)
    number = 0
    while True:
        number += 1
        one = f"{name}-{number}"
        journal.decided(make_decision(one, seed=number))
        say("decided", one, number)
        receipt = journal.fed_back(Feedback(one, number % 3, "click", 1.0, 101.0, feedback_id=f"f-{one}"))
        say("told", one, receipt.status)
        if number % 2:
            say("settled", one, journal.closed(one, now=102.0))
        if number % 5 == 0:
            many = [make_decision(f"{one}-{n}", seed=n, window=1.0) for n in range(4)]
            journal.decided_many(many)
            for n in range(4):
                say("decided", f"{one}-{n}", n)
            journal.settle_due(now=101.0)
            for n in range(4):
                say("settled", f"{one}-{n}", journal.position_of(f"{one}-{n}"))


def main() -> None:
    for line in sys.stdin:
        path, acknowledgements, name = line.split()
        child = os.fork()
        if child == 0:
            write(path, acknowledgements, name)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
