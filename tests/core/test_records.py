"""The nouns: frozen, lists become tuples, and a feature space knows itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from equipoise.core import (
    Batch,
    Candidates,
    Decision,
    FeatureSpace,
    FeatureSpaceError,
    Feedback,
    InputError,
    Request,
    Slot,
    Versions,
)

SPACE = FeatureSpace("minilm", "3", 384)


@pytest.mark.parametrize("name", ["history", "items", "exclude"])
@pytest.mark.parametrize("given", [["i7", "i9"], ("i7", "i9"), {"i7": 1, "i9": 2}])
def test_item_ids_become_a_tuple(name: str, given: Any) -> None:
    held = getattr(Request(**{name: given}), name)
    assert isinstance(held, tuple)
    assert held == ("i7", "i9")


def test_an_iterator_is_read_once_and_kept() -> None:
    request = Request(history=(f"i{j}" for j in range(3)))  # type: ignore[arg-type]
    assert request.history == request.history == ("i0", "i1", "i2")


def test_changing_the_callers_list_changes_no_request() -> None:
    history = ["i7"]
    request = Request(history=history)  # type: ignore[arg-type]
    history.append("i9")
    assert request.history == ("i7",)


def test_no_history_and_an_empty_one_differ() -> None:
    assert Request().history is None
    assert Request(history=[]).history == ()  # type: ignore[arg-type]
    assert Request().exclude == ()
    assert Request(exclude=[]) == Request()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["history", "items", "exclude"])
@pytest.mark.parametrize("given", ["i7", b"i7", 7])
def test_a_single_text_is_no_list_of_item_ids(name: str, given: Any) -> None:
    with pytest.raises(InputError, match=rf"{name} is .*7.*\['i7', 'i9'\]"):
        Request(**{name: given})


def test_the_defaults_of_two_requests_are_their_own() -> None:
    one, other = Request(), Request()
    assert one.attributes is not other.attributes
    assert one.pinned is not other.pinned


def test_records_are_frozen() -> None:
    versions = Versions(SPACE, SPACE, 1, "thompson#abc", 0, 20)
    records = [
        (SPACE, "dim"),
        (Request(), "text"),
        (Slot(0, "i1", 0.5, 0.4, "near"), "propensity"),
        (Feedback("d1", 0, "click", 1.0, 5.0), "value"),
        (versions, "learned"),
    ]
    for record, name in records:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, name, None)


def test_candidates_and_batches_count_their_rows() -> None:
    features = np.zeros((3, 384), dtype=np.float32)
    assert len(Candidates(("a", "b", "c"), features, SPACE)) == 3
    assert len(Batch(("a", "b", "c"), (None,) * 3, features, np.zeros(3), np.ones(3), SPACE)) == 3
    assert len(Candidates((), features[:0], SPACE)) == 0


@pytest.mark.parametrize(
    ("recorded", "name"), [("thompson#abc", "thompson"), ("uniform", "uniform"), ("a#b#c", "a"), ("", "")]
)
def test_a_decision_names_its_policy_without_the_fingerprint(recorded: str, name: str) -> None:
    decision = Decision(
        "d1",
        at=0.0,
        request=Request(),
        versions=Versions(SPACE, SPACE, 1, recorded, 0, 20),
        candidates=(),
        sources=(),
        probabilities=np.zeros(0),
        slots=(),
        features=np.zeros((0, 384), dtype=np.float32),
        window_closes_at=1.0,
    )
    assert decision.policy == name


def test_a_space_requires_itself() -> None:
    same = FeatureSpace("minilm", "3", 384)
    SPACE.require(same, who="policy 'news'", remedy="nothing to do")
    assert same == SPACE
    assert same is not SPACE


@pytest.mark.parametrize(
    "other",
    [FeatureSpace("minilm", "4", 384), FeatureSpace("e5", "3", 384), FeatureSpace("minilm", "3", 128)],
)
def test_another_space_is_refused_with_both_named_and_the_remedy(other: FeatureSpace) -> None:
    with pytest.raises(FeatureSpaceError) as raised:
        SPACE.require(other, who="policy 'news'", remedy="run 'equipoise replay'")
    assert str(raised.value) == (
        f"policy 'news' works in minilm@3 (d=384) but got features in {other.name}@{other.version} "
        f"(d={other.dim}): run 'equipoise replay'"
    )
