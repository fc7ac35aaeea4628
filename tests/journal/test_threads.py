"""Many threads, one journal: commits are shared, errors are not."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from equipoise.core import Feedback, InputError, JournalError, UnknownDecisionError
from equipoise.journal import SqliteJournal
from equipoise.journal.commits import Commits

from .samples import make_decision


def test_every_thread_gets_its_own_answer(journal: SqliteJournal) -> None:
    def visit(thread: int) -> list[int]:
        positions = []
        for number in range(20):
            name = f"t{thread}-{number}"
            assert journal.decided(make_decision(name)).decision_id == name
            assert journal.fed_back(Feedback(name, thread % 3, "click", 1.0, 101.0)).status == "counted"
            with pytest.raises(UnknownDecisionError):
                journal.closed("nowhere", now=0.0)
            with pytest.raises(InputError):
                journal.fed_back(Feedback(name, 9, "click", 1.0, 101.0))
            positions.append(journal.closed(name, now=102.0))
            assert journal.decision(name).decision_id == name
            list(journal.settled(positions[-1] - 1))
        return positions

    with ThreadPoolExecutor(8) as pool:
        positions = [position for ours in pool.map(visit, range(8)) for position in ours]
    assert sorted(positions) == list(range(1, 161))
    for _, logged in journal.settled():
        thread = int(logged.decision.decision_id[1])
        assert logged.rewards.tolist() == [float(slot == thread % 3) for slot in range(3)]
    assert journal.integrity() == []


def test_the_same_decision_from_many_threads_is_stored_once(journal: SqliteJournal) -> None:
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda seed: journal.decided(make_decision(seed=seed)), range(40)))
    assert len({one.features.tobytes() for one in stored}) == 1
    assert journal.counts().decisions == 1


def counted(path: Path) -> tuple[sqlite3.Connection, list[str]]:
    """A connection with a table `t`, and every statement that it runs."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE t (n INTEGER UNIQUE)")
    ran: list[str] = []
    connection.set_trace_callback(ran.append)
    return connection, ran


def put(number: int) -> object:
    return lambda db: db.execute("INSERT INTO t VALUES (?)", (number,)).lastrowid


def test_who_waits_shares_the_next_commit(tmp_path: Path) -> None:
    connection, ran = counted(tmp_path / "t.db")
    commits = Commits(connection, "t.db")
    waiting = threading.Barrier(11)

    def ask(number: int) -> object:
        waiting.wait()
        return commits.run(put(number))  # type: ignore[arg-type]

    with ThreadPoolExecutor(10) as pool:
        with commits.turn:  # as if a commit ran
            answers = [pool.submit(ask, number) for number in range(10)]
            waiting.wait()
            while len(commits._queue) < 10:
                pass
        rows = sorted(answer.result() for answer in answers)  # type: ignore[type-var]
    assert rows == list(range(1, 11))
    assert ran.count("COMMIT") == 1
    connection.close()


def test_one_failure_in_a_shared_commit_spoils_no_other(tmp_path: Path) -> None:
    connection, _ = counted(tmp_path / "t.db")
    commits = Commits(connection, "t.db")
    with ThreadPoolExecutor(6) as pool:
        with commits.turn:
            answers = [pool.submit(commits.run, put(number)) for number in (1, 2, 2, 3, "x" * 3, 4)]
            while len(commits._queue) < 6:
                pass
        failures = [type(answer.exception()) for answer in answers]
    assert failures.count(JournalError) == 1  # one of the twos; SQLite takes a text in an INTEGER column
    assert {row[0] for row in connection.execute("SELECT n FROM t")} == {1, 2, 3, 4, "xxx"}
    connection.close()


def test_a_lone_caller_commits_in_its_own_thread(tmp_path: Path) -> None:
    connection, ran = counted(tmp_path / "t.db")
    threads: list[int] = []
    Commits(connection, "t.db").run(lambda db: threads.append(threading.get_ident()))
    assert threads == [threading.get_ident()]
    assert ran == ["BEGIN IMMEDIATE", "COMMIT"]
    connection.close()


def test_an_interrupt_leaves_nothing_and_reaches_its_caller(tmp_path: Path) -> None:
    connection, _ = counted(tmp_path / "t.db")
    commits = Commits(connection, "t.db")

    def interrupted(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (1)")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commits.run(interrupted)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert commits.run(put(2)) == 1  # type: ignore[arg-type]
    connection.close()
