"""`Engine.recommend`, from the request's text to the committed decision, beside its bare floor."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from equipoise import Engine, Item, Request
from equipoise.encoders import HashingEncoder

from .measure import WORDS, Call, Row, side_by_side

WARM_UP, ROUNDS = 50, 400
ITEMS, WIDTH, CANDIDATES, FEATURES, SLOTS = 10_000, 384, 200, 128, 10


def rows(folder: Path) -> Iterator[Row]:
    """The floor is what any engine of this kind must at least do for one request."""
    rng = np.random.default_rng(0)
    with learned_engine(folder, rng) as engine:

        def ours(number: int) -> object:
            return engine.recommend(Request(text=question(number), user_id=f"u{number % 20}"), slots=SLOTS)

        floor = bare_floor(folder, rng)
        yield side_by_side(
            "recommend, 10,000 items x 10 slots", ours, "bare floor", floor, rounds=ROUNDS, warm_up=WARM_UP
        )


def catalogue(rng: np.random.Generator) -> list[Item]:
    """Items of a few words each; the hashing encoder gives them the language model's width without its time."""
    picks = rng.integers(0, len(WORDS), (ITEMS, 6))
    return [
        Item(
            f"i{row}",
            text=" ".join(WORDS[word] for word in words) + f" {row}",
            attributes={"kind": WORDS[words[0]]},
        )
        for row, words in enumerate(picks)
    ]


def learned_engine(folder: Path, rng: np.random.Generator) -> Engine:
    """An engine on disk whose users have a past."""
    engine = Engine.create(
        catalog=catalogue(rng),
        journal=folder / "speed.db",
        policy="thompson",
        encoder=HashingEncoder(WIDTH),
    )
    for number in range(300):
        decision = engine.recommend(Request(text=question(number), user_id=f"u{number % 20}"), slots=SLOTS)
        engine.feedback(decision.decision_id, slot=int(rng.integers(SLOTS)), kind="click")
        engine.settle(decision.decision_id)
    return engine


def question(number: int) -> str:
    """One of 100 request texts, so that their vectors are cached."""
    return f"{WORDS[number % 16]} {WORDS[(number * 7) % 16]} {number % 100}"


def bare_floor(folder: Path, rng: np.random.Generator) -> Call:
    """A (10,000 x 384) float32 matrix-vector product with a top-200 selection, a (200 x 128) x (128 x 128) product,
    and one committed SQLite row."""
    items = rng.standard_normal((ITEMS, WIDTH)).astype(np.float32)
    query = rng.standard_normal(WIDTH).astype(np.float32)
    features = rng.standard_normal((CANDIDATES, FEATURES)).astype(np.float32)
    square = rng.standard_normal((FEATURES, FEATURES)).astype(np.float32)
    store = sqlite3.connect(folder / "floor.db", isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=NORMAL")
    store.execute("CREATE TABLE decisions (decision_id TEXT PRIMARY KEY, record BLOB)")
    record = bytes(8_000)

    def once(number: int) -> object:
        scores = items @ query
        best = np.argpartition(scores, ITEMS - CANDIDATES)[ITEMS - CANDIDATES :]
        product = features @ square
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO decisions VALUES (?, ?)", (f"d{number}", record))
        store.execute("COMMIT")
        return best, product

    return once
