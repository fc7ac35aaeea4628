"""What the disk, other processes and other files can do to a journal."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.core import ConfigurationError, Feedback, JournalBusyError, JournalError
from equipoise.journal import SqliteJournal, sqlite_trouble

from .samples import make_decision

HOLD = """
import sys
from equipoise.journal import SqliteJournal
with SqliteJournal.open(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="journal-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_second_writer_in_another_process_is_refused_by_pid(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(JournalBusyError, match=f"written by process {holder.pid}, and one may at a time"):
            SqliteJournal.open(path)
        with SqliteJournal.open(path, read_only=True) as reader:
            assert reader.counts().decisions == 0
        holder.kill()
        holder.communicate()
    with SqliteJournal.open(path) as journal:
        journal.decided(make_decision())


def test_a_second_writer_in_this_process_is_refused_too(tmp_path: Path) -> None:
    with SqliteJournal.open(tmp_path / "j.db"), pytest.raises(JournalBusyError, match=str(os.getpid())):
        SqliteJournal.open(tmp_path / "j.db")
    SqliteJournal.open(tmp_path / "j.db").close()


def test_a_reader_sees_whole_commits_and_writes_nothing(tmp_path: Path) -> None:
    with (
        SqliteJournal.open(tmp_path / "j.db") as writer,
        SqliteJournal.open(tmp_path / "j.db", read_only=True) as look,
    ):
        writer.decided(make_decision())
        assert look.decision("d1").decision_id == "d1"
        assert list(look.settled(now=0.0)) == []
        for write in (
            lambda: look.decided(make_decision("d2")),
            lambda: look.fed_back(Feedback("d1", 0, "click", 1.0, 101.0)),
            lambda: look.closed("d1", now=0.0),
            lambda: look.settled(now=1e9),
            lambda: look.forget("u1"),
        ):
            with pytest.raises(JournalError, match="is open read-only"):
                write()
        assert writer.counts().open == 1


def test_a_fork_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: -1)
            with pytest.raises(JournalError, match="cannot be written by its fork"):
                journal.decided(make_decision())
        journal.decided(make_decision())


def test_a_full_disk_acknowledges_nothing_and_heals(tmp_path: Path) -> None:
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.decided(make_decision("before"))
        connection = journal._commits.connection  # type: ignore[union-attr]
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")
        acknowledged = ["before"]
        with pytest.raises(JournalError, match="the disk is full, and this write was not stored"):
            for number in range(1000):
                journal.decided(make_decision(f"d{number}", k=100))
                acknowledged.append(f"d{number}")
        with pytest.raises(JournalError, match="disk is full"):
            journal.decided_many(make_decision(f"many{number}", k=100) for number in range(50))
        assert [one.decision_id for one in journal.recent(1000)][::-1] == acknowledged
        assert journal.integrity() == []
        connection.execute("PRAGMA max_page_count = 1000000")
        failed = f"d{len(acknowledged) - 1}"
        journal.decided(make_decision(failed, k=100))
        assert [one.decision_id for one in journal.recent(1000)][::-1] == [*acknowledged, failed]
        assert journal.integrity() == []


READ_ONLY = """
import os, sys, numpy, sqlite3
from equipoise.core import JournalError
from equipoise.journal import SqliteJournal
path = sys.argv[1]
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    SqliteJournal.open(path)
except JournalError as error:
    print("refused", error)
with SqliteJournal.open(path, read_only=True) as journal:
    print("read", journal.counts().decisions, journal.integrity())
"""


def test_a_read_only_folder_can_be_read_but_not_written(place: Path) -> None:
    with SqliteJournal.open(place / "j.db") as journal:
        journal.decided(make_decision())
    (place / "j.db").chmod(0o444)
    (place / "j.db.lock").unlink()
    place.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(place / "j.db")], capture_output=True, text=True, check=True
    )
    refused, read = done.stdout.splitlines()
    assert "make the folder writable for this user, or open the journal with read_only=True" in refused
    assert read == "read 1 []"


def test_a_read_only_file_says_so(place: Path) -> None:
    with SqliteJournal.open(place / "j.db") as journal:
        journal.decided(make_decision())
    place.chmod(0o777)
    (place / "j.db").chmod(0o444)
    (place / "j.db.lock").chmod(0o666)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(place / "j.db")], capture_output=True, text=True, check=True
    )
    refused, read = done.stdout.splitlines()
    assert "cannot be written: change its permissions, or open it with read_only=True" in refused
    assert read == "read 1 []"


@pytest.mark.parametrize("read_only", [False, True])
def test_places_where_no_journal_can_be(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(JournalError, match=r"the folder .*nowhere is not there: make it"):
        SqliteJournal.open(tmp_path / "nowhere" / "j.db", read_only=read_only)
    with pytest.raises(JournalError, match="is a folder but must be a file"):
        SqliteJournal.open(tmp_path, read_only=read_only)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is not there, and reading makes none"):
        SqliteJournal.open(tmp_path / "j.db", read_only=True)
    (tmp_path / "j.db").touch()
    with pytest.raises(JournalError, match="older schema, or none"):
        SqliteJournal.open(tmp_path / "j.db", read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 1000)
    for _ in range(2):
        with pytest.raises(JournalError, match="not a SQLite database: name another path"):
            SqliteJournal.open(path, read_only=read_only)
    assert path.read_text() == "my notes\n" * 1000


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_of_something_else_is_refused(tmp_path: Path, read_only: bool) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE orders (number INTEGER)")
    connection.close()
    with pytest.raises(JournalError, match=r"something else \(tables orders\)"):
        SqliteJournal.open(tmp_path / "shop.db", read_only=read_only)


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with SqliteJournal.open(path) as journal:
        journal.decided_many(make_decision(f"d{number}") for number in range(2000))
    damaged = bytearray(path.read_bytes())
    damaged[20 * 4096 : 200 * 4096] = b"\x5a" * (180 * 4096)
    path.write_bytes(damaged)
    with SqliteJournal.open(path) as journal:
        assert any("damaged" in problem for problem in journal.integrity())
        with pytest.raises(JournalError, match=r"it is damaged: copy it away"):
            list(journal.settled(now=1e9))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            "UPDATE decisions SET slot_propensities = '[0.5,0.0,0.5]' WHERE seq = 2",
            "decision d1 slot 1 has propensity 0.0",
        ),
        (
            "UPDATE decisions SET slot_propensities = '[0.5,null,1]' WHERE seq = 2",
            "decision d1 slot 1 has propensity None",
        ),
        ("UPDATE decisions SET slot_propensities = '[0.5]' WHERE seq = 2", "different lengths"),
        ("UPDATE decisions SET slot_propensities = '[0.5,' WHERE seq = 2", "malformed JSON"),
        (
            "UPDATE decisions SET candidate_probabilities = x'00' WHERE seq = 2",
            "decision d1 has candidates and",
        ),
        (
            "DELETE FROM settlements WHERE position = 1",
            "positions run from 2 to 2 but there are 1 settlements",
        ),
        ("DELETE FROM settlements WHERE position = 2", "decision d1 is neither settled nor open"),
        ("DELETE FROM decisions WHERE seq = 1", "settlement at position 1 is of no decision"),
        ("DELETE FROM decisions WHERE seq = 1", "feedback 1 counts for a decision that is not there"),
        ("DELETE FROM decisions WHERE seq = 3", "window 3 is open for no decision"),
        ("INSERT INTO open_decisions VALUES (160.0, 1)", "decision d0 is both settled and open"),
        ("UPDATE settlements SET rewards = '[]' WHERE position = 2", "position 2 has not one reward a slot"),
        ("UPDATE feedback SET feedback_id = 'e'", "counts twice under one feedback_id"),
        ("UPDATE tallies SET count = 9", "the tally of status counted says 9 but there are 2"),
    ],
)
def test_the_integrity_check_finds_what_is_wrong(spoil: str, problem: str) -> None:
    with SqliteJournal.open(":memory:") as journal:
        journal.decided_many(make_decision(f"d{number}") for number in range(3))
        for slot in (0, 1):
            journal.fed_back(Feedback("d0", slot, "click", 1.0, 101.0))
        journal.closed("d0", now=0.0)
        journal.closed("d1", now=0.0)
        assert journal.integrity() == []
        journal._commits.connection.execute(spoil)  # type: ignore[union-attr]
        assert any(problem in found for found in journal.integrity()), journal.integrity()


def test_an_unknown_durability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="durability is 'extreme' but must be one of normal, full"):
        SqliteJournal.open(tmp_path / "j.db", durability="extreme")
    SqliteJournal.open(tmp_path / "j.db").close()


@pytest.mark.parametrize(("durability", "synchronous"), [("normal", 1), ("full", 2)])
def test_durability_is_sqlites_synchronous(tmp_path: Path, durability: str, synchronous: int) -> None:
    with SqliteJournal.open(tmp_path / "odd name?#%.db", durability=durability) as journal:
        connection = journal._commits.connection  # type: ignore[union-attr]
        assert connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (tmp_path / "odd name?#%.db").is_file()


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), (3, 50, 6)])
def test_sqlites_known_fault_is_known(version: tuple[int, int, int]) -> None:
    trouble = sqlite_trouble(version)
    assert trouble is not None and "WAL-reset" in trouble and ".".join(map(str, version)) in trouble


def test_a_sound_sqlite_and_one_too_old() -> None:
    assert sqlite_trouble((3, 51, 3)) is None
    assert sqlite_trouble((3, 50, 7)) is None
    assert "use 3.38 or later" in str(sqlite_trouble((3, 37, 2)))
    assert (sqlite_trouble() is None) == (sqlite_trouble(sqlite3.sqlite_version_info) is None)
