"""A challenger on the engine's own journal: itself gives the logged propensities; weights know nothing but the past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import ConfigurationError, Floats, Request
from equipoise.engine import Engine, Settings
from equipoise.engine.challenge import Judged, beside, challenger_settings, challenger_tables, judged
from equipoise.engine.challenge.weighing import dice_beside
from equipoise.engine.deliberation import deliberate
from equipoise.engine.past import question_of, recall_at
from equipoise.policies.registry import EXPLORERS, POSTERIORS

from .shop import START, opened, visit
from .test_reproduced import VISITS, lived


def by_challenger(engine: Engine, **tables: object) -> list[Judged]:
    return list(judged(engine, challenger_tables(tables, engine.parts.settings)))


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_the_incumbent_itself_gives_the_logged_propensities(posterior: str, tmp_path: Path) -> None:
    """Bit for bit, although the catalogue has changed since and decisions settled out of their order."""
    for explorer in ("thompson", "greedy", "squarecb"):
        policy = {"name": explorer, "posterior": posterior}
        with lived(tmp_path / f"{explorer}.db", policy=policy) as engine:
            judgements = by_challenger(engine)
            before = engine.parts.learner.state()
        assert [one.position for one in judgements] == list(range(1, VISITS + 4))
        for one in judgements:
            slots = one.logged.decision.slots
            assert one.target.tolist() == [slot.propensity for slot in slots]
            assert one.shown.shape == one.expected.shape == (len(slots),)
            assert np.isfinite([one.shown, one.expected]).all()
        assert before.keys() == engine.parts.learner.state().keys()


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_another_policy_gives_probabilities_of_its_own(explorer: str, tmp_path: Path) -> None:
    """Uniform gives 1 / (what is left), whatever the incumbent; every policy's lie in (0, 1]."""
    with lived(tmp_path / "j.db", policy={"name": "softmax"}) as engine:
        judgements = by_challenger(engine, policy={"name": explorer})
        for one in judgements:
            decision = one.logged.decision
            assert ((one.target > 0.0) & (one.target <= 1.0)).all()
            free = [place for place, slot in enumerate(decision.slots) if slot.source != "pinned"]
            if explorer == "uniform":
                left = len(decision.candidates) - np.arange(len(free))
                np.testing.assert_allclose(one.target[free], 1.0 / left, rtol=1e-12)
        pinned = judgements[-1]
        assert pinned.logged.decision.slots[1].source == "pinned"
        assert pinned.target[1] == 1.0
        assert pinned.shown[1] == pinned.expected[1]


def test_a_challenger_in_another_feature_space(tmp_path: Path) -> None:
    """Another encoder, another pairing and other statistics: paired anew from the catalogue as it was."""
    with lived(tmp_path / "j.db") as engine:
        judgements = by_challenger(
            engine,
            encoder={"name": "numeric", "columns": ["price"]},
            pairing={"product": 4},
            statistics={"item_shows": 2.0},
        )
        assert len(judgements) == VISITS + 3
        logged = [[slot.propensity for slot in one.logged.decision.slots] for one in judgements]
        assert [one.target.tolist() for one in judgements] != logged
        assert engine.replay().identical
        assert engine.why("d1").reproduced


def test_forecasts_are_means_under_the_challengers_own_distribution() -> None:
    """One slot of a uniform challenger: expected is the plain mean of its forecasts, shown one of them."""
    with opened(n=6) as engine:
        for number in range(6):
            engine.recommend(Request(), slots=6, decision_id=f"d{number}", at=START + number)
            engine.feedback(f"d{number}", slot=0, kind="like", at=START + number)
            engine.settle(f"d{number}", at=START + number)
        for one in by_challenger(engine, policy={"name": "uniform"}):
            # All six items are shown, so shown holds all six forecasts: slot 0 expects their mean, and slot j the
            # mean of those from j on.
            for slot in range(6):
                assert one.expected[slot] == pytest.approx(one.shown[slot:].mean(), abs=1e-12)


def test_it_learns_only_what_had_settled_before_the_decision() -> None:
    """Nine decisions made before any settled are judged by a policy that knows nothing."""
    with opened() as engine:
        for number in range(9):
            engine.recommend(Request(), slots=3, decision_id=f"d{number}", at=START + number)
        for number in (8, 0, 7, 1, 6, 2, 5, 3, 4):
            engine.feedback(f"d{number}", slot=0, kind="like", at=START + 95.0)
            engine.settle(f"d{number}", at=START + 96.0)
        engine.recommend(Request(), slots=3, decision_id="d9", at=START + 96.0)
        engine.settle("d9", at=START + 96.0)
        judgements = by_challenger(engine, policy={"name": "greedy", "posterior": "beta"})
    # Of 40 items that all promise the same, greedy gives each the same chance, 1/40 in slot 0.
    assert [round(float(one.target[0]), 9) for one in judgements[:9]] == [0.025] * 9
    assert [one.logged.decision.decision_id for one in judgements[:3]] == ["d8", "d0", "d7"]
    assert round(float(judgements[9].target[0]), 9) != 0.025


def test_a_challengers_dice_are_not_those_that_chose() -> None:
    with opened() as engine:
        decision = visit(engine, 0)
    own, other = dice_beside(decision, itself=True), dice_beside(decision, itself=False)
    assert own.random() != other.random()


ARMS = ("i0", "i1", "i2", "i3", "i4")
PAYS = np.array([0.1, 0.3, 0.5, 0.2, 0.4])
FLOOR = 0.02
DECISIONS = 700


@pytest.fixture(scope="module")
def played() -> Iterator[Engine]:
    """An incumbent that learns among five arms, each liked as often as PAYS says."""
    world = np.random.default_rng(11)
    with opened(n=5, policy={"name": "squarecb", "floor": FLOOR}) as engine:
        for number in range(DECISIONS):
            asked = Request(items=ARMS)
            decision = engine.recommend(asked, slots=1, decision_id=f"d{number}", at=START + number)
            if world.random() < PAYS[ARMS.index(decision.slots[0].item_id)]:
                engine.feedback(f"d{number}", slot=0, kind="like", at=START + number)
            engine.settle(f"d{number}", at=START + number)
        yield engine


@pytest.mark.parametrize("challenger", ["thompson", "epsilon_greedy"])
def test_ips_of_a_learning_challenger_is_unbiased(challenger: str, played: Engine) -> None:
    """What the challenger would earn, given the past, is known: its distribution over the arms times PAYS.

    weight x reward less that is a martingale difference although both policies learn, so z is nearly normal: |z| < 3
    is passed by 99.7 % of seeds; ids and seeds are fixed, so this run always gives one z.
    """
    settings = challenger_tables({"policy": {"name": challenger, "floor": FLOOR}}, played.parts.settings)
    judgements = list(judged(played, settings))
    targets = np.stack(list(distributions(played, settings)))
    shown = np.array([ARMS.index(one.logged.decision.slots[0].item_id) for one in judgements])
    target = np.array([one.target[0] for one in judgements])
    assert target.tolist() == targets[np.arange(DECISIONS), shown].tolist()
    propensities = np.array([one.logged.decision.slots[0].propensity for one in judgements])
    earned = target / propensities * np.array([one.logged.rewards[0] for one in judgements])
    differences = earned - targets @ PAYS
    assert abs(differences.sum() / np.sqrt((differences**2).sum())) < 3.0
    assert earned.mean() > PAYS.mean()  # and it has learned from what the other showed


def distributions(engine: Engine, settings: Settings) -> Iterator[Floats]:
    """(5,) the challenger's distribution over ARMS at each decision, made without `judged`."""
    side = beside(engine.parts, settings)
    for position, logged in side.journal.settled():
        decision = logged.decision
        question = question_of(decision, side.learner.statistics, side.stock, None)
        verdict = deliberate(side.knowledge, question, recall_at(1, side.stock), slots=1)
        yield side.policy.distribution(verdict.candidates, dice_beside(decision, itself=False))
        side.learn_from(side.learner, [(position, logged)])


def test_a_challenger_toml_may_hold_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "challenger.toml"
    with opened(policy={"name": "ucb", "floor": 0.01}, seed=5) as engine:
        file.write_text('[policy]\nname = "softmax"\n')
        settings = challenger_settings(file, engine.parts.settings)
        assert (settings.policy.name, settings.policy.floor) == ("softmax", 0.0002)  # the table counts whole
        assert settings.encoder.name == "hashing"
        assert settings.seed == 5
        file.write_text('seed = 5\n[journal]\npath = ":memory:"\nwindow_seconds = 100.0\n')
        assert challenger_settings(file, engine.parts.settings) == engine.parts.settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed = 6\n", "'seed' is not the incumbent's"),
        ('[journal]\npath = "other.db"\n', "'journal' is not the incumbent's"),
        ('[polcy]\nname = "ucb"\n', "unknown key 'polcy': did you mean 'policy'"),
        ("[policy\n", "is not whole TOML"),
    ],
)
def test_a_challenger_that_is_another_experiment_is_refused(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "challenger.toml"
    file.write_text(text)
    with opened() as engine, pytest.raises(ConfigurationError, match=says):
        challenger_settings(file, engine.parts.settings)


def test_a_challenger_that_cannot_be_built_is_refused() -> None:
    with opened() as engine, pytest.raises(ConfigurationError, match="there is no policy 'best'"):
        by_challenger(engine, policy={"name": "best"})


def test_an_empty_journal_judges_nothing() -> None:
    with opened() as engine:
        assert by_challenger(engine, policy={"name": "ucb"}) == []
