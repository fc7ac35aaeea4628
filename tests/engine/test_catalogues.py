"""Catalogues of every kind, and what happens to them while the engine serves and when it is opened again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from equipoise.catalog import Item
from equipoise.core import (
    Batch,
    Candidates,
    ConfigurationError,
    EncoderError,
    FeatureSpace,
    InputError,
    Request,
)
from equipoise.engine import Engine, settings_from
from equipoise.policies import build

from .shop import START, items, opened, shown, visit

NUMBERS = [Item(f"n{j}", attributes={"size": float(j), "weight": float(j % 3)}) for j in range(12)]


@pytest.mark.parametrize("encoder", ["hashing", {"name": "numeric", "columns": ["size", "weight"]}])
def test_numbers_without_text_are_a_catalogue(encoder: object) -> None:
    with Engine.create(catalog=NUMBERS, encoder=encoder, window_seconds=50.0) as engine:  # type: ignore[arg-type]
        request = Request(user_id="u1", attributes={"size": 3.0, "weight": 1.0})
        decision = engine.recommend(request, slots=4)
        assert len(set(shown(decision))) == 4
        engine.feedback(decision.decision_id, slot=0, kind="click")
        engine.settle(decision.decision_id)
        assert engine.why(decision.decision_id).reproduced
        assert engine.replay().identical


def test_plain_numbers_are_no_likeness_but_meet_in_the_products() -> None:
    # An inner product of prices and sizes would drown every other feature: it is left to what is learned.
    encoder = {"name": "numeric", "columns": ["size", "weight"]}
    with Engine.create(catalog=NUMBERS, encoder=encoder) as engine:
        decision = engine.recommend(Request(attributes={"size": 2.0, "weight": 1.0}), slots=12)
        reasons = engine.why(decision.decision_id).slots
        product = engine.parts.stock.pairing.layout.slices["request x item text"]
        stranger = engine.recommend(Request(), slots=12)
    assert all(reason.similarity is None for reason in reasons)
    assert np.abs(decision.features[:, product]).max() > 0.0
    assert np.abs(stranger.features[:, product]).max() == 0.0


def test_a_numeric_column_that_no_item_has_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'weight'"):
        Engine.create(catalog=NUMBERS, encoder={"name": "numeric", "columns": ["wieght"]})


def test_text_where_a_numeric_encoder_needs_a_number_changes_nothing() -> None:
    with Engine.create(catalog=NUMBERS, encoder={"name": "numeric", "columns": ["size"]}) as engine:
        with pytest.raises(InputError, match="'size' holds 'large'"):
            engine.put([Item("n99", attributes={"size": "large"})])
        assert "n99" not in engine.item_ids
        assert engine.status()["items"] == 12
        engine.recommend(Request(), slots=2)


def test_a_plain_list_of_arms_learns_which_arm_suits_which_request() -> None:
    """Arm red is liked on a phone, blue at a desk, green never; 120 visits tell them apart."""
    arms = ["red", "blue", "green"]
    with Engine.create(
        catalog=arms, encoder="hashing", policy={"name": "greedy", "posterior": "arms", "floor": 0.1}
    ) as engine:
        assert engine.item_ids == tuple(arms)
        for number in range(120):
            device = ("phone", "desk")[number % 2]
            request = Request(attributes={"device": device})
            decision = engine.recommend(request, slots=1, decision_id=f"a{number}", at=START + number)
            if shown(decision)[0] == {"phone": "red", "desk": "blue"}[device]:
                engine.feedback(decision.decision_id, slot=0, kind="like", at=START + number)
            engine.settle(decision.decision_id, at=START + number)
        for device, arm in (("phone", "red"), ("desk", "blue")):
            decision = engine.recommend(
                Request(attributes={"device": device}), slots=1, decision_id=device, at=START + 900.0
            )
            odds = dict(zip(decision.candidates, decision.probabilities.tolist(), strict=True))
            assert odds[arm] == pytest.approx(0.8)  # the best of three: 1 less two floors of .1
            assert engine.why(device).reproduced
        assert engine.replay().identical


def test_the_parts_need_no_engine() -> None:
    space = FeatureSpace("mine", "1", 2)
    policy = build("thompson", space, posterior="linear")
    features = np.eye(2, dtype=np.float32)
    candidates = Candidates(("a", "b"), features, space)
    before = policy.distribution(candidates, np.random.default_rng(0))
    rewards = np.array([1.0, 0.0] * 50)
    rows = np.tile(features, (50, 1))
    policy.update(Batch(("a", "b") * 50, (None,) * 100, rows, rewards, np.full(100, 0.5), space))
    after = policy.distribution(candidates, np.random.default_rng(0))
    assert after.sum() == pytest.approx(1.0)
    assert after[0] > 0.95 > before[0]


def test_items_come_and_go_while_serving() -> None:
    with opened() as engine:
        old = visit(engine, 0)
        change = engine.put([Item("i3", text="a totally different thing"), Item("fresh", text="wet shoes")])
        assert (change.added, change.changed) == (("fresh",), ("i3",))
        assert engine.remove(["i5", "never-was"]).removed == ("i5",)
        assert engine.text_of("i3") == "a totally different thing"
        assert engine.text_of("i5") == ""
        decision = engine.recommend(Request(text="wet"), slots=40, at=START + 50.0)
        assert set(shown(decision)) == {*(f"i{j}" for j in range(40) if j != 5), "fresh"}
        assert decision.versions.catalog == 3  # loaded, put, removed
        assert engine.why(old.decision_id).reproduced
        assert engine.why(decision.decision_id).reproduced


class Lengths:
    """An encoder of one's own: a text's length and its number of spaces. dim other than 2: a wrong one."""

    def __init__(self, dim: int = 2) -> None:
        self.dim = dim
        self.space = FeatureSpace("lengths", f"tested-{dim}", 2)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = [[len(text), text.count(" "), 0.0][: self.dim] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, self.dim)


def test_an_encoder_of_ones_own() -> None:
    with Engine.create(catalog=items(), encoder=Lengths()) as engine:
        decision = engine.recommend(Request(text="wet shoes"), slots=3)
        assert decision.versions.encoder == Lengths().space
        assert engine.why(decision.decision_id).reproduced
    with pytest.raises(EncoderError, match=r"\(40, 3\) for 40 texts: expected \(40, 2\)"):
        Engine.create(catalog=items(), encoder=Lengths(3))


def test_ids_and_texts_may_hold_anything_that_utf8_can() -> None:
    names = ["a,b", "ü", "日本", '"q"', "a\nb", " lead", "x" * 200, "null", "0", "e\u0301", "|", "\u2028"]
    odd = [Item(name, text=name, attributes={"kind": name}) for name in names]
    with Engine.create(catalog=odd, encoder="hashing") as engine:
        request = Request(text="x", user_id='ü\n"', history=("ü",), attributes={"ключ": 'да\n"'})
        decision = engine.recommend(request, slots=len(names))
        assert set(shown(decision)) == set(names)
        engine.feedback(decision.decision_id, slot=0, kind="click")
        engine.settle(decision.decision_id)
        assert engine.why(decision.decision_id).reproduced
        assert engine.parts.journal.decision(decision.decision_id).request == request
        assert engine.replay().identical


@pytest.mark.parametrize("index", ["exact", "faiss"])
def test_either_index_serves_and_explains(index: str) -> None:
    with opened(n=400, retrieval={"candidates": 40, "index": index}) as engine:
        visit(engine, 0)
        engine.put([Item("fresh", text="wet shoes")])
        engine.remove(["i3"])
        narrow = engine.recommend(
            Request(text="wet", filters={"category": "shoes"}), slots=5, decision_id="d1", at=START + 20.0
        )
        assert len(narrow.candidates) == 40
        assert engine.why("d0").reproduced and engine.why("d1").reproduced


def test_an_emptied_catalogue_can_be_filled_again() -> None:
    with opened() as engine:
        engine.remove(engine.item_ids)
        engine.put(items(5))
        assert set(shown(engine.recommend(Request(text="wet"), slots=5))) == {f"i{j}" for j in range(5)}


def test_what_was_put_in_and_taken_out_stays_so_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        engine.put([Item("fresh", text="wet shoes"), Item("i3", text="told otherwise")])
        engine.remove(["i5"])
    with opened(tmp_path / "j.db") as engine:
        assert "fresh" in engine.item_ids
        assert "i5" not in engine.item_ids
        assert engine.text_of("i3") == "told otherwise"


def test_what_the_source_says_anew_is_taken_over(tmp_path: Path) -> None:
    """Of 40 items the source drops i39, retells i1 and adds i40; i5, taken out by hand, is not brought back."""
    table = {"journal": {"path": str(tmp_path / "j.db")}, "encoder": {"name": "hashing"}}
    with Engine.of(settings_from(table), items=items()) as engine:
        engine.put([Item("fresh", text="wet shoes")])
        engine.remove(["i5"])
    told = [*items(39), items(41)[40]]
    told[1] = Item("i1", text="told anew")
    with Engine.of(settings_from(table), items=told) as engine:
        assert set(engine.item_ids) == {*(f"i{j}" for j in range(41) if j not in (5, 39)), "fresh"}
        assert engine.text_of("i1") == "told anew"


def test_a_second_start_encodes_nothing(tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    opened(tmp_path / "j.db").close()
    table = {"journal": {"path": str(tmp_path / "j.db")}, "encoder": {"name": "hashing"}}
    Engine.of(settings_from(table), items=items(), progress=lambda *told: progress.append(told)).close()
    assert progress == []


def test_an_imported_file_says_what_it_changed_and_sets_bad_rows_aside(tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text("item_id,text\ni1,told anew\nfresh,wet shoes\nfresh,again\n,nameless\n")
    table = {"journal": {"path": str(tmp_path / "j.db")}, "encoder": {"name": "hashing"}}
    table["catalog"] = {"item_id": "item_id", "text": ["text"], "attributes": []}
    with Engine.of(settings_from(table), items=items(3)) as engine:
        done = engine.import_file(new)
        assert (done.version, done.added, done.changed, done.unchanged, done.removed, done.bad) == (
            2,
            1,
            1,
            0,
            0,
            2,
        )
        rejects = Path(str(done.rejects)).read_text().splitlines()
        assert ['"line": 4' in rejects[0], '"line": 5' in rejects[1]] == [True, True]
        assert engine.text_of("i1") == "told anew"
        gone = engine.import_file(new, replace=True)
        assert (gone.removed, set(engine.item_ids)) == (2, {"i1", "fresh"})
    opened_again = Engine.of(settings_from(table), items=items(3))
    with opened_again as engine:
        assert set(engine.item_ids) == {"i1", "fresh"}
        assert Path(str(done.rejects)).exists()


def test_a_logistic_posterior_starts_near_the_expected_reward() -> None:
    # The bias is logit(.05) with a deviation of about 2: the mean chance of so wide a belief lies above its median
    # of 5 %, at s(-2.94 / sqrt(1 + pi 4.2 / 8)) = s(-1.8) = .14 for the bias alone, and far below one half.
    policy = {"name": "greedy", "posterior": "logistic"}
    rate = {"expected_reward": 0.05}
    with Engine.create(
        catalog=["red", "blue", "green"], encoder="hashing", policy=policy, statistics=rate
    ) as engine:
        decision = engine.recommend(Request(), slots=3)
        means = [reason.mean for reason in engine.why(decision.decision_id).slots]
    assert all(mean is not None and 0.05 < mean < 0.3 for mean in means)
