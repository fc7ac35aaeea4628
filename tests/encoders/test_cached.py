"""The cache: each text is encoded once, a row is never wrong, and trouble with the disk costs only time."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.core import Encoder, FeatureSpace, Vectors
from equipoise.encoders import CachedEncoder, HashingEncoder, NumericEncoder
from equipoise.encoders.row_file import RowFile
from equipoise.encoders.row_index import ENTRY, RowIndex

TEXTS = [f"film {number}" for number in range(150)]


class Counting:
    """Hashed rows, and every text that was asked for."""

    def __init__(self, dim: int = 8) -> None:
        self._inner = HashingEncoder(dim)
        self.asked: list[str] = []

    @property
    def space(self) -> FeatureSpace:
        return self._inner.space

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._inner.encode(texts)


def files(folder: Path) -> tuple[Path, Path]:
    (rows,), (keys,) = folder.glob("*.rows"), folder.glob("*.keys")
    return rows, keys


def cached(folder: Path | None, inner: Encoder | None = None, *, recent: int = 2000) -> CachedEncoder:
    return CachedEncoder(inner or Counting(), folder, recent=recent)


def test_it_is_an_encoder(tmp_path: Path) -> None:
    assert isinstance(cached(tmp_path), Encoder)


def test_a_second_start_encodes_nothing(tmp_path: Path) -> None:
    first = cached(tmp_path)
    rows = first.encode(TEXTS)
    first.close()
    inner = Counting()
    second = cached(tmp_path, inner)
    assert np.array_equal(second.encode(TEXTS[::-1]), rows[::-1])
    assert (inner.asked, second.encoded, second.hits) == ([], 0, 150)
    assert (first.encoded, first.hits) == (150, 0)


def test_doubles_are_encoded_once(tmp_path: Path) -> None:
    inner = Counting()
    encoder = cached(tmp_path, inner)
    rows = encoder.encode(["a", "b", "a", "a"])
    assert inner.asked == ["a", "b"]
    assert np.array_equal(rows, HashingEncoder(8).encode(["a", "b", "a", "a"]))


def test_progress_tells_what_must_be_encoded(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    encoder = cached(tmp_path)
    encoder.encode(TEXTS[:10])
    encoder.encode(TEXTS, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 140), (64, 140), (128, 140), (140, 140)]
    told.clear()
    encoder.encode(TEXTS, progress=lambda done, total: told.append((done, total)))
    assert told == []


def test_each_space_has_its_own_rows(tmp_path: Path) -> None:
    small, large = cached(tmp_path, HashingEncoder(8)), cached(tmp_path, HashingEncoder(16))
    assert small.encode(["a"]).shape == (1, 8)
    assert large.encode(["a"]).shape == (1, 16)
    assert (small.encoded, large.encoded, small.trouble, large.trouble) == (1, 1, None, None)


def test_what_users_typed_stays_off_the_disk(tmp_path: Path) -> None:
    inner = Counting()
    encoder = cached(tmp_path, inner)
    for _ in range(2):
        encoder.encode(["my secret"], store=False)
    assert inner.asked == ["my secret"]
    assert [path.stat().st_size for path in files(tmp_path)] == [0, 0]


def test_texts_that_differ_late_are_different_texts(tmp_path: Path) -> None:
    columns = tuple(f"column {number}" for number in range(5_000))
    encoder = CachedEncoder(NumericEncoder(columns), tmp_path)
    inner = NumericEncoder(columns)
    first, second = encoder.encode([inner.text({}), inner.text({columns[-1]: 1.0})])
    assert (first[-1], second[-1]) == (0.0, 1.0)


def test_only_the_latest_texts_are_kept_in_memory() -> None:
    inner = Counting()
    encoder = cached(None, inner, recent=2)
    encoder.encode(["a", "b"])
    encoder.encode(["a"])  # now "b" has waited longest
    encoder.encode(["c"])
    encoder.encode(["a", "c"])
    assert inner.asked == ["a", "b", "c"]
    encoder.encode(["b"])
    assert inner.asked == ["a", "b", "c", "b"]
    assert encoder.trouble is None


def test_a_caller_may_change_its_rows(tmp_path: Path) -> None:
    encoder = cached(tmp_path)
    expected = encoder.encode(["a"]).copy()
    encoder.encode(["a"])[:] = 7.0
    assert np.array_equal(encoder.encode(["a"]), expected)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lost=st.tuples(st.integers(0, 400), st.integers(0, 250)))
def test_a_half_written_tail_is_ignored_and_cut(tmp_path: Path, lost: tuple[int, int]) -> None:
    folder = tmp_path / f"{lost[0]}-{lost[1]}"
    first = cached(folder)
    rows = first.encode(TEXTS[:10])
    first.close()
    for path, size in zip(files(folder), lost, strict=True):
        os.truncate(path, max(0, path.stat().st_size - size))
    second = cached(folder)
    assert np.array_equal(second.encode(TEXTS[:10]), rows)
    # a row has 8 * 4 = 32 bytes, an entry 16 + 4 = 20
    kept = max(0, min((320 - lost[0]) // 32, (200 - lost[1]) // 20))
    assert (second.hits, second.encoded) == (kept, 10 - kept)
    second.close()
    assert [path.stat().st_size for path in files(folder)] == [320, 200]


@pytest.mark.parametrize("byte", [0, 33, 100])
def test_a_damaged_row_is_encoded_again(tmp_path: Path, byte: int) -> None:
    first = cached(tmp_path)
    rows = first.encode(TEXTS[:5])
    first.close()
    with files(tmp_path)[0].open("r+b") as file:
        file.seek(byte)
        old = file.read(1)
        file.seek(byte)
        file.write(bytes([old[0] ^ 1]))
    second = cached(tmp_path)
    assert np.array_equal(second.encode(TEXTS[:5]), rows)
    assert second.encoded == 1
    second.close()
    assert cached(tmp_path).encode(TEXTS[:5]).shape == (5, 8)


def test_one_writes_and_others_read_along(tmp_path: Path) -> None:
    writer = cached(tmp_path)
    writer.encode(["a"])
    reader = cached(tmp_path)
    assert writer.trouble is None
    assert reader.trouble is not None
    assert "another process stores vectors" in reader.trouble
    writer.encode(["b"])  # stored after the reader opened
    reader.encode(["a", "b", "c"])
    assert (reader.hits, reader.encoded) == (2, 1)
    assert len(RowFile(tmp_path, writer.space)) == 2  # the reader's "c" was not stored
    writer.close()
    assert cached(tmp_path).trouble is None


def test_a_killed_first_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from equipoise.encoders import CachedEncoder, HashingEncoder\n"
        "encoder = CachedEncoder(HashingEncoder(8), Path(sys.argv[1]))\n"
        "for start in range(10**9): encoder.encode([f'film {start}']); print(start, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 100:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    encoder = cached(tmp_path)
    assert np.array_equal(encoder.encode(TEXTS[:101]), HashingEncoder(8).encode(TEXTS[:101]))
    assert (encoder.hits, encoder.encoded) == (101, 0)


def test_a_folder_that_cannot_be_made_is_a_trouble_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    encoder = cached(tmp_path / "file")
    assert encoder.encode(["a"]).shape == (1, 8)
    assert (
        encoder.trouble
        == f"vectors are not stored in {tmp_path / 'file'} (File exists): each start encodes them again"
    )


def test_a_read_only_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached(tmp_path)
    first.encode(["a"])
    first.close()
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    encoder = cached(tmp_path)
    encoder.encode(["a", "b"])
    assert (encoder.hits, encoder.encoded) == (1, 1)
    assert encoder.trouble is not None
    assert "Read-only file system" in encoder.trouble


def test_a_full_disk_stops_storing_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = cached(tmp_path)
    encoder.encode(["a"])
    real, room = os.pwrite, 50

    def full(file: int, data: memoryview, at: int) -> int:
        # 50 bytes are left, then none: a write falls short first and fails when it is tried on
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(file, data[:room], at)
        room -= written
        return written

    monkeypatch.setattr(os, "pwrite", full)
    assert np.array_equal(encoder.encode(["a", "b", "c"]), HashingEncoder(8).encode(["a", "b", "c"]))
    assert encoder.trouble is not None
    assert "No space left" in encoder.trouble
    encoder.encode(["d"])
    assert (encoder.encoded, encoder.hits) == (4, 1)
    assert [path.stat().st_size for path in files(tmp_path)] == [32, 20]


def test_threads_share_one_cache(tmp_path: Path) -> None:
    encoder = cached(tmp_path, recent=10)
    expected = HashingEncoder(8).encode(TEXTS)
    wrong: list[int] = []

    def work(seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(TEXTS))
        for part in np.array_split(order, 10):
            rows = encoder.encode([TEXTS[position] for position in part])
            wrong.extend(np.flatnonzero((rows != expected[part]).any(axis=1)))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert encoder.hits + encoder.encoded >= 8 * 150
    encoder.close()
    again = cached(tmp_path)
    assert np.array_equal(again.encode(TEXTS), expected)
    assert again.encoded == 0


def test_a_long_run_does_not_hold_up_a_request(tmp_path: Path) -> None:
    started, go = threading.Event(), threading.Event()

    class Slow(Counting):
        def encode(self, texts: Sequence[str]) -> Vectors:
            if texts[0] == "slow":
                started.set()
                assert go.wait(10)
            return super().encode(texts)

    encoder = cached(tmp_path, Slow())
    thread = threading.Thread(target=encoder.encode, args=(["slow"],))
    thread.start()
    assert started.wait(10)
    assert encoder.encode(["quick"]).shape == (1, 8)
    assert thread.is_alive()
    go.set()
    thread.join(10)


def test_after_closing_it_works_from_memory_and_says_so(tmp_path: Path) -> None:
    encoder = cached(tmp_path, recent=1)
    encoder.encode(["a", "b"])
    encoder.close()
    encoder.encode(["a", "b"])
    assert encoder.encoded == 3  # "b" was the one text kept in memory
    assert encoder.trouble == "the cache is closed"
    encoder.close()


def test_a_stored_text_is_found_within_30_microseconds(tmp_path: Path) -> None:
    encoder = CachedEncoder(HashingEncoder(384), tmp_path, recent=0)
    texts = [f"film {number}" for number in range(5000)]
    encoder.encode(texts)
    # processor time, the best of 5 runs of 500: other work on the machine only ever adds to it
    best = min(_seconds(encoder, texts[start : start + 500]) for start in range(0, 2500, 500))
    assert encoder.encoded == 5000
    assert best / 500 < 60e-6  # twice the goal, for slower machines


def _seconds(encoder: CachedEncoder, texts: list[str]) -> float:
    start = time.process_time()
    for text in texts:
        encoder.encode([text])
    return time.process_time() - start


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=120), st.integers(1, 7))
def test_the_index_is_a_dict_of_last_positions(numbers: list[int], chunk: int) -> None:
    # few numbers, so that keys come again; merged after every chunk as it would be after 4096
    entries = np.zeros(len(numbers), ENTRY)
    entries["key"][:, 0], entries["key"][:, 1] = np.array(numbers, np.uint64) % 7, numbers
    entries["check"] = range(len(numbers))
    index, expected = RowIndex(), {}
    for start in range(0, len(numbers), chunk):
        index.extend(entries[start : start + chunk])
        index.merge()
    for position, entry in enumerate(entries):
        expected[entry["key"].tobytes()] = (position, position)
    assert len(index) == len(numbers)
    assert {key: index.find(key) for key in expected} == expected
    assert index.find(b"\xff" * 16) is None


def test_the_index_merges_by_itself() -> None:
    entries = np.zeros(10_000, ENTRY)
    entries["key"] = np.random.default_rng(1).integers(0, 2**63, (10_000, 2))
    index = RowIndex()
    for start in range(0, 10_000, 64):
        index.extend(entries[start : start + 64])
    assert [index.find(entry["key"].tobytes()) for entry in entries] == [(n, 0) for n in range(10_000)]
