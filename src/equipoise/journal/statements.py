"""Every statement of the journal, as constant SQL: prepared once, and its plan checked by a test to need no scan."""

from __future__ import annotations

from equipoise.journal.tables import decisions

DECISION = ", ".join(f"d.{column.name}" for column in decisions.columns if column.name != "seq")
"""The columns of a decision, in the order that `rows` encodes and decodes."""

_NAMES = DECISION.replace("d.", "")
_MARKS = ", ".join("?" * len(_NAMES.split(",")))

# Writing decisions
LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM decisions"
ADD_DECISION = f"INSERT INTO decisions ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT (decision_id) DO NOTHING"
OPEN_WINDOWS = "INSERT INTO open_decisions SELECT window_closes_at, seq FROM decisions WHERE seq > ?"
AWAITED = """
SELECT d.decision_id FROM decisions d
WHERE d.seq > ? AND EXISTS (SELECT 1 FROM feedback f WHERE f.decision_id = d.decision_id AND f.status = 'unknown')
"""

# Writing feedback
STANDING = """
SELECT d.seq, d.window_closes_at, json_array_length(d.slot_items),
       (SELECT position FROM settlements s WHERE s.seq = d.seq)
FROM decisions d WHERE d.decision_id = ?
"""
TOLD = """
SELECT feedback_seq, decision_id, slot, kind, value, at, feedback_id, status, received_at
FROM feedback WHERE decision_id = ? ORDER BY feedback_seq
"""
KNOWN_FEEDBACK_ID = "SELECT decision_id, slot FROM feedback WHERE feedback_id = ? LIMIT 1"
ADD_FEEDBACK = """
INSERT INTO feedback (decision_id, slot, kind, value, at, received_at, feedback_id, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
ADOPT_FEEDBACK = "UPDATE feedback SET status = ? WHERE feedback_seq = ?"
TALLY = "INSERT INTO tallies VALUES (?, ?) ON CONFLICT (status) DO UPDATE SET count = count + excluded.count"

# Settling
DUE = """
SELECT o.seq, o.window_closes_at, d.decision_id, json_array_length(d.slot_items)
FROM open_decisions o CROSS JOIN decisions d ON d.seq = o.seq
WHERE o.window_closes_at <= ? ORDER BY o.window_closes_at, o.seq LIMIT ?
"""
ADD_SETTLEMENT = "INSERT INTO settlements (seq, at, reason, rewards, reward_spec) VALUES (?, ?, ?, ?, ?)"
CLOSE_WINDOW = "DELETE FROM open_decisions WHERE window_closes_at = ? AND seq = ?"

# Reading
_LOGGED = (
    f"SELECT s.position, s.rewards, {DECISION} FROM settlements s CROSS JOIN decisions d ON d.seq = s.seq"
)
SETTLED_PAGE = f"{_LOGGED} WHERE s.position > ? ORDER BY s.position LIMIT ?"
COLUMNS_PAGE = """
SELECT s.position, s.rewards, d.user_id, d.pairing_name, d.pairing_version, d.pairing_dim,
       d.slot_items, d.slot_propensities, d.features
FROM settlements s CROSS JOIN decisions d ON d.seq = s.seq
WHERE s.position > ? ORDER BY s.position LIMIT ?
"""
LEARNED_PAGE = """
SELECT s.position, d.learned FROM settlements s CROSS JOIN decisions d ON d.seq = s.seq
WHERE s.position > ? ORDER BY s.position LIMIT ?
"""
ONE_DECISION = f"SELECT {DECISION} FROM decisions d WHERE d.decision_id = ?"
ONE_LOGGED = f"""
SELECT s.position, s.rewards, {DECISION}
FROM decisions d CROSS JOIN settlements s ON s.seq = d.seq WHERE d.decision_id = ?
"""
DECISIONS_OF = f"SELECT {DECISION} FROM decisions d WHERE d.user_id = ? ORDER BY d.seq DESC LIMIT ?"
RECENT = f"SELECT {DECISION} FROM decisions d ORDER BY d.seq DESC LIMIT ?"
LAST_POSITION = "SELECT coalesce(max(position), 0) FROM settlements"
TALLIES = "SELECT status, count FROM tallies ORDER BY status"

# Promotion
ADD_EVENT = "INSERT INTO events (at, kind, detail) VALUES (?, ?, ?)"
EVENTS = "SELECT event_seq, at, kind, detail FROM events WHERE event_seq > ? ORDER BY event_seq"
ADD_TRIAL = "INSERT INTO trials SELECT ?, seq, ?, ?, ?, ?, ?, ? FROM decisions WHERE decision_id = ?"
TRIAL_OF = """
SELECT t.stage, t.challenger, t.beside_policy, t.beside_learned, t.beside_target, t.beside_items, t.beside_propensities
FROM decisions d CROSS JOIN trials t ON t.seq = d.seq WHERE d.decision_id = ?
"""
TRIALS_PAGE = """
SELECT t.seq, t.challenger, s.rewards, d.slot_propensities, t.beside_target
FROM trials t CROSS JOIN decisions d ON d.seq = t.seq LEFT JOIN settlements s ON s.seq = t.seq
WHERE t.stage = ? AND t.seq > ? ORDER BY t.seq LIMIT ?
"""

# Erasing
FORGET = """
UPDATE decisions SET user_id = NULL, request = json_remove(request, '$.text', '$.history', '$.attributes')
WHERE user_id = ?
"""
