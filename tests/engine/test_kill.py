"""kill -9 while an engine serves, ten times: nothing acknowledged is lost, and replay gives the state of the run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from equipoise.engine import Engine

from .nursery import CHECKPOINTS
from .shop import START, opened

ROUNDS = 10
LONGEST = 0.25
"""Seconds of life at most: a child needs about 60 ms to open the engine and 6 ms a visit."""

PATIENCE = 30.0
"""Seconds that a busy machine may take to open the engine."""

TESTS = Path(__file__).parent.parent


def killed_after(
    process: subprocess.Popen[str], order: str, seconds: float, *, opened_by: Path | None
) -> None:
    """opened_by: first wait until the child has said there that it is open; None kills it whatever it does."""
    assert process.stdin is not None and process.stdout is not None
    before = times_opened(opened_by)
    process.stdin.write(order + "\n")
    child = int(process.stdout.readline())
    deadline = time.monotonic() + PATIENCE
    while opened_by is not None and times_opened(opened_by) == before and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert process.stdout.readline() == "gone\n"


def times_opened(said: Path | None) -> int:
    return said.read_text().split().count("opened") if said is not None and said.exists() else 0


def check(engine: Engine, lines: list[list[str]]) -> None:
    """Everything acknowledged is there as it was."""
    for word, one, *rest in lines:
        if word == "decided":
            slots = engine.parts.journal.decision(one).slots
            assert [f"{slot.item_id}={slot.propensity!r}" for slot in slots] == rest
        elif word == "told":
            told = engine.parts.journal.feedback_of(one)
            assert [entry.feedback.feedback_id for entry in told] == [f"f-{one}"]
            assert [entry.status for entry in told] == rest == ["counted"]
        elif word == "settled":
            assert engine.parts.journal.position_of(one) == int(rest[0])
        elif word == "stocked":
            assert one in engine.item_ids


def test_ten_kills_lose_nothing(tmp_path: Path) -> None:
    moments, path, said = random.Random(20), tmp_path / "j.db", tmp_path / "said"
    command = [sys.executable, "-m", "engine.nursery"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=TESTS, bufsize=1) as process:
        for number in range(ROUNDS):
            patient = None if number % 3 == 0 else said
            order = f"{path} {said} r{number}"
            killed_after(process, order, moments.uniform(0.02, LONGEST), opened_by=patient)
            lines = [line.split() for line in said.read_text().splitlines()] if said.exists() else []
            with opened(path, journal={"path": str(path), **CHECKPOINTS}) as engine:
                check(engine, [line for line in lines if len(line) > 1])
                assert engine.replay().identical
                assert not engine.parts.journal.integrity()
        process.communicate()  # closes its stdin, which ends it
    decided = [line[1] for line in lines if line[0] == "decided"]
    assert len(decided) == len(set(decided)) > 20
    with opened(path, journal={"path": str(path), **CHECKPOINTS}) as engine:
        engine.learn(now=START + 10_000.0)
        assert engine.status()["open"] == 0
        assert [one for one in decided[:: len(decided) // 12] if not engine.why(one).reproduced] == []
        assert engine.replay().identical
