"""Checkpoints: whole or not at all, three kept, damage found, and never more than a shortcut."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from equipoise.core import State
from equipoise.learning import Checkpoints, same_state


def state_of(number: int) -> State:
    return {
        "policy/space": np.array(["pairing", "1", "5"]),
        "policy/posterior/mean": np.arange(4.0) + number,
        "statistics/items.ids": np.array(["ä", "🦊"]),
        "statistics/overall": np.array([number, 0.5]),
        "statistics/users.ids": np.array([], dtype=np.str_),
        "seed": np.array(number),
    }


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "deep" / "checkpoints", fingerprint="abc123")


def files(checkpoints: Checkpoints) -> list[str]:
    return sorted(path.name for path in checkpoints.folder.iterdir())


def assert_latest(checkpoints: Checkpoints, position: int, *, at_most: int | None = None) -> None:
    found = checkpoints.latest(at_most=at_most)
    assert found is not None
    assert found[0] == position
    assert same_state(found[1], state_of(position))


# Laws


def test_a_state_comes_back_bit_for_bit(checkpoints: Checkpoints) -> None:
    path = checkpoints.save(state_of(7), position=7)
    assert path.name == "abc123-7.npz"
    assert_latest(checkpoints, 7)


def test_a_folder_that_is_not_there_has_no_checkpoint(checkpoints: Checkpoints) -> None:
    assert checkpoints.latest() is None
    checkpoints.clear()
    assert not checkpoints.folder.exists()


def test_the_newest_is_by_position_not_by_name_or_time(checkpoints: Checkpoints) -> None:
    for position in (9, 10, 100):
        checkpoints.save(state_of(position), position=position)
    os.utime(checkpoints.folder / "abc123-9.npz", (2e9, 2e9))
    assert_latest(checkpoints, 100)


def test_three_are_kept(checkpoints: Checkpoints) -> None:
    for position in (8, 9, 10, 11, 100):
        checkpoints.save(state_of(position), position=position)
    assert files(checkpoints) == ["abc123-10.npz", "abc123-100.npz", "abc123-11.npz"]


def test_saving_one_position_again_replaces_it(checkpoints: Checkpoints) -> None:
    checkpoints.save(state_of(1), position=5)
    checkpoints.save(state_of(5), position=5)
    assert files(checkpoints) == ["abc123-5.npz"]
    assert_latest(checkpoints, 5)


def test_at_most_looks_no_later_than_asked(checkpoints: Checkpoints) -> None:
    for position in (10, 20, 30):
        checkpoints.save(state_of(position), position=position)
    assert_latest(checkpoints, 30, at_most=30)
    assert_latest(checkpoints, 20, at_most=29)
    assert_latest(checkpoints, 10, at_most=10)
    assert checkpoints.latest(at_most=9) is None
    assert checkpoints.latest(at_most=0) is None


def test_a_past_that_the_journal_no_longer_has_is_dropped(checkpoints: Checkpoints) -> None:
    # A journal restored from a backup is at 50 where it once was at 300: what is saved now must stay, and
    # what was learned of the other past must not come back when it has grown to 120.
    for position in (100, 200, 300):
        checkpoints.save(state_of(position), position=position)
    assert checkpoints.latest(at_most=50) is None
    checkpoints.save(state_of(50), position=50)
    assert files(checkpoints) == ["abc123-50.npz"]
    assert_latest(checkpoints, 50, at_most=120)


def test_other_fingerprints_are_left_alone(tmp_path: Path) -> None:
    mine, other = Checkpoints(tmp_path, fingerprint="abc"), Checkpoints(tmp_path, fingerprint="abcd")
    mine.save(state_of(1), position=1)
    other.save(state_of(9), position=9)
    assert_latest(mine, 1)
    for position in (2, 3, 4):
        mine.save(state_of(position), position=position)
    assert_latest(other, 9)


@pytest.mark.parametrize("fingerprint", ["abc-12", "thompson", "ABC", "a.b"])
def test_any_fingerprint_is_found_again(tmp_path: Path, fingerprint: str) -> None:
    checkpoints = Checkpoints(tmp_path, fingerprint=fingerprint)
    checkpoints.save(state_of(3), position=3)
    assert_latest(checkpoints, 3)


def test_files_of_others_are_no_checkpoints(checkpoints: Checkpoints) -> None:
    checkpoints.save(state_of(3), position=3)
    for name in (
        "abc123-.npz",
        "abc123-x.npz",
        "abc123-9.npz.part",
        "notes.txt",
        "xabc123-9.npz",
        "abc123-8.npy",
    ):
        (checkpoints.folder / name).write_bytes(b"something else")
    (checkpoints.folder / "abc123-7.npz").mkdir()  # a folder by that name is damage like any other
    assert_latest(checkpoints, 3)


def test_clearing_removes_all_of_every_fingerprint_and_half_written_ones(tmp_path: Path) -> None:
    # What a user asked to forget must not come back from a file of an older policy.
    mine, other = Checkpoints(tmp_path, fingerprint="abc"), Checkpoints(tmp_path, fingerprint="def")
    mine.save(state_of(1), position=1)
    other.save(state_of(9), position=9)
    (tmp_path / "tmp1234.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_bytes(b"kept")
    mine.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert other.latest() is None


# Damage


def test_a_damaged_newest_gives_way_to_the_older_one(checkpoints: Checkpoints) -> None:
    checkpoints.save(state_of(1), position=1)
    newest = checkpoints.save(state_of(2), position=2)
    whole = newest.read_bytes()
    foreign = checkpoints.folder / "array.npy"
    np.save(foreign, np.arange(3))
    for damaged in (
        b"",
        b"x",
        b"x" * 500,
        whole[:-1],
        whole + b"x",
        whole[: len(whole) // 2],
        foreign.read_bytes(),
    ):
        newest.write_bytes(damaged)
        assert_latest(checkpoints, 1)
    newest.write_bytes(whole)
    assert_latest(checkpoints, 2)


def test_one_bit_anywhere_is_found(checkpoints: Checkpoints) -> None:
    path = checkpoints.save(state_of(2), position=2)
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        assert checkpoints.latest() is None, place


def test_all_damaged_is_none(checkpoints: Checkpoints) -> None:
    for position in (1, 2):
        checkpoints.save(state_of(position), position=position).write_bytes(b"")
    assert checkpoints.latest() is None


def test_python_objects_are_never_unpickled(checkpoints: Checkpoints) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoints.save({"a": np.array([{"x": 1}], dtype=object)}, position=1)
    assert files(checkpoints) == []


# Faults of the disk


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("no folder")
    with pytest.raises(OSError, match="file"):
        Checkpoints(taken / "checkpoints", fingerprint="abc").save(state_of(1), position=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder_is_an_os_error(checkpoints: Checkpoints) -> None:
    checkpoints.save(state_of(1), position=1)
    checkpoints.folder.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            checkpoints.save(state_of(2), position=2)
        assert_latest(checkpoints, 1)
    finally:
        checkpoints.folder.chmod(0o700)


def fail_full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace", "tempfile.mkstemp"])
def test_a_full_disk_leaves_the_last_checkpoint_and_no_rubbish(
    where: str, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.save(state_of(1), position=1)
    with monkeypatch.context() as patched:
        patched.setattr(where, lambda *args, **kwargs: fail_full())
        with pytest.raises(OSError, match="No space left"):
            checkpoints.save(state_of(2), position=2)
    assert files(checkpoints) == ["abc123-1.npz"]
    assert_latest(checkpoints, 1)
    checkpoints.save(state_of(2), position=2)
    assert_latest(checkpoints, 2)


def test_nobody_sees_a_half_written_checkpoint(
    checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.save(state_of(1), position=1)
    seen: list[int] = []

    def look(handle: int) -> None:
        found = checkpoints.latest()
        assert found is not None
        seen.append(found[0])

    monkeypatch.setattr(os, "fsync", look)
    checkpoints.save(state_of(2), position=2)
    assert seen == [1]
    assert_latest(checkpoints, 2)
