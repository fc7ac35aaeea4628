"""Decisions appended, settled, read back and replayed into a posterior, beside SQLite bare of everything.

One slot of 20 candidates at d = 128, and one full slate: 10 slots of 200 candidates. Appends come a thousand in a
transaction, as from an import or from many callers at once.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from equipoise.core import Decision, FeatureSpace, Request, Slot, Versions
from equipoise.journal import SqliteJournal
from equipoise.learning import Learner, Statistics
from equipoise.policies import BanditPolicy, build

from .measure import Row, processor_ms, row
from .world import SPACE

SHAPES = {"1 slot of 20": (20, 1, 6_000), "10 slots of 200": (200, 10, 2_000)}
PART, ROUNDS = 1_000, 3


def rows(folder: Path) -> Iterator[Row]:
    for name, (k, m, count) in SHAPES.items():
        made = decisions(k, m, count)
        with SqliteJournal.open(folder / f"{k}.db") as journal:
            yield append(f"append, {name}", journal, made, folder / f"{k}-bare.db")
            journal.settle_due(made[-1].window_closes_at + 1.0)
            yield from back(name, journal, count)
            size = (folder / f"{k}.db").stat().st_size + (folder / f"{k}.db-wal").stat().st_size
            print(f"{name}: {size / count:.0f} bytes a settled decision", file=sys.stderr)


def append(name: str, journal: SqliteJournal, made: list[Decision], bare: Path) -> Row:
    """One decision, of a thousand in a transaction; bare SQLite stores as many bytes under as many keys."""
    store = sqlite3.connect(bare, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=NORMAL")
    store.execute("CREATE TABLE decisions (decision_id TEXT PRIMARY KEY, record BLOB)")
    record = bytes(made[0].features.nbytes + made[0].probabilities.nbytes + 8 * len(made[0].candidates))

    def theirs(start: int) -> None:
        store.execute("BEGIN IMMEDIATE")
        keys = [(one.decision_id, record) for one in made[start : start + PART]]
        store.executemany("INSERT INTO decisions VALUES (?, ?)", keys)
        store.execute("COMMIT")

    def ours(start: int) -> None:
        journal.decided_many(made[start : start + PART])

    spent = [(processor_ms(ours, at), processor_ms(theirs, at)) for at in range(0, len(made), PART)]
    ours_ms, peer_ms = np.median(spent, axis=0) / PART
    return row(name, ours_ms, "bare SQLite", peer_ms)


def back(name: str, journal: SqliteJournal, count: int) -> Iterator[Row]:
    """Read back whole, read back as columns, and learned; each beside the rows as SQLite hands them over."""
    reader = sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True)
    select = "SELECT * FROM decisions JOIN settlements USING (seq) ORDER BY position"

    def theirs(number: int) -> None:
        for _ in reader.execute(select):
            pass

    def whole(number: int) -> None:
        for _ in journal.settled():
            pass

    def columns(number: int) -> None:
        for _ in journal.batches():
            pass

    def posterior(number: int) -> None:
        policy = fresh()
        for part in journal.batches():
            policy.update(part.batch)

    def learner(number: int) -> None:
        Learner(fresh(), Statistics()).catch_up(journal)

    for what, ours in {
        "read back, whole": whole,
        "read back, as columns": columns,
        "replay into a posterior": posterior,
        "replay into policy and statistics": learner,
    }.items():
        spent = [(processor_ms(ours, at), processor_ms(theirs, at)) for at in range(ROUNDS)]
        ours_ms, peer_ms = np.min(spent, axis=0) / count
        yield row(f"{what}, {name}", ours_ms, "bare SQLite", peer_ms)


def fresh() -> BanditPolicy:
    return build("thompson", SPACE, posterior="linear")


def decisions(k: int, m: int, count: int) -> list[Decision]:
    """As an engine makes them; arbitrary numbers."""
    rng = np.random.default_rng(4)
    encoder, names = FeatureSpace("minilm", "3", 384), [f"item-{number}" for number in range(10_000)]
    versions = Versions(encoder, SPACE, 1, "thompson#abc", 0, 20)
    probabilities = rng.dirichlet(np.ones(k))
    sources = tuple("near" if number < k // 2 else "draw" for number in range(k))
    features = (rng.standard_normal((count, m, SPACE.dim)) / np.sqrt(SPACE.dim)).astype(np.float32)
    made = []
    for number in range(count):
        start = int(rng.integers(0, len(names) - k))
        shown = tuple(names[start : start + k])
        slots = tuple(
            Slot(slot, shown[slot], float(probabilities[slot]), float(probabilities[slot]), sources[slot])
            for slot in range(m)
        )
        request = Request(text=f"winter shoes {number}", user_id=f"u{number % 500}")
        made.append(
            Decision(
                f"d{number:08}",
                at=float(number),
                request=request,
                versions=replace(versions, learned=number),
                candidates=shown,
                sources=sources,
                probabilities=probabilities,
                slots=slots,
                features=features[number],
                window_closes_at=number + 60.0,
            )
        )
    return made
