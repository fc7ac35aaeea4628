"""A log of another system: taken in once, learned like our own, and replayed bit for bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.cli import main
from equipoise.core import ConfigurationError, InputError, Request
from equipoise.engine import Engine
from equipoise.engine.offline.foreign import ForeignLog
from equipoise.engine.offline.imported import ESTIMATED, IMPORTED, even_weights, weights_of
from equipoise.engine.offline.warm_start import WarmStarted, warm_start
from equipoise.evaluation.logs import Reading, columns_from, read_log
from equipoise.evaluation.slates import SLATE_ESTIMATORS, slate_log

from .shop import START, opened, visit

ROLES = {
    "reward": "got",
    "item_id": "what",
    "user_id": "who",
    "at": "when",
    "propensity": "p",
    "decision_id": "slate",
    "slot": "place",
    "attributes": ["device", "hour"],
}
COLUMNS = columns_from(ROLES)
HEADER = "slate,place,when,who,what,got,p,device,hour\n"


def rows(n: int, *, slots: int = 2) -> list[str]:
    """n slates drawn evenly from the 40 items; boots (i1, i4, ...) are clicked 6 times of 10, others once."""
    dice = np.random.default_rng(5)
    found = []
    for number in range(n):
        shown = dice.permutation(40)[:slots].tolist()
        for place, item in enumerate(shown):
            got = int(dice.random() < (0.6 if item % 3 == 1 else 0.1))
            when = START - 1e8 + 60 * number
            device = ("phone", "desk")[number % 2]
            found.append(
                f"s{number},{place},{when},u{number % 7},i{item},{got},{1 / (40 - place)!r},{device},{number % 24}\n"
            )
    return found


def written(folder: Path, lines: Iterable[str], *, name: str = "their.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text(header + "".join(lines), encoding="utf-8")
    return path


def boots(engine: Engine) -> float:
    """The share of the odds that a new user's first slot gives to boots."""
    decision = engine.recommend(Request(user_id="new"), slots=1, at=START)
    return sum(
        float(p)
        for item, p in zip(decision.candidates, decision.probabilities, strict=True)
        if int(item[1:]) % 3 == 1
    )


def test_the_policy_starts_with_what_the_log_knows(tmp_path: Path) -> None:
    """13 of 40 items are boots: about a third of the odds before, more than two thirds after 300 slates."""
    with opened(tmp_path / "j.db") as engine:
        before = boots(engine)
        done = warm_start(engine, written(tmp_path, rows(300)), COLUMNS)
        assert (done.decisions, done.slots, done.again, done.left_out) == (300, 600, 0, 0)
        assert done.propensities == "propensities are the log's own"
        assert done.learned == engine.status()["learned"] == 300
        assert before < 0.5 and boots(engine) > 0.67


def test_it_is_journaled_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        warm_start(engine, written(tmp_path, rows(40)), COLUMNS)
        position, logged = next(iter(engine.parts.journal.settled()))
        decision = logged.decision
        told = [line.strip().split(",") for line in rows(40)[:2]]
        assert position == 1 and decision.policy == IMPORTED
        assert [slot.item_id for slot in decision.slots] == [line[4] for line in told]
        assert [slot.propensity for slot in decision.slots] == [1 / 40, 1 / 39]
        assert {slot.source for slot in decision.slots} == {IMPORTED}
        assert logged.rewards.tolist() == [float(line[5]) for line in told]
        assert decision.request == Request(user_id="u0", attributes={"device": "phone", "hour": 0})
        assert decision.at == START - 1e8
        assert "made by the policy imported#" in engine.why(decision.decision_id).differences[0]


def state_of(engine: Engine) -> dict[str, bytes]:
    return {name: value.tobytes() for name, value in engine.parts.learner.state().items()}


def test_replay_and_reopening_give_the_identical_state(tmp_path: Path) -> None:
    """With our own decisions before and after, with and without checkpoints, and after a rebuild in a new space."""
    path = tmp_path / "j.db"
    with opened(path) as engine:
        for number in range(5):
            visit(engine, number)
        warm_start(engine, written(tmp_path, rows(60)), COLUMNS)
        for number in range(5, 9):
            visit(engine, number)
        assert engine.replay().identical
        state = state_of(engine)
    with opened(path) as engine:
        assert state_of(engine) == state
    shutil.rmtree(tmp_path / "j.state" / "checkpoints")
    with opened(path) as engine:
        assert engine.status()["learned"] == 69 and state_of(engine) == state
        assert engine.forget("u1") > 8  # of the log's slates and of our own visits
        assert engine.replay().identical


def test_a_log_taken_in_twice_is_learned_once(tmp_path: Path) -> None:
    """Also where it has grown meanwhile, and where two rows say the very same."""
    lines = rows(20, slots=1)
    twin = lines[3].replace("s3,", "s3b,")
    with opened(tmp_path / "j.db") as engine:
        path = written(tmp_path, [*lines[:4], twin, *lines[4:]])
        assert warm_start(engine, path, COLUMNS).decisions == 21
        state = state_of(engine)
        again = warm_start(engine, path, COLUMNS)
        assert (again.decisions, again.again) == (0, 21) and state_of(engine) == state
        more = warm_start(engine, written(tmp_path, [*lines[:4], twin, *rows(25, slots=1)[4:]]), COLUMNS)
        assert (more.decisions, more.again, more.learned) == (5, 21, 26)


def test_a_process_killed_on_the_way_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when decisions are journaled but not learned: the next start settles them with their rewards."""
    log = written(tmp_path, rows(50))
    with opened(tmp_path / "whole.db") as engine:
        warm_start(engine, log, COLUMNS)
        rewards = [logged.rewards.tolist() for _, logged in engine.parts.journal.settled()]
    with opened(tmp_path / "j.db") as engine:

        def killed() -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(engine, "learn", killed)
        with pytest.raises(KeyboardInterrupt):
            warm_start(engine, log, COLUMNS)
    with opened(tmp_path / "j.db") as engine:
        assert engine.status()["settled"] == 16
        done = warm_start(engine, log, COLUMNS)
        assert (done.decisions, done.again) == (34, 16)
        assert [logged.rewards.tolist() for _, logged in engine.parts.journal.settled()] == rewards
        assert engine.replay().identical


def test_what_cannot_be_used_is_set_aside_with_its_line(tmp_path: Path) -> None:
    lines = rows(10, slots=1)
    lines[2] = lines[2].replace(",i", ",x")
    lines[5] = lines[5].rsplit(",", 3)[0] + ",0,desk,3\n"
    with opened(tmp_path / "j.db") as engine:
        done = warm_start(engine, written(tmp_path, lines), COLUMNS)
        assert (done.decisions, done.left_out) == (8, 2)
        assert done.rejects is not None and "1 for what" in done.notes[0]
        aside = [json.loads(line) for line in Path(done.rejects).read_text().splitlines()]
        assert [(each["line"], each["column"]) for each in aside] == [(4, "what"), (7, "p")]
        assert "unknown item" in aside[0]["reason"]


def test_without_propensities_estimates_stand_in_and_say_so(tmp_path: Path) -> None:
    lines = [line.rsplit(",", 3)[0] + "," + ",".join(line.rsplit(",", 2)[1:]) for line in rows(400, slots=1)]
    roles = {**ROLES, "attributes": ["device"]}
    del roles["propensity"]
    path = written(tmp_path, lines, header=HEADER.replace("p,", ""))
    with opened(tmp_path / "j.db") as engine:
        done = warm_start(engine, path, columns_from(roles))
        assert done.estimated and done.calibration == "temperature" and done.weighting == "none"
        assert "were not logged but estimated by item frequencies in 2 contexts" in done.propensities
        assert (
            "calibration temperature" in done.propensities and "(contexts: slot, device)" in done.propensities
        )
        logged = [entry for _, entry in engine.parts.journal.settled()]
        assert {slot.source for entry in logged for slot in entry.decision.slots} == {ESTIMATED}
        # the log was drawn evenly from 40 items: 400 inverse propensities have mean 40, give or take 2
        inverse = [1.0 / entry.decision.slots[0].propensity for entry in logged]
        assert np.mean(inverse) == pytest.approx(40.0, rel=0.15)


def test_what_was_taken_in_can_be_evaluated(tmp_path: Path) -> None:
    """The logging policy's own chances as target give the log's mean."""
    with opened(tmp_path / "j.db") as engine:
        done = warm_start(engine, written(tmp_path, rows(30)), COLUMNS)
        logged = [entry for _, entry in engine.parts.journal.settled()]
    log = slate_log(logged, [np.array([1 / 40, 1 / 39])] * 30)
    for name, estimator in SLATE_ESTIMATORS.items():
        assert estimator.estimate(log).value == pytest.approx(2 * done.mean_reward, abs=1e-12), name


def test_rewards_come_through_another_kind_and_scale(tmp_path: Path) -> None:
    """A kind worth 2.5 in a specification up to 5: what is learned is the log's own number."""
    lines = [line.replace(",1,0.0", ",4.2,0.0").replace(",1,1.0", ",4.2,1.0") for line in rows(10, slots=1)]
    reward = {"view": 0.0, "order": 2.5, "high": 5.0}
    with opened(tmp_path / "j.db", reward=reward, policy={"posterior": "linear"}) as engine:
        warm_start(engine, written(tmp_path, lines), COLUMNS, kind="order")
        learned = [logged.rewards[0] for _, logged in engine.parts.journal.settled()]
        assert learned == pytest.approx([float(line.split(",")[5]) for line in lines], rel=1e-15)
        assert max(learned) == pytest.approx(4.2)


def test_attributes_are_numbers_where_all_of_them_are(tmp_path: Path) -> None:
    """`hour` is one, `device` is not, a postcode with a leading zero neither; what is missing is left out."""
    lines = ["u1,i1,1,7,0771,phone\n", "u1,i2,0,,12,desk\n", ",i2,0,8.5,12,\n"]
    path = written(tmp_path, lines, header="who,what,got,hour,postcode,device\n")
    columns = columns_from(
        {"reward": "got", "item_id": "what", "user_id": "who", "attributes": ["hour", "postcode", "device"]}
    )
    foreign = ForeignLog.of(read_log(path, columns, how=Reading(users=True)))
    found = list(foreign)
    assert len(foreign) == 3
    assert [one.attributes for one in found] == [
        {"hour": 7, "postcode": "0771", "device": "phone"},
        {"postcode": "12", "device": "desk"},
        {"hour": 8.5, "postcode": "12"},
    ]
    assert [one.user_id for one in found] == ["u1", "u1", None]
    assert all(one.at is None for one in found) and "contexts: slot)" in foreign.whence
    assert foreign.counting == "every row counts once: 3 rows are worth 3"


def test_other_formats_are_read_too(tmp_path: Path) -> None:
    """Parquet with the same columns; dsjson, which names candidates itself and turns costs into rewards."""
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.csv.read_csv(written(tmp_path, rows(10, slots=1)))
    pyarrow.parquet.write_table(table, tmp_path / "their.parquet")
    records = [
        {
            "_label_cost": -float(number % 2),
            "_label_probability": 0.25,
            "EventId": f"e{number}",
            "Timestamp": f"2026-01-01T00:00:{number:02}Z",
            "a": [2, 1, 3, 4],
            "p": [0.25] * 4,
            "c": {"_multi": [{"item_id": f"i{item}"} for item in (5, 6, 7, 8)]},
        }
        for number in range(8)
    ]
    (tmp_path / "their.dsjson").write_text("".join(json.dumps(record) + "\n" for record in records))
    with opened(tmp_path / "j.db") as engine:
        assert warm_start(engine, tmp_path / "their.parquet", COLUMNS).decisions == 10
        done = warm_start(engine, tmp_path / "their.dsjson")
        assert (done.decisions, done.mean_reward, done.learned) == (8, 0.5, 18)
        last = engine.parts.journal.at_position(18).decision
        assert [(slot.item_id, slot.propensity) for slot in last.slots] == [("i6", 0.25)]
        assert engine.replay().identical


def keen(n: int) -> list[str]:
    """The other system shows tents (i1) to keen users 9 times of 10, and socks (i2) to the others.

    Keen users click tents with .5 and socks with .6, others with .1 and .2: socks are better for everybody, by .1.
    Whoever was shown tents clicked .9 x .5 + .1 x .1 = .46 of them, and .1 x .6 + .9 x .2 = .24 of the socks.
    Keenness is in the propensities and nowhere else.
    """
    dice = np.random.default_rng(3)
    found = []
    for number in range(n):
        likes, usual = dice.random() < 0.5, dice.random() < 0.9
        tent = likes == usual
        chance = (0.5 if tent else 0.6) if likes else (0.1 if tent else 0.2)
        item, p = ("i1" if tent else "i2"), (0.9 if usual else 0.1)
        got = int(dice.random() < chance)
        found.append(f"s{number},0,{START - 1e8 + number},u{number},{item},{got},{p},desk,1\n")
    return found


def means(engine: Engine) -> list[float]:
    """The mean rewards that tents and socks are known by."""
    experience = engine.parts.learner.statistics.experience(["i1", "i2"], None)
    return [float(mean + experience.overall) for mean in experience.item_means]


def test_what_the_other_system_knew_misleads_nobody(tmp_path: Path) -> None:
    """2,000 rows are worth 0.36 of that by Kish: the means are known to .02, so .1 apart is 5 standard errors."""
    log = written(tmp_path, keen(2000))
    with opened(tmp_path / "none.db") as engine:
        assert (
            warm_start(engine, log, COLUMNS, weighting="none").weights
            == "every row counts once: 2,000 rows are worth 2,000"
        )
        assert means(engine) == pytest.approx([0.46, 0.24], abs=0.06)
    with opened(tmp_path / "even.db") as engine:
        done = warm_start(engine, log, COLUMNS)
        assert "rows count by inverse propensity" in done.weights
        assert done.weighting == "ips" and done.rows == 2000 and not done.estimated
        assert done.n_effective == pytest.approx(0.36 * 2000, rel=0.1)
        assert means(engine) == pytest.approx([0.3, 0.4], abs=0.06)
        assert engine.replay().identical
        decision = engine.recommend(Request(items=("i1", "i2")), slots=1, at=START)
        assert dict(zip(decision.candidates, decision.probabilities, strict=True))["i2"] > 0.5
    shutil.rmtree(tmp_path / "even.state" / "checkpoints")
    with opened(tmp_path / "even.db") as engine:
        assert means(engine) == pytest.approx([0.3, 0.4], abs=0.06)
        assert engine.replay().identical


def test_weights_by_hand() -> None:
    """Propensities .9, .9, .1: inverses 10/9, 10/9, 10, mean 110/27; their Kish worth is (110/9)^2 / (200/81 + 100)."""
    found = even_weights(np.array([0.9, 0.9, 0.1]), np.zeros(3, dtype=np.int64), None)
    worth = (110 / 9) ** 2 / (200 / 81 + 100)
    assert found.sum() == pytest.approx(worth)
    assert found[2] / found[0] == pytest.approx(9.0)
    # the log knows k: the same proportions; each slot by itself
    assert even_weights(
        np.array([0.9, 0.9, 0.1]), np.zeros(3, dtype=np.int64), np.full(3, 2.0)
    ) == pytest.approx(found)
    assert even_weights(np.array([0.9, 0.1]), np.arange(2), None) == pytest.approx([1.0, 1.0])
    # one row in a hundred with 1e-6: clipped at ten times the mean of all
    rare = even_weights(np.append(np.full(99, 0.5), 1e-6), np.zeros(100, dtype=np.int64), None)
    inverse = np.append(np.full(99, 2.0), 1e6)
    assert rare[99] / rare[0] == pytest.approx(10 * inverse.mean() / 2.0)


def test_a_row_counts_for_as_much_as_it_weighs(tmp_path: Path) -> None:
    """Shows of tents and socks are the sums of their weights; the sum of all is what Kish says they are worth."""
    with opened(tmp_path / "j.db") as engine:
        done = warm_start(engine, written(tmp_path, keen(400)), COLUMNS)
        settled = [logged for _, logged in engine.parts.journal.settled()]
        counts = engine.parts.learner.statistics.experience(["i1", "i2"], None).item_counts
        rows = engine.parts.learner.policy.posterior.state()["rows"]
        own = visit(engine, 1)
        mine = engine.parts.journal.logged(own.decision_id)
        assert mine is not None and weights_of(mine) is None
    weighed = [weights_of(one) for one in settled]
    weights = np.concatenate([one for one in weighed if one is not None])
    tents = np.array([one.decision.slots[0].item_id == "i1" for one in settled])
    assert len(weights) == 400
    assert counts == pytest.approx([weights[tents].sum(), weights[~tents].sum()])
    assert weights.sum() == pytest.approx(done.n_effective)
    # 400 rows on the clock, which count for fewer
    assert rows == pytest.approx([400, done.n_effective - 400])
    assert all(one.decision.slots[0].propensity in (0.9, 0.1) for one in settled)


def refused(tmp_path: Path, lines: list[str], **given: Any) -> WarmStarted:
    with opened(tmp_path / "j.db") as engine:
        try:
            return warm_start(engine, written(tmp_path, lines), given.pop("columns", COLUMNS), **given)
        finally:
            assert engine.status()["decisions"] == 0


def test_what_cannot_be_taken_in_is_refused_whole(tmp_path: Path) -> None:
    lines = rows(5, slots=1)
    with pytest.raises(InputError, match=r"outside \[reward\] 0 to 1, such as 7"):
        refused(tmp_path, [*lines, "z,0,9e9,u1,i1,7,0.5,desk,1\n"])
    with pytest.raises(ConfigurationError, match="name no item_id"):
        refused(tmp_path, lines, columns=columns_from({"reward": "got"}))
    with pytest.raises(ConfigurationError, match="as 'dwell_seconds': expected a plain kind"):
        refused(tmp_path, lines, kind="dwell_seconds")
    with pytest.raises(
        ConfigurationError, match="weighting is 'even' but must be one of 'ips', 'dr', 'none'"
    ):
        refused(tmp_path, lines, weighting="even")
    with pytest.raises(InputError, match="no usable row"):
        refused(tmp_path, [line.replace(",i", ",x") for line in lines])
    with pytest.raises(InputError, match="no file"), opened() as engine:
        warm_start(engine, tmp_path / "nowhere.csv", COLUMNS)


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EQUIPOISE_ENCODER__NAME", "hashing")
    Path("items.csv").write_text(
        "item_id,title,kind\n" + "".join(f"i{j},thing {j},{j % 3}\n" for j in range(40))
    )
    written(tmp_path, rows(20))
    roles = "\n".join(f"{role} = {json.dumps(column)}" for role, column in ROLES.items())
    Path("map.toml").write_text(roles)
    assert main(["init", "items.csv"]) == 0
    capsys.readouterr()
    assert main(["warm-start", "--log", "their.csv", "--columns", "map.toml"]) == 0
    assert "20 decisions with 40 slots taken in" in capsys.readouterr().out
    assert main(["warm-start", "--log", "their.csv", "--columns", "map.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decisions"], told["again"], told["learned"]) == (0, 20, 20)
    assert main(["warm-start", "--log", "their.csv"]) == 1
    assert "--columns map.toml" in capsys.readouterr().err
