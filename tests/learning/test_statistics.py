"""Running statistics: laws first, then numbers by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import Batch, ConfigurationError, FeatureSpace, InputError, State
from equipoise.learning import Statistics, StatisticsSettings, same_state
from equipoise.learning.asked import Asked

SPACE = FeatureSpace("toy", "1", 1)
SETTINGS = StatisticsSettings(
    expected_reward=0.5, expected_shows=2.0, item_shows=3.0, user_shows=1.0, memory=2
)

# Ids as callers make them, letters of every script included; numpy's text arrays drop a NUL at the end.
IDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=4)
ROWS = st.lists(
    st.tuples(IDS, st.one_of(st.none(), IDS), st.floats(-2.0, 2.0, allow_subnormal=False)), max_size=60
)
Row = tuple[str, str | None, float]


def batch_of_rows(rows: Sequence[Row]) -> Batch:
    return Batch(
        item_ids=tuple(item_id for item_id, _, _ in rows),
        user_ids=tuple(user_id for _, user_id, _ in rows),
        features=np.zeros((len(rows), 1), dtype=np.float32),
        rewards=np.array([reward for _, _, reward in rows], dtype=np.float64),
        propensities=np.full(len(rows), 0.5),
        space=SPACE,
    )


def learned(rows: Sequence[Row], chosen: StatisticsSettings = SETTINGS) -> Statistics:
    statistics = Statistics(chosen)
    statistics.update(batch_of_rows(rows))
    return statistics


def many(n: int, *, items: int = 40, users: int = 25, seed: int = 0) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [
        (f"i{item}", None if user == 0 else f"u{user}", float(reward))
        for item, user, reward in zip(
            rng.integers(0, items, n), rng.integers(0, users, n), rng.random(n), strict=True
        )
    ]


# Laws


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_a_batch_equals_its_rows_one_by_one(rows: list[Row]) -> None:
    one_by_one = Statistics(SETTINGS)
    for row in rows:
        one_by_one.update(batch_of_rows([row]))
    assert same_state(learned(rows).state(), one_by_one.state())


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, later=ROWS)
def test_a_state_comes_back_bit_for_bit_and_goes_on_the_same(rows: list[Row], later: list[Row]) -> None:
    first = learned(rows)
    again = Statistics(SETTINGS)
    again.restore(first.state())
    assert same_state(again.state(), first.state())
    for statistics in (first, again):
        statistics.update(batch_of_rows(later))
    assert same_state(again.state(), first.state())
    assert again.overall == first.overall
    assert list(again.shown_ids) == list(first.shown_ids)
    for user_id in {user_id for _, user_id, _ in rows + later}:
        assert again.liked(user_id) == first.liked(user_id)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_no_user_is_remembered_beyond_the_memory(rows: list[Row]) -> None:
    statistics = learned(rows)
    for user_id in {user_id for _, user_id, _ in rows}:
        past = [(item_id, reward) for item_id, user, reward in rows if user == user_id and user is not None]
        experience = statistics.experience([], user_id)
        assert experience.recent == tuple(item_id for item_id, _ in past[-SETTINGS.memory :])
        assert experience.residuals.shape == (len(experience.recent),)
        assert experience.user_count == len(past)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_means_are_the_shrunk_ones_of_everything_seen(rows: list[Row]) -> None:
    statistics = learned(rows)
    overall = (sum(reward for _, _, reward in rows) + 2.0 * 0.5) / (len(rows) + 2.0)
    assert statistics.overall == pytest.approx(overall, abs=1e-12)
    for item_id in {item_id for item_id, _, _ in rows}:
        rewards = [reward for item, _, reward in rows if item == item_id]
        experience = statistics.experience([item_id], None)
        assert experience.item_counts.tolist() == [len(rewards)]
        shrunk = (sum(rewards) - len(rewards) * overall) / (len(rewards) + 3.0)
        assert experience.item_means[0] == pytest.approx(shrunk, abs=1e-12)


def test_the_state_is_a_copy() -> None:
    statistics = learned(many(50))
    taken = {key: value.copy() for key, value in statistics.state().items()}
    held = statistics.state()
    for value in held.values():
        if value.dtype == np.float64:
            value[:] = -1.0
    assert same_state(statistics.state(), taken)


def test_reading_changes_nothing() -> None:
    statistics = learned(many(50))
    before = statistics.state()
    statistics.experience(["i1", "never"], "nobody")
    statistics.liked("nobody")
    _ = statistics.overall, statistics.shown_means, list(statistics.shown_ids)
    assert same_state(statistics.state(), before)


# Numbers


def test_by_hand() -> None:
    # expected_reward .5 for 2 shows, items shrunk by 3 shows, users by 1, memory 2.
    statistics = Statistics(SETTINGS)
    assert statistics.overall == 0.5

    # u1 answers 1 for a. Nobody knew better than .5, so the residual is 1 - .5 = .5.
    statistics.update(batch_of_rows([("a", "u1", 1.0)]))
    known = statistics.experience(["a", "b"], "u1")
    assert known.overall == pytest.approx(2 / 3)  # (1 + 2 x .5) / (1 + 2)
    assert known.item_means == pytest.approx([1 / 12, 0.0])  # (1 - 1 x 2/3) / (1 + 3); never shown
    assert known.item_counts.tolist() == [1.0, 0.0]
    assert known.user_mean == pytest.approx(1 / 6)  # (1 - 1 x 2/3) / (1 + 1)
    assert known.user_count == 1.0
    assert known.recent == ("a",)
    assert known.residuals == pytest.approx([0.5])

    # Then 0 for a again: 0 - 2/3 - 1/12 - 1/6 = -11/12.
    statistics.update(batch_of_rows([("a", "u1", 0.0)]))
    known = statistics.experience(["a"], "u1")
    assert known.overall == 0.5  # (1 + 1) / (2 + 2)
    assert known.item_means.tolist() == [0.0]  # (1 - 2 x .5) / (2 + 3)
    assert known.user_mean == 0.0  # (1 - 2 x .5) / (2 + 1)
    assert known.residuals == pytest.approx([0.5, -11 / 12])

    # Then 1 for b: 1 - .5 - 0 - 0 = .5; the first answer is forgotten.
    statistics.update(batch_of_rows([("b", "u1", 1.0)]))
    known = statistics.experience(["a", "b"], "u1")
    assert known.overall == pytest.approx(0.6)  # (2 + 1) / (3 + 2)
    assert known.item_means == pytest.approx([-0.04, 0.1])  # (1 - 2 x .6) / 5; (1 - .6) / 4
    assert known.user_mean == pytest.approx(0.05)  # (2 - 3 x .6) / (3 + 1)
    assert known.recent == ("a", "b")
    assert known.residuals == pytest.approx([-11 / 12, 0.5])
    assert statistics.liked("u1") == ("b",)
    assert list(statistics.shown_ids) == ["a", "b"]
    assert statistics.shown_means == pytest.approx([-0.04, 0.1])


def test_strangers_teach_items_and_the_level_but_leave_no_trace_of_themselves() -> None:
    statistics = learned([("a", None, 1.0), ("a", None, 1.0)])
    known = statistics.experience(["a"], None)
    assert known.overall == 0.75  # (2 + 1) / (2 + 2)
    assert known.item_means == pytest.approx([0.1])  # (2 - 2 x .75) / (2 + 3)
    assert (known.user_mean, known.user_count, known.recent, known.residuals.tolist()) == (0.0, 0.0, (), [])
    assert statistics.liked(None) == ()
    state = statistics.state()
    assert [len(state[name]) for name in ("users.ids", "memory.user_ids")] == [0, 0]


def test_a_user_never_seen_is_like_a_stranger() -> None:
    statistics = learned(many(30))
    new, stranger = statistics.experience(["i1"], "new"), statistics.experience(["i1"], None)
    assert (new.user_mean, new.user_count, new.recent) == (0.0, 0.0, ())
    assert new.item_means.tolist() == stranger.item_means.tolist()
    assert statistics.liked("new") == ()


def test_an_item_and_a_user_of_one_id_are_two() -> None:
    statistics = learned([("x", "x", 1.0), ("x", None, 0.0)])
    known = statistics.experience(["x"], "x")
    assert known.item_counts.tolist() == [2.0]
    assert known.user_count == 1.0


def test_liked_are_those_that_went_better_than_expected_oldest_first() -> None:
    chosen = StatisticsSettings(expected_reward=0.0, expected_shows=1e9, memory=10)
    rows: list[Row] = [("a", "u", 1.0), ("b", "u", -1.0), ("c", "u", 2.0), ("d", "v", 1.0), ("a", "u", 2.0)]
    statistics = learned(rows, chosen)
    assert statistics.liked("u") == ("a", "c", "a")
    assert statistics.liked("v") == ("d",)


def test_what_went_exactly_as_expected_is_not_liked() -> None:
    assert learned([("a", "u", 0.5)]).liked("u") == ()


@pytest.mark.parametrize("n", [15, 16, 17, 33, 500])
def test_arrays_grow_with_the_ids(n: int) -> None:
    rows: list[Row] = [(f"i{number}", f"u{number}", float(number % 3)) for number in range(n)]
    statistics = learned(rows)
    known = statistics.experience([f"i{number}" for number in range(n + 1)], f"u{n - 1}")
    assert known.item_counts.tolist() == [1.0] * n + [0.0]
    overall = statistics.overall
    expected = [(number % 3 - overall) / 4.0 for number in range(n)]
    np.testing.assert_allclose(known.item_means[:n], expected, atol=1e-12)
    assert known.user_count == 1.0
    again = Statistics(SETTINGS)
    again.restore(statistics.state())
    for one in (statistics, again):
        one.update(batch_of_rows([("one more", "and who", 1.0)] * 2))
    assert same_state(again.state(), statistics.state())


def test_ids_of_every_script_and_length() -> None:
    ids = ["ä", "日本語", "🦊", "a b", "i" * 200, "", " ", "\uff41"]
    statistics = learned([(name, name, 1.0) for name in ids])
    again = Statistics(SETTINGS)
    again.restore(statistics.state())
    assert list(again.shown_ids) == ids
    for name in ids:
        assert again.experience([name], name).item_counts.tolist() == [1.0]
        assert again.experience([], name).recent == (name,)


def test_asking_about_nothing_or_about_an_item_twice() -> None:
    statistics = learned([("a", "u", 1.0)])
    assert statistics.experience([], "u").item_means.shape == (0,)
    twice = statistics.experience(["a", "a"], None)
    assert twice.item_counts.tolist() == [1.0, 1.0]


# Bad input


@pytest.mark.parametrize("name", ["expected_shows", "item_shows", "user_shows"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_shows_that_would_divide_by_nothing_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[statistics\] {name} is .* must be above 0"):
        StatisticsSettings(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("expected_reward", float("nan")), ("memory", -1)])
def test_other_settings_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[statistics\] {name} is {value}"):
        StatisticsSettings(**{name: value})


def test_a_memory_of_nothing_remembers_nothing() -> None:
    statistics = learned(many(100), StatisticsSettings(memory=0))
    assert statistics.experience([], "u3").recent == ()
    assert statistics.experience([], "u3").user_count > 0
    assert statistics.liked("u3") == ()


@pytest.mark.parametrize("key", list(Statistics().state()))
def test_a_state_that_is_not_whole_is_refused_and_nothing_is_forgotten(key: str) -> None:
    statistics = learned(many(50))
    before = statistics.state()
    lacking: State = {name: value for name, value in learned(many(80, seed=1)).state().items() if name != key}
    with pytest.raises(InputError, match=rf"no '{key}': rebuild it from the journal"):
        statistics.restore(lacking)
    assert same_state(statistics.state(), before)


@pytest.mark.parametrize("key", ["items.counts", "users.sums", "memory.residuals"])
def test_a_state_of_uneven_arrays_is_refused(key: str) -> None:
    state = learned(many(50)).state()
    state[key] = state[key][:-1]
    statistics = learned(many(10))
    before = statistics.state()
    with pytest.raises(InputError, match="as many of each"):
        statistics.restore(state)
    assert same_state(statistics.state(), before)


def test_what_callers_asked_for_is_counted_apart_from_what_was_shown() -> None:
    statistics = Statistics(StatisticsSettings(asked_memory=2.0))
    statistics.asked_for(("a", "b", "a"))  # named twice in one request: once
    statistics.asked_for(["b"])
    statistics.asked_for(())  # no request that names items: nothing fades
    known = statistics.experience(("a", "b", "c"), None)
    assert known.item_asked.tolist() == [1.0, 2.0, 0.0]
    assert known.item_asked_lately.tolist() == [0.5, 1.5, 0.0]  # the first request counts by 1 - 1 / 2 now
    assert known.item_counts.tolist() == [0.0, 0.0, 0.0]
    assert statistics.overall == StatisticsSettings().expected_reward
    assert list(statistics.shown_ids) == []


@given(
    requests=st.lists(st.lists(st.sampled_from("abcdefghijklmnopqrstuvw"), max_size=8), max_size=30),
    memory=st.floats(1.0, 50.0),
)
def test_faded_counts_equal_those_faded_one_by_one(requests: list[list[str]], memory: float) -> None:
    asked, plain = Asked(memory), dict.fromkeys("abcdefghijklmnopqrstuvwx", 0.0)
    for number, named in enumerate(requests):
        if named:
            distinct = list(dict.fromkeys(named))
            asked.add(distinct, np.zeros(len(distinct)))
            plain = {name: value * (1.0 - 1.0 / memory) for name, value in plain.items()}
        for name in set(named):
            plain[name] += 1.0
        if number == len(requests) // 2:  # a state read back goes on as if nothing had happened
            asked = Asked.restored(asked.state(), memory)
    look = asked.look(list(plain))
    assert look.lately == pytest.approx(list(plain.values()), abs=1e-9)
    assert look.counts.tolist() == [float(sum(name in named for named in requests)) for name in plain]


def test_company_by_hand() -> None:
    # One show of a with reward 1: overall (1 + 10 x .5) / 11 = 6/11, so a stands at (1 - 6/11) / (1 + 5) = 5/66;
    # b, c and d, never shown, stand at 0.
    statistics = Statistics(StatisticsSettings(expected_reward=0.5))
    statistics.update(batch_of_rows([("a", "u", 1.0)]))
    statistics.asked_for(("a", "b", "c", "b"))  # beside b: a and c, mean 5/132; beside a: b and c, 0
    statistics.asked_for(("d",))  # beside nothing
    statistics.asked_for(("a", "b"))  # beside b: a, 5/66
    known = statistics.experience(("a", "b", "c", "d", "e"), None).item_company
    # b over two requests and one of 0: (5/132 + 5/66) / 3 = 5/132; c over one and one: 5/132 / 2.
    assert known == pytest.approx([0.0, 5 / 132, 5 / 264, 0.0, 0.0], abs=1e-15)


@given(
    requests=st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True), max_size=20),
    seed=st.integers(0, 9),
)
def test_company_is_the_mean_of_the_others_request_by_request(requests: list[list[str]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked, beside = Asked(50.0), {name: [0.0] for name in "abcdefgh"}
    for number, named in enumerate(requests):
        standing = dict(zip(named, rng.normal(size=len(named)).tolist(), strict=True))
        asked.add(named, np.array(list(standing.values())))
        for name in named:
            others = [value for other, value in standing.items() if other != name]
            beside[name].append(float(np.mean(others)) if others else 0.0)
        if number == len(requests) // 2:  # a state read back goes on as if nothing had happened
            asked = Asked.restored(asked.state(), 50.0)
    expected = [float(np.mean(beside[name])) for name in beside]
    assert asked.look(list(beside)).company == pytest.approx(expected, abs=1e-12)


def test_users_answers_carry_how_often_they_were_asked_for() -> None:
    statistics = Statistics()
    statistics.update(batch_of_rows([("a", "u", 1.0), ("b", "u", 0.0)]))
    for _ in range(3):
        statistics.asked_for(["b", "z"])
    assert statistics.experience(("z",), "u").recent_asked.tolist() == [0.0, 3.0]
