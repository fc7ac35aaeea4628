"""Several threads on one engine: everything is answered, and all of it can be made again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from equipoise.catalog import Item
from equipoise.core import Request
from equipoise.engine import Engine

from .shop import START, opened

EACH = 25


def together(*jobs: Callable[[], None]) -> None:
    """Run all at once, and raise what any of them raised."""
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def serving(engine: Engine, name: str) -> Callable[[], None]:
    def serve() -> None:
        for number in range(EACH):
            at = START + number
            decision = engine.recommend(
                Request(text="wet shoes", user_id=f"u{number % 3}"),
                slots=3,
                decision_id=f"{name}{number}",
                at=at,
            )
            engine.feedback(decision.decision_id, slot=number % 3, kind="click", at=at)
            if number % 2:
                engine.settle(decision.decision_id, at=at)

    return serve


def stocking(engine: Engine) -> Callable[[], None]:
    def stock() -> None:
        for number in range(EACH):
            engine.put(
                [Item(f"x{number}", text=f"wet shoes {number}"), Item("i1", text=f"told {number} times")]
            )
            engine.remove([f"x{number - 3}", f"i{10 + number}"])

    return stock


def explaining(engine: Engine) -> Callable[[], None]:
    def explain() -> None:
        for number in range(EACH):
            engine.status()
            engine.learn(now=START + number)
            assert engine.replay().identical

    return explain


def test_serving_learning_stocking_and_replaying_at_the_same_time(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        together(serving(engine, "a"), serving(engine, "b"), stocking(engine), explaining(engine))
        engine.learn(now=START + 1000.0)
        explained = [engine.why(f"{name}{number}") for name in "ab" for number in range(EACH)]
        assert [why.differences for why in explained if not why.reproduced] == []
        assert [sum(why.rewards or ()) for why in explained] == [1.0] * 2 * EACH
        assert engine.status()["settled"] == engine.status()["learned"] == 2 * EACH
        assert engine.replay().identical
    with opened(tmp_path / "j.db") as engine:
        assert engine.replay().identical


def test_one_decision_id_from_two_threads_is_one_decision() -> None:
    with opened() as engine:
        made = []
        ask = lambda text: made.append(engine.recommend(Request(text=text), slots=3, decision_id="same"))  # noqa: E731
        together(*(lambda text=text: ask(text) for text in ("wet", "dry", "soft", "road")))
        assert len({decision.slots for decision in made}) == 1
        assert engine.status()["decisions"] == 1
