"""Law 1 and law 4: any decision can be made again bit for bit, and replay gives the state that serves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.catalog import Item
from equipoise.core import Request, generator
from equipoise.engine import Engine
from equipoise.engine.deliberation import Knowledge, deliberate
from equipoise.engine.past import question_of, recall_at
from equipoise.engine.why import learned_up_to
from equipoise.policies import draw
from equipoise.policies.registry import EXPLORERS, POSTERIORS

from .shop import START, opened, shown, visit

VISITS = 5


def lived(path: Path, **tables: object) -> Engine:
    """Five visits, of which every third settles only when its window closes, a change of the catalogue, two more."""
    engine = opened(path, n=20, **tables)
    for number in range(VISITS):
        visit(engine, number, click=number % 3, settle=number % 3 > 0)
    engine.put([Item("i3", text="changed altogether"), Item("fresh", text="wet shoes")])
    engine.remove(["i5", "i7"])
    for number in (VISITS, VISITS + 1):
        visit(engine, number, settle=False)
    engine.recommend(
        Request(
            user_id="u1", history=("fresh",), pinned={1: "i2"}, items=tuple(f"i{j}" for j in range(8, 20))
        ),
        slots=4,
        decision_id=f"d{VISITS + 2}",
        at=START + 150.0,
    )
    engine.learn(now=START + 1000.0)
    return engine


def not_reproduced(engine: Engine) -> list[tuple[str, tuple[str, ...]]]:
    explained = [engine.why(f"d{number}") for number in range(VISITS + 3)]
    return [(why.decision_id, why.differences) for why in explained if not why.reproduced]


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("explorer", EXPLORERS)
def test_every_policy_gives_every_decision_again(explorer: str, posterior: str, tmp_path: Path) -> None:
    """After more learning, changes of the catalogue, windows closed by time, and reopening from the checkpoint."""
    diverse = {"diversity": "mmr"} if posterior == "linear" else {}
    policy = {"name": explorer, "posterior": posterior, "settings": diverse}
    with lived(tmp_path / "j.db", policy=policy) as engine:
        assert engine.why("d1").reproduced
        assert engine.status()["settled"] == VISITS + 3
        assert engine.replay().identical
    with opened(tmp_path / "j.db", n=20, policy=policy) as again:
        assert not_reproduced(again) == []
        assert again.replay().identical


@pytest.mark.parametrize("checkpoint_every", [1, 4])
def test_checkpoints_are_only_shortcuts(checkpoint_every: int, tmp_path: Path) -> None:
    journal = {"path": str(tmp_path / "j.db"), "window_seconds": 100.0, "checkpoint_every": checkpoint_every}
    with lived(tmp_path / "j.db", journal=journal) as engine:
        told = engine.parts.learner.state()
        assert not_reproduced(engine) == []
    for checkpoint in (tmp_path / "j.state" / "checkpoints").iterdir():
        checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with opened(tmp_path / "j.db", n=20, journal=journal) as engine:
        assert engine.replay().identical
        assert {name: value.tobytes() for name, value in engine.parts.learner.state().items()} == {
            name: value.tobytes() for name, value in told.items()
        }
        assert not_reproduced(engine) == []


def test_the_propensities_in_the_record_are_the_policys_own() -> None:
    """The distribution of each slot given those above, and the dice of law 4, made again from the parts alone."""
    with opened() as engine:
        parts = engine.parts
        for number in range(9):
            decision = visit(engine, number)
            learner = learned_up_to(parts, decision.versions.learned)
            knowledge = Knowledge(learner.policy, learner.statistics, parts.stock.pairing, seed=20)
            vector = parts.request_vector(decision.request)
            question = question_of(decision, learner.statistics, parts.stock, vector)
            recall = recall_at(decision.versions.catalog, parts.stock)
            candidates = deliberate(knowledge, question, recall, slots=3).candidates
            rng = generator(20, decision.decision_id)
            slate = learner.policy.slate(candidates, rng)
            choice = draw(slate, 3, rng)
            assert [decision.candidates[position] for position in choice.positions] == [*shown(decision)]
            assert [slot.propensity for slot in decision.slots] == choice.propensities.tolist()
            assert slate.given(()).tobytes() == decision.probabilities.tobytes()
            for slot, position in enumerate(choice.positions):
                assert slate.given(choice.positions[:slot].tolist())[position] == choice.propensities[slot]


def test_the_order_of_arrival_changes_no_dice() -> None:
    asked = {name: Request(text=name, user_id=name) for name in ("wet", "dry", "soft")}
    slates = []
    for order in (("wet", "dry", "soft"), ("soft", "wet", "dry")):
        with opened() as engine:
            made = {
                name: engine.recommend(asked[name], slots=5, decision_id=name, at=START) for name in order
            }
            slates.append({name: made[name].slots for name in asked})
    assert slates[0] == slates[1]


def test_another_seed_is_another_throw() -> None:
    slots = []
    for seed in (1, 2):
        with opened(seed=seed) as engine:
            slots.append(engine.recommend(Request(text="wet"), slots=10, decision_id="d", at=START).slots)
    assert slots[0] != slots[1]


def test_why_says_what_stands_in_the_way_under_other_settings(tmp_path: Path) -> None:
    opened_once = lived(tmp_path / "j.db")
    opened_once.close()
    with opened(tmp_path / "j.db", n=20, policy={"name": "ucb"}, seed=7) as engine:
        why = engine.why("d0")
        assert not why.reproduced
        assert any("made by the policy thompson#" in told for told in why.differences)
        assert any("seed 20; 7 is set" in told for told in why.differences)
        assert engine.replay().identical


def test_why_gives_rewards_words_and_numbers() -> None:
    with opened() as engine:
        visit(engine, 0, click=1)
        why = engine.why("d0")
    assert why.rewards == (0.0, 1.0, 0.0)
    assert why.summary.startswith("40 candidates for 3 slots, when nothing had been learned yet")
    for reason in why.slots:
        assert reason.mean is not None and reason.spread is not None and reason.uncertain is not None
        assert np.isfinite([reason.mean, reason.spread]).all()
        assert 0.0 <= reason.uncertain <= 1.0
        assert reason.sentence


def test_why_of_an_open_decision_has_no_rewards() -> None:
    with opened() as engine:
        visit(engine, 0, settle=False)
        assert engine.why("d0").rewards is None
