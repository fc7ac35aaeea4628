"""kill -9 while writing, fifty times: what was acknowledged is there, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from equipoise.journal import SqliteJournal

from .samples import facts, make_decision

ROUNDS = 50
LONGEST = 0.08
"""Seconds until the kill, at most: a child needs about 5 ms to open the journal and 0.5 ms a write."""

TESTS = Path(__file__).parent.parent


@contextmanager
def nursery() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "journal.nursery"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TESTS, bufsize=1
    ) as process:
        yield process
        process.communicate()  # closes its stdin, which ends it


def killed_after(process: subprocess.Popen[str], order: str, seconds: float) -> None:
    """Let a child write for so long, then kill it and see it gone."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(order + "\n")
    child = int(process.stdout.readline())
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert process.stdout.readline() == "gone\n"


def acknowledged(path: Path) -> list[list[str]]:
    """The lines that the child finished."""
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def check(journal: SqliteJournal, lines: list[list[str]]) -> None:
    """Everything acknowledged is there exactly as it was, and once."""
    for word, *rest in lines:
        if word == "decided":
            assert facts(journal.decision(rest[0])) == facts(_made(*rest))
        elif word == "told":
            told = journal.feedback_of(rest[0])
            assert [one.feedback.feedback_id for one in told] == [f"f-{rest[0]}"]
            assert [one.status for one in told] == [rest[1]] == ["counted"]
        elif word == "settled":
            assert journal.position_of(rest[0]) == int(rest[1])


def _made(name: str, seed: str) -> object:
    return make_decision(name, seed=int(seed), window=1.0 if name.count("-") == 3 else 60.0)


def sequence(journal: SqliteJournal) -> list[tuple[int, str, bytes]]:
    return [
        (position, one.decision.decision_id, one.rewards.tobytes()) for position, one in journal.settled()
    ]


def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    moments, path = random.Random(20), tmp_path / "j.db"
    before: list[tuple[int, str, bytes]] = []
    words: list[str] = []
    with nursery() as process:
        for number in range(ROUNDS):
            told = tmp_path / f"acknowledged-{number}"
            killed_after(process, f"{path} {told} r{number}", moments.uniform(0.0, LONGEST))
            lines = acknowledged(told)
            words += [word for word, *_ in lines]
            with SqliteJournal.open(path) as journal:
                check(journal, lines)
                after = sequence(journal)
                assert after[: len(before)] == before  # what had settled stays, in its order
                assert [position for position, *_ in after] == list(range(1, len(after) + 1))
                assert len({name for _, name, _ in after}) == len(after)
                before = after
    with SqliteJournal.open(path) as journal:
        assert journal.integrity() == []
        counts = journal.counts()
    # acknowledged at least once a round on average, or the kills came too early to mean anything
    assert min(words.count(word) for word in ("opened", "decided", "told", "settled")) >= ROUNDS // 2
    # a write that was done but not yet acknowledged may be there: at most 4 at once in each thread of each child
    assert 0 <= counts.decisions - words.count("decided") <= 4 * 2 * ROUNDS
    assert 0 <= counts.feedback["counted"] - words.count("told") <= 2 * ROUNDS
