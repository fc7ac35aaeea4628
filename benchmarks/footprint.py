"""What an engine needs beside time: peak memory by catalogue size, and the rates of its two slow halves.

    python benchmarks/footprint.py memory --items 10000 --encoder minilm
    python benchmarks/footprint.py rates

Memory is the peak of this process. Rates are per processor-second on one thread.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

from equipoise import Batch, Engine, FeatureSpace, Item, Request
from equipoise.encoders import HashingEncoder, open_encoder
from equipoise.policies import build

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
WIDTH, DIM, ROWS, TEXTS = 384, 128, 20_000, 400


def title(number: int) -> str:
    """A few words and a number, different for every item."""
    return f"{' '.join(WORDS[(number * step) % 16] for step in (1, 3, 5, 7, 11, 13))} {number}"


def memory(items: int, encoder: str) -> None:
    """Open an engine on disk, answer and learn 200 requests, and say the peak."""
    catalogue = [
        Item(f"i{row}", text=title(row), attributes={"kind": WORDS[row % 16], "price": float(row % 100)})
        for row in range(items)
    ]
    chosen = HashingEncoder(WIDTH) if encoder == "hashing" else open_encoder(encoder)
    with (
        tempfile.TemporaryDirectory() as folder,
        Engine.create(catalog=catalogue, journal=Path(folder) / "shop.db", encoder=chosen) as engine,
    ):
        for number in range(200):
            decision = engine.recommend(Request(text=title(number), user_id=f"u{number % 10}"), slots=10)
            engine.feedback(decision.decision_id, slot=1, kind="click")
            engine.settle(decision.decision_id)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{items:,} items, {encoder}: peak {peak:.0f} MB")


def rate(count: int, work: Callable[[], object]) -> float:
    """Things done per processor-second."""
    start = time.process_time()
    work()
    return count / (time.process_time() - start)


def rates() -> None:
    """Short texts encoded, and rows learned at d = 128."""
    encoder = open_encoder("minilm", threads=1)
    texts = [title(number) for number in range(TEXTS)]
    encoder.encode(texts[:20])
    print(f"minilm: {rate(TEXTS, lambda: encoder.encode(texts)):.0f} short texts a processor-second")
    rng = np.random.default_rng(0)
    space = FeatureSpace("rates", "1", DIM)
    batch = Batch(
        item_ids=tuple(f"i{row % 500}" for row in range(ROWS)),
        user_ids=tuple(f"u{row % 100}" for row in range(ROWS)),
        features=rng.standard_normal((ROWS, DIM)).astype(np.float32) / np.float32(np.sqrt(DIM)),
        rewards=rng.random(ROWS),
        propensities=np.ones(ROWS),
        space=space,
    )
    for posterior in ("linear", "mixed"):
        policy = build("thompson", space, posterior=posterior)
        print(
            f"{posterior}: {rate(ROWS, lambda policy=policy: policy.update(batch)):.0f} rows a processor-second"
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("memory", "rates"))
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--encoder", default="hashing", help="hashing (384 numbers) or minilm")
    arguments = parser.parse_args()
    if arguments.what == "memory":
        memory(arguments.items, arguments.encoder)
    else:
        rates()
    return 0


if __name__ == "__main__":
    sys.exit(main())
