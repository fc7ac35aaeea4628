"""What the shadow writes down is what a judge of the journal finds later; whole slates, pins, threads and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import Request
from equipoise.engine.challenge import challenger_tables, judged
from equipoise.engine.promotion.running import observed
from equipoise.evaluation.gate import SHADOW, Rules, Stage
from equipoise.journal import Outcome

from .. import shop
from ..shop import START, opened
from .arms import challenge, kinds, serving, visit

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("policy", ["ucb", "thompson"])
def test_the_shadow_and_the_judge_agree_bit_for_bit(policy: str) -> None:
    """Slates of four with a pin, a history and a text, windows that close late: the same probabilities, then and now."""
    with opened(policy={"name": "thompson"}) as engine:
        challenger = challenger_tables({"policy": {"name": policy, "floor": 0.01}}, engine.parts.settings)
        engine.promote(challenger, at=START)
        for number in range(12):
            shop.visit(engine, number, settle=number % 3 > 0)
            request = Request(user_id="u1", history=("i7",), pinned={1: "i2"}, text="soft")
            engine.recommend(request, slots=4, decision_id=f"p{number}", at=START + 10.0 * number)
        engine.learn(now=START + 1_000.0)
        found = {one.logged.decision.decision_id: one.target.tolist() for one in judged(engine, challenger)}
        assert len(found) == 24
        for decision_id, target in found.items():
            trial = engine.parts.journal.trial_of(decision_id)
            assert trial is not None and trial.beside is not None
            assert list(trial.beside.target) == target
            if decision_id.startswith("p"):
                assert trial.beside.item_ids[1] == "i2"
                assert trial.beside.target[1] == trial.beside.propensities[1] == 1.0


def outcome(rewards: list[float], propensities: list[float], target: list[float]) -> Outcome:
    return Outcome(1, False, tuple(rewards), tuple(propensities), tuple(target))


def test_slots_without_a_choice_are_passed_over() -> None:
    """Slot 0 is pinned: the top slot compared is slot 1, with weight .4 / .2 = 2, so (2 - 1) (1 - 0) = 1."""
    stage = Stage(Rules(), SHADOW)
    observed(stage, [outcome([0.0, 1.0, 0.0], [1.0, 0.2, 0.5], [1.0, 0.4, 0.1])], slots=1)
    assert stage.step().difference == pytest.approx(0.5)  # below: 1; above: (2 - 1) (1 - 1) = 0; their middle


def test_two_slots_multiply_their_weights() -> None:
    """Weights 2 and 2 x .5 / .25 = 4; below: ((2 - 1) 1 + (4 - 1) .5) / 2 = 1.25; above: (0 - 3 x .5) / 2 = -.75."""
    stage = Stage(Rules(), SHADOW)
    observed(stage, [outcome([1.0, 0.5], [0.2, 0.25], [0.4, 0.5])], slots=2)
    assert stage.step().difference == pytest.approx((1.25 - 0.75) / 2.0)


def test_nothing_to_choose_is_no_difference() -> None:
    stage = Stage(Rules(), SHADOW)
    observed(stage, [outcome([1.0], [1.0], [1.0]), outcome([1.0], [0.5], [1.0])], slots=3)
    step = stage.step()
    assert (step.n, step.earned) == (2, 1.0)
    assert step.difference == pytest.approx(0.25)  # below: (0 + (2 - 1) 1) / 2 = .5; above: 0


def test_threads_while_stages_change() -> None:
    """Four threads ask, tell and settle; the gate steps meanwhile. Nothing is counted twice, and all is replayable."""
    with serving() as engine:
        challenge(engine)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda number: visit(engine, number), range(240)))
        engine.learn(now=START + 10_000.0)
        assert kinds(engine)[0] == "started"
        assert len(kinds(engine)) > 1
        assert engine.replay().identical
        for number in range(0, 240, 16):
            assert engine.why(f"d{number}").reproduced


ROUNDS = 4


def test_killed_in_every_stage(tmp_path: Path) -> None:
    """kill -9, four times: each process goes on where the last one ended, and every step can be computed again."""
    path, moments, pipe = tmp_path / "j.db", np.random.default_rng(5), subprocess.PIPE
    command = [sys.executable, "-m", "engine.promotion.nursery"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=TESTS, bufsize=1) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(ROUNDS):
            process.stdin.write(f"{path}\n")
            child = int(process.stdout.readline())
            time.sleep(float(moments.uniform(0.1, 0.6)))
            os.kill(child, signal.SIGKILL)
            assert process.stdout.readline() == "gone\n"
        process.communicate()  # closes its stdin, which ends it
    with serving(path) as engine:
        assert engine.replay().identical
        assert not engine.parts.journal.integrity()
        decisions = range(engine.status()["decisions"])
        trials = [engine.parts.journal.trial_of(f"d{number}") for number in decisions]
        made = [engine.parts.journal.decision(f"d{number}").policy for number in decisions]
        for trial, policy in zip(trials, made, strict=True):
            # A decision without a trial was made once the challenger served alone.
            assert policy == "greedy" if trial is None else trial.challenger == (policy == "greedy")
