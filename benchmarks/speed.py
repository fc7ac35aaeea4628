"""Speed as ratios, measured side by side in one run: processor time of one thread.

    python benchmarks/speed.py            # a table
    python benchmarks/speed.py --json     # rows: name, ours_ms, peer, peer_ms, ratio

The peer of `recommend` is its bare floor: what any engine of this kind must at least do for one request. Ours and
the peer take turns call by call, and each row gives the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# Some machines set these for older libraries; they slow numpy down.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import sqlite3

import numpy as np

from equipoise import Engine, Item, Request
from equipoise.encoders import HashingEncoder

WARM_UP, ROUNDS = 50, 400
ITEMS, WIDTH, CANDIDATES, FEATURES, SLOTS = 10_000, 384, 200, 128, 10
WORDS = [
    "red",
    "blue",
    "steel",
    "oak",
    "light",
    "heavy",
    "running",
    "walking",
    "winter",
    "summer",
    "small",
    "large",
    "shoe",
    "lamp",
    "chair",
    "tent",
]


@dataclass(frozen=True)
class Row:
    name: str
    ours_ms: float
    peer: str
    peer_ms: float
    ratio: float


def processor_ms(call: Callable[[int], object], number: int) -> float:
    """Processor milliseconds of this process for one call."""
    start = time.process_time_ns()
    call(number)
    return (time.process_time_ns() - start) / 1e6


def side_by_side(name: str, ours: Callable[[int], object], peer: str, theirs: Callable[[int], object]) -> Row:
    """Ours and the peer in turns, one call each, after a warm-up: both find the caches as the other left them."""
    for number in range(WARM_UP):
        ours(number)
        theirs(number)
    spent = [
        (processor_ms(ours, number), processor_ms(theirs, number))
        for number in range(WARM_UP, WARM_UP + ROUNDS)
    ]
    ours_ms, peer_ms = (float(np.median(column)) for column in zip(*spent, strict=True))
    return Row(name, round(ours_ms, 4), peer, round(peer_ms, 4), round(ours_ms / peer_ms, 3))


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


def bare_floor(folder: Path, rng: np.random.Generator) -> Callable[[int], object]:
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


def recommend_row(folder: Path) -> Row:
    rng = np.random.default_rng(0)
    with learned_engine(folder, rng) as engine:

        def ours(number: int) -> object:
            return engine.recommend(Request(text=question(number), user_id=f"u{number % 20}"), slots=SLOTS)

        return side_by_side("recommend, 10,000 items x 10 slots", ours, "bare floor", bare_floor(folder, rng))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [recommend_row(Path(folder))]
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        for row in rows:
            print(
                f"{row.name:40} {row.ours_ms:8.3f} ms   {row.peer} {row.peer_ms:8.3f} ms   ratio {row.ratio:.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
