"""A policy trained offline: on the earlier part alone, better than who logged, served as it was judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import Candidates, ConfigurationError, FeatureSpaceError, InputError, Request
from equipoise.engine import Engine
from equipoise.engine.challenge import challenger_settings
from equipoise.engine.offline.log_choices import (
    MOST_NUMBERS,
    catalog_choices,
    cut_of,
    latest,
    log_choices,
    part_of,
    with_shown_items,
)
from equipoise.engine.offline.policy_file import check_free, write_policy
from equipoise.engine.offline.training import Challenger, Plan, train_on_journal, train_on_log
from equipoise.evaluation import Evaluation
from equipoise.evaluation.evidence import Codes
from equipoise.evaluation.logs import Log
from equipoise.policies import build

from .shop import START, opened, visit

BEST = {"phone": 1, "desk": 4}
"""The place of the item that is clicked with .5 on such a device; i0 is with .15, all others with .1."""
ITEMS = tuple(f"i{j}" for j in range(6))
QUICK = Plan(ridge=1.0, variance=0.5)


def chances_of_click(device: str) -> np.ndarray:
    chance = np.full(len(ITEMS), 0.1)
    chance[0], chance[BEST[device]] = 0.15, 0.5
    return chance


def world(n: int = 2000, *, seed: int = 4, logged: bool = True) -> Log:
    """A system that likes i0 best and knows nothing of devices; it earns about .18."""
    dice = np.random.default_rng(seed)
    odds = 0.2 / len(ITEMS) + 0.8 * np.array([0.6, 0.1, 0.1, 0.05, 0.1, 0.05])
    devices = dice.integers(2, size=n)
    shown = dice.choice(len(ITEMS), size=n, p=odds)
    names = ("phone", "desk")
    chance = np.array([chances_of_click(names[d])[s] for d, s in zip(devices, shown, strict=True)])
    return Log(
        name="theirs",
        rewards=(dice.random(n) < chance).astype(np.float64),
        propensities=odds[shown] if logged else None,
        decisions=np.arange(n),
        slots=np.zeros(n, dtype=np.int16),
        at=START - 1e6 + np.arange(n, dtype=np.float64),
        items=Codes(shown.astype(np.int32), ITEMS),
        loggers=Codes(np.zeros(n, dtype=np.int32), ("theirs",)),
        groups={"device": Codes(devices.astype(np.int32), names)},
        users=Codes(dice.integers(9, size=n).astype(np.int32), tuple(f"u{u}" for u in range(9))),
    )


def truth(made: Challenger) -> float:
    """What the policy earns in the world, exactly: the mean over both devices of its odds times the chances."""
    (fitted,), earned = made.fitted, []
    policy = build("trained", fitted.space, weights={str(fitted.space): fitted.weights})
    log = world(40)
    choices = log_choices(log)
    for device in (0, 1):
        row = int(np.flatnonzero(log.groups["device"].codes == device)[0])
        features = choices.features[choices.starts[row] : choices.starts[row] + len(ITEMS)]
        odds = policy.distribution(Candidates(ITEMS, features, fitted.space), np.random.default_rng(0))
        earned.append(float(odds @ chances_of_click(("phone", "desk")[device])))
    return float(np.mean(earned))


@pytest.mark.parametrize("method", ["dr", "poem", "snips", "ips"])
def test_every_method_earns_more_than_who_logged_and_the_estimate_says_so(method: str) -> None:
    """The best possible is .5. The estimate's interval of three standard errors holds the truth: 1 in 370 does not."""
    made = train_on_log(world(), Plan(method=method))
    found = Evaluation(made.held_out).compare(made.targets)
    mean = found.row("theirs", "on_policy").estimate.value
    estimate = found.row("trained", "snips").estimate
    assert truth(made) > 0.4 > 0.2 > mean
    assert abs(estimate.value - truth(made)) < 3.0 * estimate.stderr
    assert len(made.held_out) == 600 and made.fitted[0].choices == 1400
    assert len(made.fitted[0].tried) == len(made.plan.tries)


def test_nothing_of_the_later_part_is_trained_on() -> None:
    log = world()
    spoiled = log.rewards.copy()
    spoiled[1400:] = 1.0 - spoiled[1400:]
    one, other = train_on_log(log, QUICK), train_on_log(replace(log, rewards=spoiled), QUICK)
    assert one.fitted[0].weights == other.fitted[0].weights
    assert np.array_equal(one.held_out.at, log.at[1400:])


def test_a_ridge_means_the_same_for_clicks_and_for_seconds() -> None:
    log = world()
    clicks, seconds = train_on_log(log, QUICK), train_on_log(replace(log, rewards=64.0 * log.rewards), QUICK)
    np.testing.assert_array_equal(clicks.fitted[0].trained.weights, seconds.fitted[0].trained.weights)
    np.testing.assert_allclose(64.0 * clicks.fitted[0].rewards, seconds.fitted[0].rewards)


def test_what_does_best_on_held_out_rows_is_taken() -> None:
    made = train_on_log(world(), Plan(method="snips"))
    (fitted,) = made.fitted
    best = max(fitted.tried, key=lambda one: one.low)
    assert fitted.trained.settings == best.settings
    given = train_on_log(world(), Plan(method="snips", variance=1.5, ridge=7.0))
    assert given.fitted[0].tried == ()
    assert (given.fitted[0].trained.settings.variance, given.fitted[0].trained.settings.ridge) == (1.5, 7.0)


def test_without_propensities_estimates_stand_in_and_say_so() -> None:
    made = train_on_log(world(logged=False), QUICK)
    assert made.estimated and "were not logged but estimated" in made.propensities
    assert "calibration temperature" in made.propensities
    assert truth(made) > 0.4
    assert not train_on_log(world(), QUICK).estimated


def test_the_file_is_a_challenger_that_an_engine_serves_as_it_was_judged(tmp_path: Path) -> None:
    """Trained in the catalogue's features too: odds beside the log are those that the engine gives."""
    path = tmp_path / "challenger.toml"
    with opened(n=6) as engine:
        made = train_on_log(world(600), Plan(ridge=100.0, variance=0.5), engine=engine)
        assert [str(one.space) for one in made.fitted] == [
            "log-items@device (d=64)",
            str(engine.parts.stock.pairing.space),
        ]
        write_policy(made, path, log="theirs.csv")
        settings = challenger_settings(path, engine.parts.settings)
    assert settings.policy.name == "trained"
    assert settings.policy.settings["weights"] == made.tables["policy"]["settings"]["weights"]
    with opened(n=6, policy=made.tables["policy"]) as engine:
        decision = engine.recommend(Request(attributes={"device": "phone"}), slots=2, at=START)
        # Softmax above the floor f: log of (p_a - f) / (p_b - f) is the difference of the scores.
        above = [slot.probability - made.plan.floor for slot in decision.slots]
        scores = decision.features.astype(np.float64) @ made.fitted[1].trained.weights
        assert np.log(above[0] / above[1]) == pytest.approx(scores[0] - scores[1], rel=1e-9)
        assert min(decision.probabilities) >= made.plan.floor
        engine.feedback(decision.decision_id, slot=0, kind="click", at=START + 1)
        engine.settle(decision.decision_id, at=START + 2)
        assert engine.replay().identical
        assert engine.why(decision.decision_id).reproduced


def test_a_policy_without_weights_for_the_catalogue_says_what_to_do() -> None:
    made = train_on_log(world(600), QUICK)
    with pytest.raises(FeatureSpaceError, match="--log with --config"):
        opened(policy=made.tables["policy"])


def test_on_our_own_journal_it_is_judged_as_evaluate_does(tmp_path: Path) -> None:
    """Boots (i1, i4) are clicked always, others never, by uniform choice among 6: the policy finds that out."""
    with opened(tmp_path / "j.db", n=6, policy={"name": "uniform"}) as engine:
        for number in range(150):
            decision = visit(engine, number, click=None, settle=False)
            for slot in decision.slots:
                if int(slot.item_id[1:]) % 3 == 1:
                    engine.feedback(
                        decision.decision_id, slot=slot.slot, kind="like", at=START + 10.0 * number + 1
                    )
            engine.settle(decision.decision_id, at=START + 10.0 * number + 2)
        made = train_on_journal(engine, QUICK)
        assert made.fitted[0].choices == 105 * 3
        assert len(made.held_out) == 45 * 3
        found = Evaluation(made.held_out).compare(made.targets)
        logged = found.row("uniform", "on_policy").estimate.value
        assert found.row("trained", "independent_ips").estimate.value > 1.5 * logged
        fewer = train_on_journal(engine, QUICK, last=50)
        assert fewer.fitted[0].choices == 50 * 3
    with opened(tmp_path / "new.db", n=6, policy=made.tables["policy"]) as engine:
        decision = engine.recommend(Request(user_id="u1"), slots=2, decision_id="first", at=START)
        assert {slot.item_id for slot in decision.slots} == {"i1", "i4"}


def test_a_journal_too_short_for_two_parts_is_refused() -> None:
    with opened() as engine, pytest.raises(InputError, match="0 settled decisions of our own"):
        train_on_journal(engine)
    with opened() as engine:
        visit(engine, 0)
        with pytest.raises(InputError, match="too few for two parts"):
            train_on_journal(engine)


def slates(shown: list[list[int]]) -> Log:
    """Slates of item codes."""
    sizes = [len(one) for one in shown]
    codes = np.array([code for one in shown for code in one], dtype=np.int32)
    n = len(codes)
    return Log(
        name="slates",
        rewards=np.arange(n) % 2.0,
        propensities=np.full(n, 0.5),
        decisions=np.repeat(np.arange(len(sizes)), sizes),
        slots=np.concatenate([np.arange(size) for size in sizes]).astype(np.int16),
        at=np.arange(n, dtype=np.float64),
        items=Codes(codes, ("a", "b", "c")),
        loggers=Codes(np.zeros(n, dtype=np.int32), ("theirs",)),
    )


def test_a_slot_is_a_choice_among_what_the_slots_above_left() -> None:
    """Of three items: b first, then c of a and c, at place 1; and an item shown again is a candidate again."""
    log = slates([[1, 2], [0], [2, 2]])
    choices = log_choices(log)
    assert choices.sizes.tolist() == [3, 2, 3, 3, 3]
    assert (choices.shown - choices.starts).tolist() == [1, 1, 0, 2, 2]
    with opened(n=3) as engine:
        ours = catalog_choices(engine, replace(log, items=Codes(log.items.codes, ("i0", "i1", "i2"))))
    assert ours.sizes.tolist() == choices.sizes.tolist()
    assert ours.shown.tolist() == choices.shown.tolist()
    assert ours.features.shape[1] == engine.parts.stock.pairing.space.dim


def test_parts_of_a_log_keep_decisions_whole() -> None:
    log = slates([[1, 2], [0], [2, 1], [0]])
    assert cut_of(log, 0.5) == 3
    later = part_of(log, slice(3, 6))
    assert later.decisions.tolist() == [0, 0, 1]
    assert later.items.codes.tolist() == [2, 1, 0]
    with pytest.raises(InputError, match="too few for two parts"):
        cut_of(log, 0.01)


def test_names_that_no_row_shows_are_no_candidates() -> None:
    log = with_shown_items(slates([[2], [0], [2]]))
    assert log.items.names == ("a", "c")
    assert log.items.codes.tolist() == [1, 0, 1]


def test_what_does_not_fit_into_memory_is_left_out_from_the_front() -> None:
    log = slates([[0], [1], [2], [0, 1]])
    kept, note = latest(log, MOST_NUMBERS // 6)
    assert len(kept) == 2 and "the latest 2 of 5 rows" in note
    assert latest(log, 10) == (log, "")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": "magic"}, "method is 'magic' but must be one of dr, poem"),
        ({"held_out": 0.0}, "held_out is 0.0"),
        ({"floor": 2.0}, "floor is 2.0"),
        ({"method": "ips", "variance": 1.0}, "that is method 'poem'"),
    ],
)
def test_plans_that_cannot_be(given: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Plan(**given)


def test_bad_numbers_of_the_training_itself_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="clip -1"):
        train_on_log(world(100), Plan(clip=-1.0))
    with pytest.raises(InputError, match="a single item, 'a'"):
        train_on_log(slates([[0]] * 9), QUICK)


def test_files_are_not_overwritten_and_need_a_folder(tmp_path: Path) -> None:
    made, path = train_on_log(world(200), QUICK), tmp_path / "c.toml"
    write_policy(made, path, log="x")
    first = path.read_text()
    with pytest.raises(
        ConfigurationError, match="exists: name another with --out, or replace it with --force"
    ):
        write_policy(made, path, log="y")
    assert path.read_text() == first and '"x"' in first
    write_policy(made, path, log="y", force=True)
    assert '"y"' in path.read_text()
    with pytest.raises(ConfigurationError, match="its folder is not there"):
        check_free(tmp_path / "no" / "c.toml", force=False)
    assert [each.name for each in tmp_path.iterdir()] == ["c.toml"]


def test_an_engine_that_was_trained_is_an_engine(tmp_path: Path) -> None:
    """Its challenger is recorded with the promotion, weights and all: the file may go."""
    with opened(tmp_path / "j.db", n=6, policy={"name": "uniform"}) as engine:
        for number in range(60):
            visit(engine, number)
        made = train_on_journal(engine, QUICK)
        path = tmp_path / "challenger.toml"
        write_policy(made, path, log="j.db")
        engine.promote(path)
        path.unlink()
        visit(engine, 60)
    with opened(tmp_path / "j.db", n=6, policy={"name": "uniform"}) as engine:
        assert isinstance(engine, Engine)
        visit(engine, 61)
        assert engine.status()["promotion"]["challenger"].startswith("trained#")
