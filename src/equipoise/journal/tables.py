"""The tables, written once for every database, with columns that a person can query.

Lists of m (slots) are JSON, so that `json_each` reads them; a float's JSON is its shortest exact form and
comes back bit for bit. Lists of k (candidates) and features are little-endian blobs. Times are REAL seconds.
Runs such as `["near",80,"fresh",20]` mean 80 times `near`, then 20 times `fresh`.

`shown` is a view with one row a slot: `SELECT policy, avg(reward) FROM shown GROUP BY policy`.
"""

from __future__ import annotations

from sqlalchemy import BLOB, REAL, Column, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

SCHEMA_VERSION = 2

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True, nullable=False),
    Column("value", Text, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("seq", Integer, primary_key=True),  # order of arrival: 1, 2, 3, ...
    Column("decision_id", Text, nullable=False, unique=True),
    Column("at", REAL, nullable=False),
    Column("window_closes_at", REAL, nullable=False),
    Column("user_id", Text),
    Column("policy", Text, nullable=False),
    Column("learned", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("catalog", Integer, nullable=False),
    Column("encoder_name", Text, nullable=False),
    Column("encoder_version", Text, nullable=False),
    Column("encoder_dim", Integer, nullable=False),
    Column("pairing_name", Text, nullable=False),
    Column("pairing_version", Text, nullable=False),
    Column("pairing_dim", Integer, nullable=False),
    Column("slot_items", Text, nullable=False),  # (m,) JSON
    Column("slot_propensities", Text, nullable=False),  # (m,) JSON
    Column("slot_probabilities", Text, nullable=False),  # (m,) JSON
    Column("slot_sources", Text, nullable=False),  # (m,) JSON runs
    Column("request", Text, nullable=False),  # JSON object of the fields that were given, but user_id
    Column("candidates", Text, nullable=False),  # (k,) JSON
    Column("candidate_sources", Text, nullable=False),  # (k,) JSON runs
    Column("candidate_probabilities", BLOB, nullable=False),  # (k,) float64
    Column("features", BLOB, nullable=False),  # (m, pairing_dim) float32
)
Index("decisions_by_user", decisions.c.user_id, sqlite_where=decisions.c.user_id.is_not(None))

# Decisions whose window still waits, in the order in which the windows close: small, whatever the journal's size.
open_decisions = Table(
    "open_decisions",
    metadata,
    Column("window_closes_at", REAL, primary_key=True),
    Column("seq", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

settlements = Table(
    "settlements",
    metadata,
    Column("position", Integer, primary_key=True),  # 1, 2, 3, ... without gaps
    Column("seq", Integer, nullable=False, unique=True),
    Column("at", REAL, nullable=False),
    Column("reason", Text, nullable=False),  # 'window' or 'closed'
    Column("rewards", Text, nullable=False),  # (m,) JSON
    Column("reward_spec", Text, nullable=False),  # fingerprint of the specification that made them
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_seq", Integer, primary_key=True),  # order of arrival
    Column("decision_id", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", REAL, nullable=False),
    Column("at", REAL, nullable=False),
    Column("received_at", REAL, nullable=False),
    Column("feedback_id", Text),
    Column("status", Text, nullable=False),  # as the receipt said; `unknown` until its decision arrives
)
Index("feedback_by_decision", feedback.c.decision_id)
Index("feedback_by_id", feedback.c.feedback_id, sqlite_where=feedback.c.feedback_id.is_not(None))
Index("feedback_unknown", feedback.c.decision_id, sqlite_where=text("status = 'unknown'"))

# How many feedbacks have each status, kept with every write: counting 100 million rows would take minutes.
tallies = Table(
    "tallies",
    metadata,
    Column("status", Text, primary_key=True, nullable=False),
    Column("count", Integer, nullable=False),
)

# Steps of the promotion gate, as they were taken.
events = Table(
    "events",
    metadata,
    Column("event_seq", Integer, primary_key=True),  # 1, 2, 3, ...
    Column("at", REAL, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON object
)

# Decisions made while a promotion ran: under which step, by whom, and in the shadow what the challenger would have done.
trials = Table(
    "trials",
    metadata,
    Column("stage", Integer, primary_key=True),  # event_seq of the step
    Column("seq", Integer, primary_key=True),  # of the decision
    Column(
        "challenger", Integer, nullable=False
    ),  # 1 where the challenger made it, 0 where the incumbent did
    Column("beside_policy", Text),
    Column("beside_learned", Integer),
    Column("beside_target", Text),  # (m,) JSON, its probability of each slot shown, given those above
    Column("beside_items", Text),  # (m,) JSON, the slate that it would have shown
    Column("beside_propensities", Text),  # (m,) JSON
    sqlite_with_rowid=False,
)
Index("trials_by_decision", trials.c.seq)

SHOWN = """
CREATE VIEW shown AS
SELECT d.decision_id, d.at, d.user_id, d.policy, i.key AS slot, i.value AS item_id,
       json_extract(d.slot_propensities, '$[' || i.key || ']') AS propensity,
       s.position, json_extract(s.rewards, '$[' || i.key || ']') AS reward
FROM decisions d JOIN json_each(d.slot_items) i LEFT JOIN settlements s ON s.seq = d.seq
"""


def made(*tables: Table) -> list[str]:
    """The statements that make some tables and their indexes, for SQLite."""
    dialect = sqlite.dialect()
    statements = []
    for table in tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements += [str(CreateIndex(i).compile(dialect=dialect)) for i in sorted(table.indexes, key=str)]
    return statements


def creation() -> list[str]:
    """The statements that make an empty journal of `SCHEMA_VERSION`."""
    statements = made(*metadata.sorted_tables)
    return [*statements, SHOWN, f"INSERT INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}')"]
