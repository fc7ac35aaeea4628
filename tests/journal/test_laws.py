"""The journal's laws: what goes in comes out, once, in one order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import (
    Decision,
    Feedback,
    InputError,
    Journal,
    JournalError,
    PropensityError,
    Request,
    UnknownDecisionError,
)
from equipoise.journal import RewardSpec, SqliteJournal

from .samples import facts, make_decision


def click(decision_id: str, slot: int = 0, *, at: float = 101.0) -> Feedback:
    return Feedback(decision_id, slot=slot, kind="click", value=1.0, at=at)


def test_it_is_a_journal(journal: SqliteJournal) -> None:
    assert isinstance(journal, Journal)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
requests = st.builds(
    Request,
    text=st.none() | texts,
    user_id=st.none() | texts,
    history=st.none() | st.lists(texts, max_size=3).map(tuple),
    attributes=st.dictionaries(
        texts, texts | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
    ),
    filters=st.dictionaries(texts, st.lists(texts) | st.booleans()),
    items=st.none() | st.lists(texts, max_size=3).map(tuple),
    exclude=st.lists(texts, max_size=3).map(tuple),
    pinned=st.dictionaries(st.integers(0, 9), texts),
)


@settings(max_examples=60, deadline=None)
@given(requests, st.lists(texts, unique=True, min_size=1, max_size=8), st.data())
def test_a_decision_comes_back_bit_for_bit(request: Request, names: list[str], data: st.DataObject) -> None:
    sources = tuple(data.draw(st.lists(texts, min_size=len(names), max_size=len(names))))
    probabilities = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(names), max_size=len(names))))
    propensity = data.draw(st.floats(0, 1, exclude_min=True))
    decision = make_decision(k=len(names), m=1, request=request)
    slot = replace(decision.slots[0], item_id=names[0], source=sources[0], propensity=propensity)
    decision = replace(
        decision, candidates=tuple(names), sources=sources, probabilities=probabilities, slots=(slot,)
    )
    with SqliteJournal.open(":memory:") as journal:
        journal.decided(decision)
        assert facts(journal.decision("d1")) == facts(decision)


def test_a_known_id_gives_the_earlier_decision(journal: SqliteJournal) -> None:
    first, second = make_decision(seed=1), make_decision(seed=2)
    assert journal.decided(first) is first
    assert facts(journal.decided(second)) == facts(first)
    both = journal.decided_many([make_decision("d2"), second, make_decision("d2", seed=9)])
    assert [facts(one) for one in both] == [
        facts(make_decision("d2")),
        facts(first),
        facts(make_decision("d2")),
    ]
    assert journal.counts().decisions == 2


def test_windows_close_in_their_order_then_in_that_of_arrival(journal: SqliteJournal) -> None:
    for decision_id, window in (("a", 30.0), ("b", 10.0), ("c", 20.0), ("d", 10.0)):
        journal.decided(make_decision(decision_id, window=window))
    assert journal.due(109.9) == ()
    assert journal.due(110.0) == ("b", "d")
    order = [(position, logged.decision.decision_id) for position, logged in journal.settled(now=120.0)]
    assert order == [(1, "b"), (2, "d"), (3, "c")]
    assert [position for position, _ in journal.settled(2, now=1e9)] == [3, 4]
    assert journal.last_position == 4
    assert list(journal.settled(4)) == []


def test_a_decision_settles_once(journal: SqliteJournal) -> None:
    journal.decided(make_decision())
    journal.fed_back(click("d1", 1))
    assert journal.logged("d1") is None and journal.position_of("d1") is None
    assert journal.closed("d1", now=105.0) == 1
    assert journal.closed("d1", now=1e6) == 1
    assert [position for position, _ in journal.settled(now=1e9)] == [1]
    logged = journal.logged("d1")
    assert journal.position_of("d1") == 1 and logged is not None
    assert logged.rewards.tolist() == [0.0, 1.0, 0.0] and logged.rewards.dtype == np.float64


def test_reading_goes_on_while_others_write(journal: SqliteJournal) -> None:
    journal.decided_many(make_decision(f"d{number}") for number in range(600))
    seen = []
    for position, logged in journal.settled(now=1e9):
        seen.append((position, logged.decision.decision_id))
        if position <= 3:
            journal.decided(make_decision(f"later{position}"))
            journal.closed(f"later{position}", now=0.0)
    assert seen[:600] == [(number + 1, f"d{number}") for number in range(600)]
    assert [one.decision.decision_id for _, one in journal.settled(600)] == ["later1", "later2", "later3"]


def test_columns_are_the_settled_decisions(journal: SqliteJournal) -> None:
    made = [
        make_decision(f"d{n}", m=1 + n % 3, seed=n, user_id=None if n % 4 == 0 else f"u{n}")
        for n in range(20)
    ]
    made += [make_decision(f"e{n}", d=5, version="2", seed=n) for n in range(4)]
    journal.decided_many(made)
    journal.fed_back(click("d5", 2))
    whole = [logged for _, logged in journal.settled(now=1e9)]
    pages = list(journal.batches(size=7))
    # 20 decisions of one space in pages of 7, 7 and 6 of 7; the last 4 are of another: 1 of that page, then 3
    assert [str(page.batch.space) for page in pages] == ["pairing@1 (d=4)"] * 3 + ["pairing@2 (d=5)"] * 2
    assert [p for page in pages for p in page.positions.tolist()] == [
        position for position, one in enumerate(whole, 1) for _ in one.decision.slots
    ]
    slots = [(one, slot) for one in whole for slot in one.decision.slots]
    assert [i for page in pages for i in page.batch.item_ids] == [slot.item_id for _, slot in slots]
    assert [u for page in pages for u in page.batch.user_ids] == [
        one.decision.request.user_id for one, _ in slots
    ]
    assert [p for page in pages for p in page.batch.propensities.tolist()] == [
        slot.propensity for _, slot in slots
    ]
    assert np.concatenate([page.batch.rewards for page in pages]).tolist() == [
        r for o in whole for r in o.rewards
    ]
    assert b"".join(page.batch.features.tobytes() for page in pages) == b"".join(
        one.decision.features.tobytes() for one in whole
    )
    assert sum(len(page) for page in journal.batches(after=23)) == 3
    with pytest.raises(InputError, match="size is 0"):
        journal.batches(size=0)


def test_a_reopened_journal_replays_the_same(tmp_path: Path) -> None:
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.decided_many(make_decision(f"d{n}", window=10.0 * (n % 3), seed=n) for n in range(30))
        journal.fed_back(click("d7"))
        before = [(p, facts(one.decision), one.rewards.tobytes()) for p, one in journal.settled(now=115.0)]
        counts = journal.counts()
    # other rewards from now on change nothing that has settled
    with SqliteJournal.open(tmp_path / "j.db", rewards=RewardSpec.of({"buy": 1.0})) as journal:
        assert [(p, facts(one.decision), one.rewards.tobytes()) for p, one in journal.settled()] == before
        assert journal.counts() == counts
        assert journal.integrity() == []


def test_a_users_decisions_and_the_recent_ones(journal: SqliteJournal) -> None:
    for number in range(6):
        journal.decided(make_decision(f"d{number}", user_id=f"u{number % 2}"))
    assert [one.decision_id for one in journal.decisions_of("u0", limit=2)] == ["d4", "d2"]
    assert journal.decisions_of("nobody") == ()
    assert [one.decision_id for one in journal.recent(2)] == ["d5", "d4"]


def test_forgetting_a_user_keeps_the_dice(tmp_path: Path) -> None:
    secret = Request(
        text="SECRETTEXT",
        user_id="SECRETUSER",
        history=("SECRETITEM",),
        attributes={"x": "SECRETFACT"},
        exclude=("i9",),
    )
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.decided_many([make_decision("d1", request=secret), make_decision("d2", user_id="u2")])
        before = [one.rewards.tobytes() for _, one in journal.settled(now=1e9)]
        assert journal.forget("SECRETUSER") == 1
        assert journal.forget("SECRETUSER") == 0
        assert journal.decision("d1").request == Request(exclude=("i9",))
        kept, had = journal.decision("d1"), make_decision("d1", request=Request(exclude=("i9",)))
        assert facts(kept) == facts(had)
        assert journal.decision("d2").request.user_id == "u2"
        assert [one.rewards.tobytes() for _, one in journal.settled()] == before
        # nor is it left in the file or in the log beside it
        assert all(b"SECRET" not in path.read_bytes() for path in tmp_path.iterdir())
        assert journal.integrity() == []


def test_what_is_not_there(journal: SqliteJournal) -> None:
    for ask in (
        journal.decision,
        journal.logged,
        journal.position_of,
        lambda name: journal.closed(name, now=0.0),
    ):
        with pytest.raises(UnknownDecisionError, match="'nowhere' is not in"):
            ask("nowhere")
    assert journal.feedback_of("nowhere") == ()
    assert journal.counts().decisions == 0


BAD = [
    (lambda d: replace(d, decision_id=""), InputError, "decision_id is ''"),
    (lambda d: replace(d, at=float("nan")), InputError, "finite seconds"),
    (lambda d: replace(d, window_closes_at=float("inf")), InputError, "finite seconds"),
    (lambda d: replace(d, sources=d.sources[:-1]), InputError, "6 candidates, 5 sources"),
    (lambda d: replace(d, probabilities=d.probabilities[:-1]), InputError, r"shape \(5,\)"),
    (lambda d: replace(d, probabilities=d.probabilities * np.nan), InputError, "not finite"),
    (lambda d: replace(d, features=d.features.astype(np.float64)), InputError, "float64"),
    (lambda d: replace(d, features=d.features[:2]), InputError, r"give \(3, 4\) float32"),
    (lambda d: replace(d, features=d.features * np.float32("inf")), InputError, "not finite"),
    (lambda d: replace(d, slots=(), features=d.features[:0]), InputError, "no slots"),
    (lambda d: replace(d, slots=d.slots[::-1]), InputError, "number slots 0, 1, 2"),
    (lambda d: _propensity(d, 0.0), PropensityError, "propensity 0.0"),
    (lambda d: _propensity(d, 1.5), PropensityError, "propensity 1.5"),
    (lambda d: _propensity(d, float("nan")), PropensityError, "propensity nan"),
    (lambda d: replace(d, request=Request(user_id="\ud800")), InputError, "cannot store a value"),
    (lambda d: replace(d, request=Request(text="\ud800")), InputError, "cannot store a value"),
    (lambda d: replace(d, request=Request(attributes={"x": float("nan")})), InputError, "finite numbers"),
    (lambda d: replace(d, request=Request(attributes={"x": object()})), InputError, "no text, number"),
    (lambda d: replace(d, versions=replace(d.versions, seed=2**70)), InputError, "64-bit"),
    (lambda d: replace(d, candidates=(1, *d.candidates[1:])), InputError, "item_id must be a text"),
]


def _propensity(decision: Decision, value: float) -> Decision:
    return replace(decision, slots=(replace(decision.slots[0], propensity=value), *decision.slots[1:]))


@pytest.mark.parametrize(("spoil", "error", "message"), BAD)
def test_a_bad_decision_is_refused_whole(spoil: object, error: type[Exception], message: str) -> None:
    with SqliteJournal.open(":memory:") as journal:
        with pytest.raises(error, match=message):
            journal.decided_many([make_decision("good"), spoil(make_decision("bad"))])  # type: ignore[operator]
        assert journal.counts().decisions == 0
        journal.decided(make_decision("good"))
        assert journal.counts().decisions == 1


def test_numpys_numbers_and_other_mappings_are_facts_too(journal: SqliteJournal) -> None:
    given = {"hour": np.int64(21), "price": np.float32(0.5), "tags": {"b", "a"}, "where": np.array([1, 2])}
    journal.decided(make_decision(request=Request(attributes=given)))
    assert journal.decision("d1").request.attributes == {
        "hour": 21,
        "price": 0.5,
        "tags": ["a", "b"],
        "where": [1, 2],
    }


def test_a_text_of_a_megabyte(journal: SqliteJournal) -> None:
    text = "é" * 1_000_000
    journal.decided(make_decision(request=Request(text=text)))
    assert journal.decision("d1").request.text == text


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "j.db")
    journal.close()
    journal.close()
    for ask in (
        lambda: journal.decided(make_decision()),
        journal.counts,
        lambda: journal.settled(),
        journal.integrity,
    ):
        with pytest.raises(JournalError, match="is closed: open it again"):
            ask()
