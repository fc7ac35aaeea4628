"""The learner: the same bits however the journal reaches it, and nothing half learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from equipoise.core import (
    FeatureSpace,
    FeatureSpaceError,
    Floats,
    InputError,
    Logged,
    PropensityError,
    Slot,
    State,
)
from equipoise.journal import SqliteJournal
from equipoise.learning import Checkpoints, Learner, Statistics, batch_of, same_state
from equipoise.policies import BanditPolicy, build

from .journeys import SPACE, decision, journal_of, learner, moved, tell

POLICIES: list[tuple[str, dict[str, Any]]] = [
    ("thompson", {"posterior": "mixed"}),
    ("thompson", {"posterior": "mixed", "item_columns": (0, 2)}),
    ("ucb", {"posterior": "linear"}),
    ("greedy", {"posterior": "beta"}),
    ("epsilon_greedy", {"posterior": "logistic"}),
    ("softmax", {"posterior": "mixed", "similarity": 1}),
]
N = 30


@pytest.fixture(scope="module")
def journal() -> Iterator[SqliteJournal]:
    with journal_of(N) as opened:
        yield opened


# Laws


@pytest.mark.parametrize(("name", "options"), POLICIES, ids=lambda part: str(part))
def test_online_at_once_and_from_a_checkpoint_are_the_same_bits(
    name: str, options: dict[str, Any], journal: SqliteJournal, tmp_path: Any
) -> None:
    at_once = learner(name, **options)
    assert at_once.catch_up(journal) == N
    assert at_once.position == journal.last_position == N

    online = learner(name, **options)
    for entry in journal.settled(0):
        assert online.learn([entry]) == 1
        assert online.position == entry[0]
    assert same_state(online.state(), at_once.state())

    half = learner(name, **options)
    entries = list(journal.settled(0))
    half.learn(entries[:13])
    checkpoints = Checkpoints(tmp_path, fingerprint="abc")
    checkpoints.save(half.state(), position=half.position)
    found = checkpoints.latest()
    assert found is not None
    resumed = learner(name, **options)
    resumed.restore(found[1], position=found[0])
    assert same_state(resumed.state(), half.state())
    assert resumed.catch_up(journal) == N - 13
    assert same_state(resumed.state(), at_once.state())
    assert resumed.position == N


def test_learning_while_the_journal_grows_is_replay() -> None:
    with SqliteJournal.open(":memory:") as journal:
        online = learner()
        for number in range(12):
            tell(journal, number, m=1 + number % 4)
            assert online.catch_up(journal) == 1
        replayed = learner()
        assert replayed.catch_up(journal) == 12
        assert same_state(online.state(), replayed.state())
        assert online.catch_up(journal) == 0
        assert same_state(online.state(), replayed.state())


def test_the_order_is_that_of_settlement() -> None:
    with SqliteJournal.open(":memory:") as journal:
        for number in (2, 0, 1):
            journal.decided(decision(number))
        for number in (1, 2, 0):
            journal.closed(f"d{number}", now=10.0)
        follower, other = learner(), learner()
        follower.catch_up(journal)
        other.learn(
            (place + 1, Logged(decision(number), np.zeros(3))) for place, number in enumerate((1, 2, 0))
        )
        assert same_state(follower.state(), other.state())


def test_windows_that_are_due_are_closed_first() -> None:
    with SqliteJournal.open(":memory:") as journal:
        journal.decided(decision(0))
        follower = learner()
        assert follower.catch_up(journal) == 0
        assert follower.catch_up(journal, now=decision(0).window_closes_at) == 1
        assert follower.position == 1


def test_nothing_to_learn_changes_nothing() -> None:
    follower = learner()
    before = follower.state()
    assert follower.learn([]) == 0
    assert follower.position == 0
    assert same_state(follower.state(), before)


def test_a_batch_is_the_slots_as_they_were_shown() -> None:
    made = decision(3)
    batch = batch_of(Logged(made, np.array([1.0, 0.0, 0.5])))
    assert batch.item_ids == tuple(slot.item_id for slot in made.slots)
    assert batch.user_ids == (made.request.user_id,) * 3
    assert batch.features is made.features
    assert batch.rewards.tolist() == [1.0, 0.0, 0.5]
    assert batch.propensities.tolist() == [0.5] * 3
    assert batch.space == SPACE


def test_the_learner_knows_what_statistics_and_policy_know(journal: SqliteJournal) -> None:
    follower = learner()
    follower.catch_up(journal)
    shown = [slot.item_id for number in range(N) for slot in decision(number).slots]
    experience = follower.statistics.experience(sorted(set(shown)), None)
    assert experience.item_counts.tolist() == [float(shown.count(item_id)) for item_id in sorted(set(shown))]
    assert {key.partition("/")[0] for key in follower.state()} == {"policy", "statistics"}


# Refusals


def refused() -> dict[str, tuple[Logged, type[Exception]]]:
    made, rewards = decision(90), np.zeros(3)
    nan = made.features.copy()
    nan[1, 1] = np.nan
    impossible = tuple(Slot(slot.slot, slot.item_id, 0.0, 0.1, "near") for slot in made.slots)
    return {
        "another space": (Logged(moved(made, FeatureSpace("pairing", "2", 5)), rewards), FeatureSpaceError),
        "a reward that is no number": (Logged(made, np.array([0.0, np.nan, 0.0])), InputError),
        "a feature that is no number": (Logged(replace(made, features=nan), rewards), InputError),
        "features of another width": (
            Logged(replace(made, features=made.features[:, :4]), rewards),
            InputError,
        ),
        "too few rewards": (Logged(made, rewards[:2]), InputError),
        "an impossible propensity": (Logged(replace(made, slots=impossible), rewards), PropensityError),
    }


@pytest.mark.parametrize("name", refused())
def test_what_the_policy_refuses_leaves_all_as_it_was(name: str, journal: SqliteJournal) -> None:
    bad, error = refused()[name]
    good = list(journal.settled(0))[:5]
    follower, twin = learner(), learner()
    follower.learn(good[:4])
    twin.learn(good[:4])
    with pytest.raises(error):
        follower.learn([(5, bad), (6, good[4][1])])
    assert follower.position == 4
    assert same_state(follower.state(), twin.state())
    assert follower.learn(good[4:]) == twin.learn(good[4:]) == 1
    assert same_state(follower.state(), twin.state())


def test_a_refusal_keeps_what_came_before_it_in_the_same_call(journal: SqliteJournal) -> None:
    bad, error = refused()["another space"]
    good = list(journal.settled(0))[:3]
    follower, twin = learner(), learner()
    with pytest.raises(error):
        follower.learn([*good, (4, bad)])
    twin.learn(good)
    assert follower.position == 3
    assert same_state(follower.state(), twin.state())


@pytest.mark.parametrize("position", [4, 3, 0, -1])
def test_no_decision_is_learned_twice(position: int, journal: SqliteJournal) -> None:
    entries = list(journal.settled(0))[:4]
    follower = learner()
    follower.learn(entries)
    before = follower.state()
    with pytest.raises(InputError, match=rf"position {position} was to be learned after 4: .*settled\(4\)"):
        follower.learn([(position, entries[3][1])])
    assert follower.position == 4
    assert same_state(follower.state(), before)


# Translation


def test_a_translation_makes_an_old_space_fit(journal: SqliteJournal) -> None:
    old = FeatureSpace("pairing", "0", 5)
    seen: list[tuple[int, float]] = []

    def translate(logged: Logged, follower: Learner[Any]) -> Logged:
        seen.append((follower.position, follower.statistics.overall))
        return Logged(moved(logged.decision, SPACE), logged.rewards)

    entries = list(journal.settled(0))[:6]
    foreign = [(at, Logged(moved(logged.decision, old), logged.rewards)) for at, logged in entries]
    follower, twin = learner(), learner()
    assert follower.learn(foreign, translate=translate) == 6
    overalls: list[tuple[int, float]] = []
    for entry in entries:
        overalls.append((twin.position, twin.statistics.overall))
        twin.learn([entry])
    assert same_state(follower.state(), twin.state())
    # It sees the learner as it stood before each decision: what it pairs anew has learned nothing of its answer.
    assert seen == overalls


def test_the_translation_passes_through_catch_up(journal: SqliteJournal) -> None:
    follower = learner()
    called = 0

    def translate(logged: Logged, _: Learner[Any]) -> Logged:
        nonlocal called
        called += 1
        return logged

    assert follower.catch_up(journal, translate=translate) == called == N


def test_a_translation_that_fails_leaves_all_as_it_was(journal: SqliteJournal) -> None:
    def fail(logged: Logged, _: Learner[Any]) -> Logged:
        raise InputError(f"{logged.decision.decision_id} cannot be paired")

    follower = learner()
    before = follower.state()
    with pytest.raises(InputError, match="cannot be paired"):
        follower.catch_up(journal, translate=fail)
    assert follower.position == 0
    assert same_state(follower.state(), before)


# States


def test_a_state_of_another_space_or_a_damaged_one_is_refused_whole(journal: SqliteJournal) -> None:
    follower = learner()
    follower.learn(list(journal.settled(0))[:5])
    before, whole = follower.state(), follower.state()
    other = Learner(build("thompson", FeatureSpace("pairing", "2", 5)), Statistics()).state()
    no_statistics = {key: value for key, value in learner().state().items() if key.startswith("policy/")}
    no_policy = {key: value for key, value in whole.items() if key.startswith("statistics/")}
    half = {key: value for key, value in learner().state().items() if key != "statistics/overall"}
    for state, error in (
        (other, FeatureSpaceError),
        (no_statistics, InputError),
        (no_policy, InputError),
        (half, InputError),
        ({}, InputError),
    ):
        with pytest.raises(error):
            follower.restore(state, position=9)
        assert same_state(follower.state(), before)
        assert follower.position == 5


def base() -> State:
    return {"a": np.arange(3.0), "b": np.array(["x", "y"])}


def changed(**arrays: Any) -> State:
    return {**base(), **arrays}


def test_same_state_is_reflexive_and_ignores_the_order_of_names() -> None:
    assert same_state(base(), base())
    assert same_state(base(), dict(reversed(base().items())))
    assert same_state({}, {})
    nan = np.array([np.nan])
    assert same_state({"a": nan}, {"a": nan.copy()})
    assert same_state({"a": np.zeros((2, 3), order="C")}, {"a": np.zeros((2, 3), order="F")})


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"a": np.arange(3.0)},
        changed(c=np.zeros(0)),
        changed(a=np.arange(3)),
        changed(a=np.arange(3.0, dtype=np.float32)),
        changed(a=np.arange(3.0)[:, None]),
        changed(a=np.array([0.0, 1.0, np.nextafter(2.0, 3.0)])),
        changed(a=np.array([-0.0, 1.0, 2.0])),
        changed(b=np.array(["x", "z"])),
        changed(b=np.array(["x", "y"], dtype="<U2")),
        changed(b=np.array([b"x", b"y"])),
    ],
)
def test_states_that_differ_in_a_name_a_type_a_shape_or_a_bit_are_not_the_same(other: State) -> None:
    assert not same_state(base(), other)
    assert not same_state(other, base())


def test_a_learned_weight_survives_the_way_through_a_state(journal: SqliteJournal) -> None:
    follower = learner(posterior="linear")
    follower.catch_up(journal)
    weights: Floats | None = follower.policy.weights
    again: Learner[BanditPolicy] = learner(posterior="linear")
    again.restore(follower.state(), position=follower.position)
    assert weights is not None
    assert again.policy.weights is not None
    assert np.abs(weights).max() > 1e-3
    assert again.policy.weights.tobytes() == weights.tobytes()


class _ByRows:
    """The same journal without columns."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.settled = journal.settled


@pytest.mark.parametrize(("name", "options"), POLICIES, ids=lambda part: str(part))
def test_by_columns_and_decision_by_decision_are_the_same_bits(
    name: str, options: dict[str, Any], journal: SqliteJournal
) -> None:
    by_columns, by_rows = learner(name, **options), learner(name, **options)
    assert by_columns.catch_up(journal) == by_rows.catch_up(_ByRows(journal)) == N  # type: ignore[arg-type]
    assert by_columns.position == by_rows.position == N
    assert same_state(by_columns.state(), by_rows.state())


def test_a_refusal_in_the_middle_of_a_part_keeps_the_decisions_before_it() -> None:
    with journal_of(12) as journal:
        moving = learner("greedy", posterior="logistic")
        given = moving.policy.posterior.check
        learned: list[int] = []

        def check(batch: Any) -> None:
            given(batch)
            if len(learned) + len(batch) > 20:
                raise InputError("no more")

        def update(batch: Any) -> None:
            check(batch)
            learned.extend(range(len(batch)))

        moving.policy.update = update  # type: ignore[method-assign]
        with pytest.raises(InputError, match="no more"):
            moving.catch_up(journal)
        rows = [len(logged.decision.slots) for _, logged in journal.settled()]
        # as many whole decisions as fit into 20 rows
        assert moving.position == int(np.searchsorted(np.cumsum(rows), 20, side="right"))
