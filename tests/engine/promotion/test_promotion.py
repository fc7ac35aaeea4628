"""The gate in an engine: shadow, share, all; back when it is worse; the same after a restart; all of it replayable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.catalog import Item
from equipoise.core import InputError, JournalError, Request
from equipoise.engine import Engine
from equipoise.engine.promotion.running import coin

from ..shop import START
from .arms import ARMS, GREEDY, QUICK, UNIFORM, challenge, kinds, play, serving, state, visit


def not_reproduced(engine: Engine, until: int) -> list[str]:
    """Of every third decision, and the last."""
    asked = [*range(0, until, 3), until - 1]
    return [f"d{number}" for number in asked if not engine.why(f"d{number}").reproduced]


def test_a_better_challenger_goes_all_the_way(tmp_path: Path) -> None:
    """Shadow, half of the traffic, all: every decision can be made again, whoever made it, and replay is identical."""
    with serving(tmp_path / "j.db") as engine:
        for number in range(5):
            visit(engine, number)
        challenge(engine)
        incumbent, challenger = (engine.status()["promotion"][who] for who in ("incumbent", "challenger"))
        assert engine.status()["promotion"]["stage"] == "shadow"
        half = play(engine, 5)
        assert engine.status()["promotion"]["stage"] == "0.5 of the traffic"
        assert {engine.parts.journal.decision(f"d{n}").versions.policy for n in range(half)} == {incumbent}
        done = play(engine, half)
        assert kinds(engine) == ["started", "advanced", "promoted"]
        made = [engine.parts.journal.decision(f"d{n}").versions.policy for n in range(half, done)]
        assert set(made) == {incumbent, challenger}
        after = visit(engine, done)
        assert after.versions.policy == challenger == engine.status()["policy"]
        assert engine.status()["serving"] == "promoted challenger"
        assert not_reproduced(engine, done + 1) == []
        assert engine.replay().identical
    with serving(tmp_path / "j.db") as again:  # the file still says uniform; the journal knows better
        assert again.status()["policy"] == challenger
        assert state(again) == "promoted"
        assert not_reproduced(again, done + 1) == []
        assert again.replay().identical
    with serving(tmp_path / "j.db", policy={"name": "softmax"}) as edited:  # whoever edits the file means it
        assert edited.status()["serving"] == "configuration"
        assert edited.policy_name == "softmax"
    with serving(tmp_path / "j.db") as again:
        again.cancel_promotion(at=START + 900.0)
        assert again.status()["policy"] == incumbent
        assert kinds(again)[-1] == "withdrawn"
        assert again.replay().identical
    with serving(tmp_path / "j.db") as again:
        assert again.status()["policy"] == incumbent
        assert again.status()["serving"] == "configuration"


def test_status_tells_what_happened_last() -> None:
    """A promoted challenger is taken back after another failed: the taking back is what there is to be told."""
    with serving() as engine:
        challenge(engine)
        end = play(engine, play(engine, 0))
        assert state(engine) == "promoted"
        challenge(engine, UNIFORM, at=START + float(end))
        engine.cancel_promotion(at=START + float(end))
        assert state(engine) == "cancelled"
        engine.cancel_promotion(at=START + float(end) + 1.0)
        assert kinds(engine)[0] == "started"
        assert kinds(engine)[-1] == "withdrawn"
        assert engine.status()["promotion"]["challenger"].startswith("greedy#")


def test_a_worse_challenger_goes_back_from_the_shadow() -> None:
    """The incumbent has learned what pays; the challenger shows everything alike, and nobody ever sees it."""
    with serving(policy=GREEDY) as engine:
        for number in range(20):
            visit(engine, number)
        challenge(engine, UNIFORM)
        end = play(engine, 20)
        assert kinds(engine) == ["started", "rolled_back"]
        step = engine.status()["promotion"]["steps"][-1]
        assert step["stage"] == "shadow"
        assert step["high"] < 0.0
        assert engine.policy_name == "greedy"
        made = {visit(engine, number).policy for number in range(end, end + 5)}
        assert made == {"greedy"}
        assert engine.replay().identical


def test_a_challenger_that_turns_bad_goes_back_from_the_traffic() -> None:
    """Better in the shadow, worse since: from then on nothing but what it never shows is liked."""
    with serving(promotion={**QUICK, "least": 30}) as engine:
        challenge(engine)
        half = play(engine, 0)
        assert kinds(engine) == ["started", "advanced"]
        worst = engine.parts.learner.policy.name  # the incumbent goes on showing everything alike
        assert worst == "uniform"
        for number in range(half, half + 400):
            shown = engine.recommend(
                Request(items=ARMS), slots=1, decision_id=f"d{number}", at=START + number
            )
            if shown.policy == "uniform":
                engine.feedback(f"d{number}", slot=0, kind="like", at=START + number)
            engine.settle(f"d{number}", at=START + number)
            if kinds(engine)[-1] == "rolled_back":
                break
        assert kinds(engine)[-1] == "rolled_back"
        assert engine.policy_name == "uniform"
        assert not_reproduced(engine, number) == []
        assert engine.replay().identical


def test_a_policy_against_itself_stays_in_the_shadow() -> None:
    """A against A in the engine: the challenger's probabilities are the logged propensities, and all terms 0."""
    with serving(policy=GREEDY) as engine:
        challenge(engine, GREEDY)
        for number in range(60):
            visit(engine, number)
        trials = [engine.parts.journal.trial_of(f"d{number}") for number in range(60)]
        logged = [engine.parts.journal.decision(f"d{number}") for number in range(60)]
        for trial, decision in zip(trials, logged, strict=True):
            assert trial is not None and trial.beside is not None
            assert trial.beside.target == tuple(slot.propensity for slot in decision.slots)
            assert trial.beside.item_ids == tuple(slot.item_id for slot in decision.slots)
            assert trial.beside.propensities == trial.beside.target
            assert trial.beside.learned == decision.versions.learned
        now = engine.status()["promotion"]["now"]
        assert (now["n"], now["difference"]) == (60, 0.0)
        assert kinds(engine) == ["started"]


def test_the_shadow_writes_down_what_the_challenger_would_have_shown() -> None:
    with serving() as engine:
        challenge(engine)
        visit(engine, 0)
        trial = engine.parts.journal.trial_of("d0")
        assert trial is not None and trial.beside is not None
        assert not trial.challenger
        assert trial.beside.policy == engine.status()["promotion"]["challenger"]
        assert trial.beside.item_ids[0] in ARMS
        assert 0.0 < trial.beside.propensities[0] <= 1.0
        assert engine.parts.journal.decision("d0").policy == "uniform"
        visit(engine, 0)  # asked again: the first answer, and nothing new
        assert engine.status()["promotion"]["now"]["n"] == 1


def test_the_coin_decides_who_decides() -> None:
    """It depends on (seed, decision_id) alone; a share of 25 % gets 25 % of 4,000 ids (five sigma: 3.4 %)."""
    coins = np.array([coin(20, f"d{number}") for number in range(4_000)])
    assert ((coins >= 0.0) & (coins < 1.0)).all()
    assert abs((coins < 0.25).mean() - 0.25) < 0.034
    with serving() as engine:
        challenge(engine)
        half = play(engine, 0)
        for number in range(half, half + 12):
            decision = visit(engine, number)
            trial = engine.parts.journal.trial_of(decision.decision_id)
            assert trial is not None
            assert trial.challenger == (coin(20, decision.decision_id) < 0.5) == (decision.policy == "greedy")
            assert trial.beside is None


def test_propensities_in_the_traffic_are_exact_given_the_coin() -> None:
    """Uniform's are 1/5; greedy's, with a floor of .02 on five arms, .92 for the best and .02 for each other."""
    with serving() as engine:
        challenge(engine)
        half = play(engine, 0)
        for number in range(half, half + 10):
            decision = visit(engine, number)
            if decision.policy == "uniform":
                assert decision.slots[0].propensity == pytest.approx(0.2, abs=1e-12)
            else:
                best = decision.slots[0].item_id == "i2"
                assert decision.slots[0].propensity == pytest.approx(0.92 if best else 0.02, abs=1e-12)


def test_only_what_has_settled_in_order_is_looked_at() -> None:
    """A decision that is still open holds back those after it: which rewards count never depends on who clicked."""
    with serving() as engine:
        challenge(engine)
        visit(engine, 0)
        visit(engine, 1, settle=False)
        visit(engine, 2)
        assert engine.status()["promotion"]["now"]["n"] == 1
        engine.settle("d1", at=START + 3.0)
        assert engine.status()["promotion"]["now"]["n"] == 3


def test_a_restart_in_every_stage_changes_nothing(tmp_path: Path) -> None:
    """One engine lives through; another is opened anew every 7 visits. Same events, same numbers, same decisions."""

    def lived(path: Path, *, restarts: bool) -> tuple[list[object], list[str]]:
        engine = serving(path)
        challenge(engine)
        made: list[str] = []
        for number in range(160):
            made.append(repr(visit(engine, number).slots))
            if restarts and number % 7 == 0:
                engine.close()
                engine = serving(path)
        events = [(event.kind, event.at, dict(event.detail)) for event in engine.parts.journal.events()]
        assert engine.replay().identical
        engine.close()
        return events, made

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    through = lived(tmp_path / "a" / "j.db", restarts=False)
    assert [kind for kind, *_ in through[0]][-1] == "promotion_promoted"
    assert lived(tmp_path / "b" / "j.db", restarts=True) == through


def test_a_process_that_ends_before_its_step_is_written_takes_it_when_it_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcomes are in the journal, so the next process reads them and takes the very same step."""
    with serving(tmp_path / "j.db") as engine:
        challenge(engine)

        def full(*args: object, **kwargs: object) -> None:
            raise JournalError("journal: the disk is full")

        monkeypatch.setattr(engine.parts.journal, "note", full)
        with pytest.raises(JournalError, match="the disk is full"):
            play(engine, 0)
        with pytest.raises(JournalError, match="the disk is full"):  # and the next settlement tries it again
            visit(engine, 399)
        monkeypatch.undo()
        assert kinds(engine) == ["started"]
    with serving(tmp_path / "j.db") as again:
        assert kinds(again) == ["started", "advanced"]
        assert again.replay().identical


def test_a_step_not_in_keeping_with_the_journal_is_seen_by_replay() -> None:
    with serving() as engine:
        challenge(engine)
        half = play(engine, 0)
        assert engine.replay().identical
        engine.parts.journal._write(
            lambda db: db.execute("UPDATE events SET detail = json_set(detail, '$.n', 3) WHERE event_seq = 2")
        )
        assert not engine.replay().identical
        assert half > 20


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"policy": {"name": "ucb"}}, "the incumbent's configuration was changed"),
        ({"reward": {"like": 0.5}}, "the rewards were changed"),
        ({"seed": 21}, "the seed was changed"),
    ],
)
def test_a_promotion_ends_when_the_experiment_is_another(
    changed: dict[str, object], reason: str, tmp_path: Path
) -> None:
    with serving(tmp_path / "j.db") as engine:
        challenge(engine)
        visit(engine, 0)
    with serving(tmp_path / "j.db", **changed) as engine:
        assert state(engine) == "cancelled"
        assert engine.status()["promotion"]["steps"][-1]["reason"] == reason


def test_one_promotion_at_a_time_and_cancelling() -> None:
    with serving() as engine:
        with pytest.raises(InputError, match="there is nothing to cancel"):
            engine.cancel_promotion(at=START)
        challenge(engine)
        with pytest.raises(InputError, match="a promotion is running"):
            challenge(engine)
        visit(engine, 0)
        engine.cancel_promotion(at=START + 1.0)
        assert state(engine) == "cancelled"
        visit(engine, 1)
        assert engine.parts.journal.trial_of("d1") is None
        assert engine.replay().identical
        challenge(engine)
        assert state(engine) == "running"


def test_a_challenger_in_another_feature_space_goes_all_the_way(tmp_path: Path) -> None:
    """Its own encoder, pairing and index; the catalogue changes meanwhile, a user is forgotten; all is replayable."""
    with serving(tmp_path / "j.db") as engine:
        challenge(engine, encoder={"name": "numeric", "columns": ["price"]}, pairing={"product": 4})
        for number in range(15):
            visit(engine, number)
        engine.put([Item("i3", text="changed", attributes={"price": 3.0}), Item("new", text="new")])
        engine.forget("u1")
        half = play(engine, 15)
        engine.put([Item("i4", text="changed too", attributes={"price": 3.0})])
        done = play(engine, half)
        assert kinds(engine) == ["started", "advanced", "promoted"]
        visit(engine, done)
        engine.put([Item("newer", text="newer", attributes={"price": 1.0})])
        assert "newer" in engine.item_ids
        assert engine.status()["encoder"].startswith("numeric")
        assert engine.replay().identical
        known = [number for number in range(0, done + 1, 3) if number % 4 != 1 or number > 15]
        assert [number for number in known if not engine.why(f"d{number}").reproduced] == []
    with serving(tmp_path / "j.db") as again:
        assert again.status()["encoder"].startswith("numeric")
        assert again.replay().identical


PAYS = np.array([0.1, 0.3, 0.5, 0.2, 0.4])
LEAST = 300


def test_ips_from_the_journal_stays_unbiased_through_shadow_and_share() -> None:
    """A target that shows each arm alike earns .3, the mean of PAYS, whoever made the decisions.

    weight x reward less .3 is a martingale difference, because a propensity is exact given the coin and the coin is
    independent of all else: |z| < 3 is passed by 99.7 % of seeds; ids and seeds are fixed, so this is always one z.
    The shadow ends after 300 decisions, since it may lose everything, and the share cannot end before 300 more.
    """
    world, rules = np.random.default_rng(13), {"least": LEAST, "shadow_margin": -1.5, "shares": [0.5]}
    with serving(policy={"name": "thompson", "floor": 0.02}, promotion=rules) as engine:
        challenge(engine, {"name": "squarecb", "floor": 0.02})
        for number in range(2 * LEAST - 1):
            shown = engine.recommend(
                Request(items=ARMS), slots=1, decision_id=f"d{number}", at=START + number
            )
            if world.random() < PAYS[ARMS.index(shown.slots[0].item_id)]:
                engine.feedback(f"d{number}", slot=0, kind="like", at=START + number)
            engine.settle(f"d{number}", at=START + number)
        assert kinds(engine) == ["started", "advanced"]
        logged = [entry for _, entry in engine.parts.journal.settled()]
    made = [entry.decision.policy for entry in logged]
    assert set(made[:LEAST]) == {"thompson"}
    assert abs(made[LEAST:].count("squarecb") - 150) < 5 * np.sqrt(300 / 4)  # five sigma of a fair coin
    weights = np.array([0.2 / entry.decision.slots[0].propensity for entry in logged])
    differences = weights * np.array([entry.rewards[0] for entry in logged]) - PAYS.mean()
    assert abs(differences.sum() / np.sqrt((differences**2).sum())) < 3.0
