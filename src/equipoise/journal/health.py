"""Is the journal sound? The checks behind `doctor`."""

from __future__ import annotations

import sqlite3

from equipoise.journal.rows import Row

WORST = 5
"""Examples named per kind of problem."""

CHECKS = {
    "settlement at position {} is of no decision": """
        SELECT s.position FROM settlements s LEFT JOIN decisions d ON d.seq = s.seq WHERE d.seq IS NULL""",
    "decision {} is both settled and open": """
        SELECT d.decision_id FROM decisions d JOIN settlements s ON s.seq = d.seq
        JOIN open_decisions o ON o.window_closes_at = d.window_closes_at AND o.seq = d.seq""",
    "decision {} is neither settled nor open": """
        SELECT d.decision_id FROM decisions d LEFT JOIN settlements s ON s.seq = d.seq
        LEFT JOIN open_decisions o ON o.window_closes_at = d.window_closes_at AND o.seq = d.seq
        WHERE s.seq IS NULL AND o.seq IS NULL""",
    "window {} is open for no decision": """
        SELECT o.seq FROM open_decisions o LEFT JOIN decisions d ON d.seq = o.seq WHERE d.seq IS NULL""",
    "feedback {} counts for a decision that is not there": """
        SELECT f.feedback_seq FROM feedback f LEFT JOIN decisions d ON d.decision_id = f.decision_id
        WHERE d.seq IS NULL AND f.status IN ('counted', 'contradictory', 'late')""",
    "feedback {} counts twice under one feedback_id": """
        SELECT max(feedback_seq) FROM feedback WHERE feedback_id IS NOT NULL AND status <> 'duplicate'
        GROUP BY feedback_id HAVING count(*) > 1""",
    "decision {} slot {} has propensity {}, outside (0, 1]": """
        SELECT d.decision_id, p.key, p.value FROM decisions d, json_each(d.slot_propensities) p
        WHERE NOT (p.type IN ('real', 'integer') AND p.value > 0 AND p.value <= 1)""",
    "decision {} has slots, propensities, probabilities or features of different lengths": """
        SELECT decision_id FROM decisions WHERE json_array_length(slot_items) <> json_array_length(slot_propensities)
        OR json_array_length(slot_items) <> json_array_length(slot_probabilities)
        OR length(features) <> 4 * pairing_dim * json_array_length(slot_items)""",
    "decision {} has candidates and probabilities of different lengths": """
        SELECT decision_id FROM decisions
        WHERE length(candidate_probabilities) <> 8 * json_array_length(candidates)""",
    "settlement at position {} has not one reward a slot": """
        SELECT s.position FROM settlements s JOIN decisions d ON d.seq = s.seq
        WHERE json_array_length(s.rewards) <> json_array_length(d.slot_items)""",
    "the tally of status {} says {} but there are {}": """
        SELECT status, max(told), max(kept) FROM (
            SELECT status, count AS told, 0 AS kept FROM tallies
            UNION ALL SELECT status, 0, count(*) FROM feedback GROUP BY status
        ) GROUP BY status HAVING max(told) <> max(kept)""",
}
"""A sentence, and the query that finds what to put into it. Each reads its tables once."""


def problems(db: sqlite3.Connection) -> list[str]:
    """Everything that is wrong, in sentences; empty if nothing is. Reads the whole journal."""
    damage = _damage(db)
    if damage:
        return damage
    found = _gaps(db)
    for sentence, query in CHECKS.items():
        found += _asked(db, sentence, query)
    return found


def sqlite_trouble(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> str | None:
    """What is wrong with this SQLite, if anything; None if nothing is known.

    Source: https://sqlite.org/wal.html, "The WAL-Reset Bug": 3.7.0 to 3.51.2, without its backports.
    """
    if version < (3, 38, 0):
        return f"SQLite {_dotted(version)} lacks the JSON functions that the journal needs: use 3.38 or later"
    if version < (3, 51, 3) and version not in BACKPORTS:
        return (
            f"SQLite {_dotted(version)} has the WAL-reset bug (3.7.0 to 3.51.2), which can corrupt a file that two "
            "processes write: the journal's lock file keeps out a second Equipoise; let no other program write to it"
        )
    return None


BACKPORTS = ((3, 44, 6), (3, 50, 7))
"""Releases of older branches that have the fix."""


def _damage(db: sqlite3.Connection) -> list[str]:
    try:
        lines = [str(row[0]) for row in db.execute(f"PRAGMA quick_check({WORST})")]
    except sqlite3.DatabaseError as error:
        lines = [str(error)]
    return [f"the file is damaged: {line}" for line in lines if line != "ok"]


def _gaps(db: sqlite3.Connection) -> list[str]:
    count, first, last = db.execute(
        "SELECT count(*), coalesce(min(position), 1), coalesce(max(position), 0) FROM settlements"
    ).fetchone()
    if count == last and first == 1:
        return []
    return [f"positions run from {first} to {last} but there are {count} settlements: positions are missing"]


def _asked(db: sqlite3.Connection, sentence: str, query: str) -> list[str]:
    try:
        rows: list[Row] = db.execute(f"{query} LIMIT {WORST}").fetchall()
    except sqlite3.OperationalError as error:  # such as malformed JSON, which says what is wrong by itself
        return [f"a check cannot be made ({sentence.format('?', '?', '?')}): {error}"]
    return [sentence.format(*row) for row in rows]


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
