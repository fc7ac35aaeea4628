"""A warm start that is doubly robust: better than naive, the same after every reopening, and never lost in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import ConfigurationError, FeatureSpaceError, Request
from equipoise.engine import Engine
from equipoise.engine.offline.imported import ROBUST
from equipoise.engine.offline.log_prior import weigh
from equipoise.engine.offline.warm_start import warm_start

from .shop import START, opened, visit
from .test_warm_start import COLUMNS, keen, rows, state_of, written


def earned(engine: Engine) -> float:
    """What the policy's choice between tents (i1, .3) and socks (i2, .4) earns, whoever asks: see `keen`."""
    found = []
    for number in range(20):
        decision = engine.recommend(Request(items=("i1", "i2"), user_id=f"n{number}"), slots=1, at=START)
        odds = dict(zip(decision.candidates, decision.probabilities, strict=True))
        found.append(0.3 * odds["i1"] + 0.4 * odds["i2"])
    return float(np.mean(found))


def test_right_propensities_do_better_than_none(tmp_path: Path) -> None:
    """The system of `keen` knew what no feature says, so that naive learning takes tents: .30 and not the best, .40."""
    log = written(tmp_path, keen(2000))
    found = {}
    for weighting in ("none", "ips", "dr"):
        with opened(tmp_path / f"{weighting}.db") as engine:
            warm_start(engine, log, COLUMNS, weighting=weighting)
            found[weighting] = earned(engine)
    assert found["none"] < 0.34
    assert found["ips"] > 0.37 and found["dr"] > 0.37


def test_replay_and_reopening_give_the_identical_state(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with opened(path) as engine:
        for number in range(5):
            visit(engine, number)
        done = warm_start(engine, written(tmp_path, rows(60)), COLUMNS, weighting="dr")
        assert done.weighting == "dr" and "doubly robust fit to the whole log" in done.weights
        assert done.learned == 65
        for number in range(5, 9):
            visit(engine, number)
        assert engine.replay().identical
        state, name = state_of(engine), engine.parts.fingerprint
    with opened(path) as engine:
        assert state_of(engine) == state and engine.parts.fingerprint == name
    shutil.rmtree(tmp_path / "j.state" / "checkpoints")
    with opened(path) as engine:
        assert state_of(engine) == state
        assert engine.replay().identical


def test_the_policy_begins_with_the_log_and_does_not_learn_its_rows_again(tmp_path: Path) -> None:
    """120 slots of weight 1: as rows of the policy's clock they are 0, as knowledge 120; statistics count them all."""
    with opened(tmp_path / "j.db") as engine:
        warm_start(engine, written(tmp_path, rows(60)), COLUMNS, weighting="dr")
        learned, more = engine.parts.policy.posterior.state()["rows"]
        assert learned == 0 and more == pytest.approx(120.0, rel=0.01)
        counts = engine.parts.learner.statistics.experience([f"i{j}" for j in range(40)], None).item_counts
        assert counts.sum() == pytest.approx(120.0, rel=0.01)
        sources = {slot.source for _, one in engine.parts.journal.settled() for slot in one.decision.slots}
        assert sources == {"imported" + ROBUST}


def test_taken_in_twice_it_is_learned_once(tmp_path: Path) -> None:
    log = written(tmp_path, rows(40))
    with opened(tmp_path / "j.db") as engine:
        warm_start(engine, log, COLUMNS, weighting="dr")
        state = state_of(engine)
        again = warm_start(engine, log, COLUMNS, weighting="dr")
        assert again.again == 40 and state_of(engine) == state
        grown = warm_start(engine, written(tmp_path, rows(50)), COLUMNS, weighting="dr")
        assert (grown.decisions, grown.again) == (10, 40)
        # what the log now says stands for what it had said before
        assert engine.parts.policy.posterior.state()["rows"][1] == pytest.approx(100.0, rel=0.01)
        other = warm_start(engine, written(tmp_path, keen(30), name="more.csv"), COLUMNS, weighting="dr")
        assert engine.parts.policy.posterior.state()["rows"][1] == pytest.approx(
            100.0 + other.n_effective, rel=0.01
        )


def test_without_what_was_found_the_rows_themselves_are_learned(tmp_path: Path) -> None:
    """As after a rebuild in another feature space: the same as if --weighting ips had been said."""
    log = written(tmp_path, keen(200))
    with opened(tmp_path / "ips.db") as engine:
        warm_start(engine, log, COLUMNS, weighting="ips")
        state = state_of(engine)
    with opened(tmp_path / "dr.db") as engine:
        warm_start(engine, log, COLUMNS, weighting="dr")
        assert state_of(engine) != state
    shutil.rmtree(tmp_path / "dr.state" / "priors")
    with opened(tmp_path / "dr.db") as engine:
        assert state_of(engine) == state


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        warm_start(engine, written(tmp_path, keen(30)), COLUMNS, weighting="dr")
    (path,) = (tmp_path / "j.state" / "priors").rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FeatureSpaceError, match="bring it back from a backup, or delete it"):
        opened(tmp_path / "j.db")


def test_a_log_without_propensities_is_weighed_by_estimates_and_says_so(tmp_path: Path) -> None:
    from equipoise.evaluation.logs import columns_from

    from .test_warm_start import ROLES

    roles = {role: column for role, column in ROLES.items() if role != "propensity"}
    with opened(tmp_path / "j.db") as engine:
        done = warm_start(engine, written(tmp_path, keen(200)), columns_from(roles), weighting="dr")
        assert done.estimated and done.calibration == "temperature"
        assert "were not logged but estimated" in done.propensities
        (first, *_) = (one for _, one in engine.parts.journal.settled())
        assert first.decision.slots[0].source == "imported, estimated" + ROBUST


def test_where_it_cannot_be_nothing_is_taken_in(tmp_path: Path) -> None:
    log = written(tmp_path, keen(30))
    with opened() as engine:
        with pytest.raises(ConfigurationError, match="journal is in memory"):
            warm_start(engine, log, COLUMNS, weighting="dr")
        assert engine.status()["decisions"] == 0
    for posterior in ("arms", "logistic"):
        with opened(tmp_path / f"{posterior}.db", policy={"posterior": posterior}) as engine:
            with pytest.raises(ConfigurationError, match=f"'{posterior}' .* or take --weighting ips"):
                warm_start(engine, log, COLUMNS, weighting="dr")
            assert engine.status()["decisions"] == 0
    challenger = tmp_path / "c.toml"
    challenger.write_text('[policy]\nname = "ucb"\n')
    with opened(tmp_path / "j.db") as engine:
        engine.promote(challenger)
        with pytest.raises(ConfigurationError, match="promotion is running"):
            warm_start(engine, log, COLUMNS, weighting="dr")


def test_a_policy_that_cannot_begin_so_opens_on_the_same_journal(tmp_path: Path) -> None:
    """One that was trained elsewhere, and one whose items share nothing: it learns the log's rows by their weights."""
    path = tmp_path / "j.db"
    with opened(path) as engine:
        warm_start(engine, written(tmp_path, rows(30)), COLUMNS, weighting="dr")
        space = engine.parts.stock.pairing.space
        none = [0.0] * space.dim
    weights = {str(space): {"scores": none, "rewards": none}}
    with opened(path, policy={"name": "trained", "settings": {"weights": weights}}) as engine:
        assert engine.status()["learned"] == 30
        visit(engine, 1)
    with opened(path, policy={"posterior": "arms"}) as engine:
        assert engine.parts.policy.posterior.state()["rows"].sum() == pytest.approx(63.0, rel=0.01)


def test_our_own_decisions_weigh_what_they_always_did() -> None:
    with opened() as engine:
        own = visit(engine, 0)
        logged = engine.parts.journal.logged(own.decision_id)
        assert logged is not None
        assert weigh(known=True)(logged) == weigh(known=False)(logged) == (None, None)
