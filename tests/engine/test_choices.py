"""The journal as choices: the features, propensities and rewards of the decisions themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.core import InputError, Request
from equipoise.engine.offline.choices import journal_choices
from equipoise.engine.offline.warm_start import warm_start
from equipoise.evaluation.logs import columns_from
from equipoise.learning.offline import SoftmaxPolicy, chances, train

from .shop import START, opened, visit


def test_choices_are_the_decisions_own_numbers() -> None:
    """Where each decision settled before the next, features are those it was made with, bit for bit."""
    with opened() as engine:
        decisions = [visit(engine, number, click=number % 3) for number in range(12)]
        log = journal_choices(engine)
        assert len(log) == 36 and log.sizes.tolist() == [40, 39, 38] * 12
        shown = log.features[log.shown]
        assert np.array_equal(shown, np.concatenate([decision.features for decision in decisions]))
        assert log.logged().tolist() == [slot.propensity for each in decisions for slot in each.slots]
        assert log.rewards.reshape(12, 3).argmax(axis=1).tolist() == [number % 3 for number in range(12)]
        assert log.rewards.sum() == 12.0


def test_the_latest_only_but_with_all_that_was_known_then() -> None:
    with opened() as engine:
        for number in range(8):
            visit(engine, number)
        whole, last = journal_choices(engine), journal_choices(engine, last=3)
        assert np.array_equal(whole.features[whole.starts[-9] :], last.features)
        assert np.array_equal(whole.rewards[-9:], last.rewards)


def test_pins_and_imports_are_no_choices(tmp_path: Path) -> None:
    with opened() as engine:
        engine.recommend(
            Request(pinned={1: "i3"}, items=("i1", "i2", "i4")), slots=3, decision_id="d", at=START
        )
        engine.settle("d", at=START)
        log = tmp_path / "their.csv"
        log.write_text("what,got\ni1,1\n")
        warm_start(engine, log, columns_from({"reward": "got", "item_id": "what"}))
        found = journal_choices(engine)
        assert found.sizes.tolist() == [3, 2]


def test_a_policy_is_trained_on_a_journal() -> None:
    """Boots (i1, i4, ...) are clicked always, others never: the learned policy gives them most of its odds."""
    with opened(policy={"name": "uniform"}) as engine:
        for number in range(60):
            decision = visit(engine, number, click=None, settle=False)
            for slot in decision.slots:
                if int(slot.item_id[1:]) % 3 == 1:
                    engine.feedback(decision.decision_id, slot=slot.slot, kind="click", at=decision.at)
            engine.settle(decision.decision_id, at=decision.at)
        log = journal_choices(engine)
        found = train(log, rng=np.random.default_rng(0))
        odds = chances(log, found.weights)[log.starts[-3] :][:40]
        items = [int(item_id[1:]) for item_id in decision.candidates]
        assert sum(p for p, item in zip(odds, items, strict=True) if item % 3 == 1) > 0.8
        policy = SoftmaxPolicy(found.weights, space=engine.parts.stock.pairing.space)
        assert policy.space.dim == log.features.shape[1]


def test_what_gives_no_choices_is_refused() -> None:
    with opened() as engine:
        with pytest.raises(InputError, match="no settled decision"):
            journal_choices(engine)
        with pytest.raises(InputError, match="last is 0"):
            journal_choices(engine, last=0)
