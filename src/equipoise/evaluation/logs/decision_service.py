"""Vowpal Wabbit's decision-service JSON (dsjson): one decision a line, one row a slot.

One action: `_label_cost`, `_label_probability`, `a` (action numbers from 1, the chosen one first), `p` (their
probabilities), `c._multi` (the candidates). Several slots: `_outcomes`, each with `_label_cost`, `_a` and `_p`
(numbers from 0; the chosen one first, its probability given the slots above it). A cost is a reward with its sign
turned round.
Source: Vowpal Wabbit's documentation of its dsjson and CCB inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.evaluation.logs.columns import LogColumns

REWARD, PROPENSITY, DECISION, SLOT, AT, ITEM, CHOICES = (
    "_label_cost",
    "_label_probability",
    "EventId",
    "_slot",
    "Timestamp",
    "_multi",
    "_choices",
)
"""Columns of a row, called as the file calls what they are made from; of several slots and of counts it has none."""

COLUMNS = LogColumns(
    reward=REWARD, propensity=PROPENSITY, decision_id=DECISION, slot=SLOT, at=AT, item_id=ITEM
)
"""Where `unpacked` puts what every record has; facts of the context keep their own names."""

NAMES = ("_tag", "id", "item_id", "_id", "name")
"""Where a candidate may say its own name, in this order; without one it is `action 3`."""


def unpacked(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The rows of one record. Raises: KeyError, TypeError, ValueError: it is none."""
    if "_outcomes" in record:
        return _slots(record)
    if "_label_cost" not in record and "_label_probability" not in record:
        return ()  # a dangling reward, or a line that only observes
    actions = record["a"] if "a" in record else [record["_label_Action"]]
    return (
        {
            **_facts(record),
            REWARD: _turned(record["_label_cost"]),
            PROPENSITY: record.get("_label_probability", _first(record.get("p"))),
            SLOT: 0,
            ITEM: _name(_candidates(record), int(actions[0]) - 1),
            CHOICES: len(actions) if "a" in record else len(_candidates(record)),
        },
    )


def _slots(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    candidates, facts = _candidates(record), _facts(record)
    rows = []
    for slot, outcome in enumerate(record["_outcomes"]):
        actions = outcome["_a"] if isinstance(outcome["_a"], list) else [outcome["_a"]]
        chances = outcome["_p"] if isinstance(outcome["_p"], list) else [outcome["_p"]]
        rows.append(
            {
                **facts,
                REWARD: _turned(outcome["_label_cost"]),
                PROPENSITY: chances[0],
                SLOT: slot,
                ITEM: _name(candidates, int(actions[0])),
                CHOICES: len(actions),
            }
        )
    return rows


def _first(chances: Any) -> Any:
    """The chosen one's, which stands first; a missing one is left for the checks to name."""
    return chances[0] if isinstance(chances, list) and chances else None


def _turned(cost: Any) -> Any:
    """The reward of a cost; what is no number is left for the checks to name. Zero stays without a sign."""
    return -cost or 0.0 if isinstance(cost, (int, float)) else cost


def _facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """Id, time, and the shared facts of the context, those in a namespace as `namespace.name`."""
    facts: dict[str, Any] = {}
    for name, value in record.get("c", {}).items():
        if name in ("_multi", "_slots"):
            continue
        if isinstance(value, Mapping):
            facts |= {f"{name}.{inner}": fact for inner, fact in value.items() if _plain(fact)}
        elif _plain(value):
            facts[name] = value
    return {**facts, DECISION: record["EventId"], AT: record.get("Timestamp")}


def _plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))


def _candidates(record: Mapping[str, Any]) -> Sequence[Any]:
    found: Sequence[Any] = record["c"]["_multi"]
    return found


def _name(candidates: Sequence[Any], position: int) -> str:
    """A candidate's own name, or its number. Raises: IndexError: there is no such candidate."""
    if not 0 <= position < len(candidates):
        raise ValueError(f"action {position + 1} of {len(candidates)} candidates")
    candidate = candidates[position]
    for key in NAMES:
        if isinstance(candidate, Mapping) and isinstance(candidate.get(key), (str, int)):
            return str(candidate[key])
    return f"action {position + 1}"
