"""The store: every version can be had again, a version is used up only by a change, and a kill loses nothing."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.catalog import CatalogStore, Change, Item
from equipoise.core import CatalogError

A, B, C = Item("a", text="A"), Item("b", text="B"), Item("c", text="C")


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CatalogStore]:
    opened = CatalogStore.open(None if request.param == "memory" else tmp_path / "c.db")
    yield opened
    opened.close()


IDS = st.sampled_from("abcde")
SOME = st.dictionaries(IDS, st.sampled_from(["", "x", "y"]), max_size=4)
STEPS = st.lists(
    st.tuples(st.just("upsert"), SOME)
    | st.tuples(st.just("replace"), SOME)
    | st.tuples(st.just("remove"), SOME),
    max_size=8,
)


@settings(max_examples=60)
@given(STEPS)
def test_every_version_can_be_had_again(steps: list[tuple[str, dict[str, str]]]) -> None:
    """Against a model that keeps a copy of each version: contents, order of rows, versions; also after reopening."""
    with tempfile.TemporaryDirectory() as folder:
        store = CatalogStore.open(Path(folder) / "c.db")
        current: dict[str, Item] = {}
        versions = [dict(current)]
        for number, (verb, entries) in enumerate(steps):
            told = {item_id: Item(item_id, text=text) for item_id, text in entries.items()}
            after = _model(verb, current, told)
            change = _do(store, verb, told, now=float(number))
            if after != current:
                versions.append(after)
            current = after
            assert change.version == store.snapshot.version == len(versions) - 1
            assert store.snapshot.items == tuple(current.values())
        _check_all(store, versions)
        store.close()
        again = CatalogStore.open(Path(folder) / "c.db")
        assert (again.snapshot.version, again.snapshot.items) == (len(versions) - 1, tuple(current.values()))
        _check_all(again, versions)
        again.close()


def _model(verb: str, current: dict[str, Item], told: dict[str, Item]) -> dict[str, Item]:
    if verb == "upsert":
        return {**current, **told}
    if verb == "remove":
        return {item_id: item for item_id, item in current.items() if item_id not in told}
    kept = {item_id: told[item_id] for item_id in current if item_id in told}
    return {**kept, **told}


def _do(store: CatalogStore, verb: str, told: dict[str, Item], *, now: float) -> Change:
    if verb == "remove":
        return store.remove(tuple(told), now=now)
    return store.upsert(told.values(), now=now) if verb == "upsert" else store.replace(told.values(), now=now)


def _check_all(store: CatalogStore, versions: list[dict[str, Item]]) -> None:
    for version, items in enumerate(versions):
        assert store.items_at(version, "abcde") == items


def test_changes_by_hand(store: CatalogStore) -> None:
    assert store.snapshot.version == 0
    assert store.upsert([A, B], now=10.0) == Change(1, added=("a", "b"))
    assert store.upsert([A, B], now=11.0) == Change(1, unchanged=("a", "b"))
    newer = Item("a", text="A2")
    assert store.upsert([newer, C], now=20.0) == Change(2, added=("c",), changed=("a",))
    assert store.remove(["b", "zz", "b"], now=30.0) == Change(3, removed=("b",))
    assert store.replace([C, B], now=40.0) == Change(4, added=("b",), unchanged=("c",), removed=("a",))
    assert store.snapshot.items == (C, B)
    assert store.items_at(1, ["a", "b", "c"]) == {"a": A, "b": B}
    assert store.items_at(2, ["a", "b", "c"]) == {"a": newer, "b": B, "c": C}
    assert store.items_at(3, ["a", "b"]) == {"a": newer}
    assert store.items_at(0, ["a"]) == {}


def test_first_seen_is_the_first_time_of_all(store: CatalogStore) -> None:
    store.upsert([A], now=10.0)
    store.upsert([Item("a", text="new"), B], now=20.0)
    store.remove(["a"], now=30.0)
    store.upsert([A], now=40.0)
    seen = store.first_seen(["b", "a", "unknown"])
    assert seen.dtype == np.float64
    np.testing.assert_array_equal(seen, [20.0, 10.0, np.nan])


def test_first_seen_and_rows_outlive_the_process(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path / "c.db")
    store.upsert([A, B, C], now=10.0)
    store.remove(["a"], now=20.0)
    store.upsert([A], now=30.0)
    store.close()
    again = CatalogStore.open(tmp_path / "c.db")
    assert again.snapshot.item_ids == ("b", "c", "a")
    assert again.first_seen(["a"]).tolist() == [10.0]
    again.close()


def test_true_and_one_are_different_contents(store: CatalogStore) -> None:
    store.upsert([Item("a", attributes={"x": 1.0})])
    assert store.upsert([Item("a", attributes={"x": True})]).changed == ("a",)
    assert store.upsert([Item("a", attributes={"x": True})]).unchanged == ("a",)


def test_of_several_items_with_one_id_the_last_counts(store: CatalogStore) -> None:
    assert store.upsert([A, Item("a", text="later")]) == Change(1, added=("a",))
    assert store.snapshot.item("a").text == "later"


def test_a_snapshot_stays_what_it_was(store: CatalogStore) -> None:
    store.upsert([A, B])
    old = store.snapshot
    store.replace([C])
    assert (old.version, old.items, store.snapshot.items) == (1, (A, B), (C,))


def test_more_ids_than_one_query_takes(store: CatalogStore) -> None:
    items = [Item(f"i{n}") for n in range(1201)]
    store.upsert(items)
    store.upsert([Item(item.item_id, text="new") for item in items])
    assert store.items_at(1, [item.item_id for item in items]) == {item.item_id: item for item in items}


def test_serving_threads_see_whole_versions_while_one_writes(store: CatalogStore) -> None:
    """Version v has v items, each with the text v: a reader that saw a half-written one would notice."""
    failures: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            snapshot = store.snapshot
            texts = {item.text for item in snapshot.items}
            past = store.items_at(snapshot.version - 1, snapshot.item_ids)
            if len(snapshot) != snapshot.version or texts - {str(snapshot.version)}:
                failures.append(f"version {snapshot.version}: {len(snapshot)} items, texts {texts}")
            if len(past) != max(0, snapshot.version - 1):
                failures.append(f"before version {snapshot.version}: {len(past)} items")

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in range(1, 41):
        store.upsert([Item(f"i{n}", text=str(version)) for n in range(version)])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


CHILD = """
import sys
from pathlib import Path
from equipoise.catalog import CatalogStore, Item
store = CatalogStore.open(Path(sys.argv[1]))
version = store.snapshot.version
while True:
    version += 1
    store.replace([Item(f"v{version}-{n}", text=str(version)) for n in range(200)], now=float(version))
    print(version, flush=True)
"""


def test_killed_while_writing_it_has_the_old_version_or_the_new(tmp_path: Path) -> None:
    """Three kills at seeded moments: every version told of is there, and the last one is whole."""
    rng = random.Random(5)
    told = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "c.db")], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        told = int(child.stdout.readline())
        time.sleep(rng.uniform(0.0, 0.1))
        os.kill(child.pid, signal.SIGKILL)
        told = max(
            [told, *(int(line) for line in child.stdout.read().splitlines(keepends=True) if line[-1] == "\n")]
        )
        child.stdout.close()
        child.wait()
        store = CatalogStore.open(tmp_path / "c.db")
        version = store.snapshot.version
        assert version in (told, told + 1)
        assert store.snapshot.item_ids == tuple(f"v{version}-{n}" for n in range(200))
        store.close()
    assert told >= 3


def test_a_second_writer_is_noticed_and_nothing_is_overwritten(tmp_path: Path) -> None:
    one, other = CatalogStore.open(tmp_path / "c.db"), CatalogStore.open(tmp_path / "c.db")
    one.upsert([A])
    with pytest.raises(
        CatalogError, match="at version 1, written by another process, but version 0 is served"
    ):
        other.upsert([B])
    assert (other.snapshot.items, one.snapshot.items) == ((), (A,))
    one.upsert([C])
    assert one.snapshot.items == (A, C)
    one.close()
    other.close()


def _limit_pages(store: CatalogStore) -> None:
    store._db.execute("PRAGMA max_page_count = 12")


def _read_only(store: CatalogStore) -> None:
    store._db.execute("PRAGMA query_only = 1")


def _fail_halfway(store: CatalogStore) -> None:
    """The version and the items are written by then; the places are not."""
    store._db.execute(
        "CREATE TEMP TRIGGER halfway BEFORE INSERT ON places BEGIN SELECT RAISE(FAIL, 'disk trouble'); END"
    )


@pytest.mark.parametrize(
    ("break_", "said"), [(_limit_pages, "full"), (_read_only, "readonly"), (_fail_halfway, "disk trouble")]
)
def test_a_write_that_fails_leaves_the_version_that_is_served(
    tmp_path: Path, break_: Callable[[CatalogStore], None], said: str
) -> None:
    store = CatalogStore.open(tmp_path / "c.db")
    store.upsert([A], now=1.0)
    break_(store)
    with pytest.raises(CatalogError, match=f"{said}.*version 1 is still served"):
        store.upsert([Item(f"i{n}", text="x" * 500) for n in range(500)])
    assert store.snapshot.items == (A,)
    assert store.first_seen(["i0"]).tolist() != [1.0]
    store.close()
    again = CatalogStore.open(tmp_path / "c.db")
    assert again.snapshot.items == (A,)
    assert again.upsert([B]).version == 2
    again.close()


def test_files_that_are_no_store(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database at all, but long enough to be read as one" * 50)
    with pytest.raises(CatalogError, match="cannot be opened"):
        CatalogStore.open(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE users (x)")
    db.close()
    with pytest.raises(CatalogError, match="the tables users, not a catalogue store"):
        CatalogStore.open(tmp_path / "other.db")
    with pytest.raises(CatalogError, match="cannot be opened"):
        CatalogStore.open(tmp_path / "text.db" / "c.db")


def test_closing_twice_is_once(store: CatalogStore) -> None:
    store.close()
    store.close()
    assert len(store.snapshot) == 0
