"""The tables: no statement scans them, people can query them, older ones are brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from equipoise.core import Feedback, JournalError
from equipoise.journal import SqliteJournal, statements
from equipoise.journal.connection import MIGRATIONS, migrate, version, writing

from .samples import make_decision

STATEMENTS = {name: sql for name, sql in vars(statements).items() if name.isupper() and name[0] != "_"}
del STATEMENTS["DECISION"]  # a list of columns

IN_ORDER = {"RECENT": "SCAN d", "TALLIES": "SCAN tallies USING INDEX sqlite_autoindex_tallies_1"}
"""Read as they lie: as many rows as were asked for, and the five statuses."""


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_scans_or_sorts(name: str) -> None:
    """So that a call costs O(log n) for each row that it touches."""
    connection = writing(":memory:", durability="normal")
    sql = STATEMENTS[name]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall()
    connection.close()
    steps = [detail for *_, detail in plan]
    assert [step for step in steps if step.startswith("SCAN")] == (
        [IN_ORDER[name]] if name in IN_ORDER else []
    )
    assert not any("TEMP B-TREE" in step for step in steps)


def test_a_person_can_ask_what_each_policy_earned(tmp_path: Path) -> None:
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.decided_many([make_decision("d1"), make_decision("d2")])
        journal.fed_back(Feedback("d1", slot=1, kind="click", value=1.0, at=101.0))
        journal.closed("d1", now=102.0)
        expected = [(slot.slot, slot.item_id, slot.propensity) for slot in make_decision("d1").slots]
    connection = sqlite3.connect(tmp_path / "j.db")
    rows = connection.execute(
        "SELECT slot, item_id, propensity FROM shown WHERE decision_id = 'd1' ORDER BY slot"
    )
    assert rows.fetchall() == expected
    earned = connection.execute("SELECT policy, avg(reward), count(*) FROM shown GROUP BY policy").fetchall()
    assert earned == [("thompson#abc", 1 / 3, 6)]
    connection.close()


def test_a_journal_of_a_newer_equipoise_is_refused(tmp_path: Path) -> None:
    SqliteJournal.open(tmp_path / "j.db").close()
    connection = sqlite3.connect(tmp_path / "j.db")
    connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    connection.commit()
    connection.close()
    for read_only in (False, True):
        with pytest.raises(
            JournalError, match="has schema version 99 but this Equipoise knows 1 to 2: upgrade"
        ):
            SqliteJournal.open(tmp_path / "j.db", read_only=read_only)


def test_migrations_run_in_order_from_where_the_journal_stands() -> None:
    connection = writing(":memory:", durability="normal")
    steps = [
        ["CREATE TABLE extra (a)"],
        ["ALTER TABLE extra ADD COLUMN b", "INSERT INTO extra VALUES (1, 2)"],
    ]
    migrate(connection, ":memory:", [*MIGRATIONS, *steps])
    assert connection.execute("SELECT a, b FROM extra").fetchall() == [(1, 2)]
    assert connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == ("4",)
    connection.close()


def test_a_journal_of_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    """Without its events and trials a journal is one of version 1; opening it adds them and keeps the rest."""
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.decided(make_decision())
    connection = sqlite3.connect(tmp_path / "j.db")
    for statement in ("DROP TABLE events", "DROP TABLE trials", "UPDATE meta SET value = '1'"):
        connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(JournalError, match="has an older schema"):
        SqliteJournal.open(tmp_path / "j.db", read_only=True)
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.note("promotion_started", at=1.0, detail={})
        assert [event.kind for event in journal.events()] == ["promotion_started"]
        assert journal.decision(make_decision().decision_id).at == make_decision().at
        assert journal.integrity() == []


def test_a_migration_that_fails_leaves_the_journal_as_it_was() -> None:
    connection = writing(":memory:", durability="normal")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, ":memory:", [*MIGRATIONS, ["CREATE TABLE extra (a)", "NONSENSE"]])
    assert version(connection, ":memory:") == 2
    names = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'extra'").fetchall()
    assert names == []
    connection.close()


def test_a_journal_half_made_is_made_again(tmp_path: Path) -> None:
    """A process that is killed while it makes the tables leaves none of them."""
    connection = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE decisions (seq INTEGER)")
    connection.execute("ROLLBACK")
    connection.close()
    with SqliteJournal.open(tmp_path / "j.db") as journal:
        journal.decided(make_decision())
        assert journal.integrity() == []
