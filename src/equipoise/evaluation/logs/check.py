"""The rules that a row of a log must keep; a block is checked column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats
from equipoise.evaluation.logs.blocks import Block, Column
from equipoise.evaluation.logs.columns import LogColumns
from equipoise.evaluation.logs.convert import Converted, numbers, shown, times
from equipoise.evaluation.logs.faults import Fault
from equipoise.evaluation.logs.names import text

Mask = NDArray[np.bool_]


class Rule(NamedTuple):
    """What must not be, and the sentence that says what was expected."""

    broken: Callable[[Floats], Mask]
    reason: str


Rules = tuple[Rule, ...]

NUMBER = Rule(np.isnan, "is missing: expected a number")
FINITE = Rule(np.isinf, "is infinite: expected a number")
ABOVE_ZERO = Rule(
    lambda values: values <= 0.0,
    "is not above 0: what was shown had some chance, so expected a propensity above 0 and at most 1",
)
AT_MOST_ONE = Rule(lambda values: values > 1.0, "is above 1: expected a probability")
NOT_BELOW_ZERO = Rule(lambda values: values < 0.0, "is below 0: expected 0 or more")
WHOLE_NUMBER = Rule(
    lambda values: values != np.floor(values), "is no whole number: expected the slot's number"
)

REWARD = (NUMBER, FINITE)
PROPENSITY = (NUMBER, ABOVE_ZERO, AT_MOST_ONE)
TARGET = (NUMBER, NOT_BELOW_ZERO, AT_MOST_ONE)
LAST_SLOT = int(np.iinfo(np.int16).max)
TOO_LOW_DOWN = Rule(
    lambda values: values > LAST_SLOT,
    f"is above {LAST_SLOT:,}: expected the slot's number, counted from the top",
)


def slot_rules(first: int) -> Rules:
    """first: the number of the topmost slot."""
    if first <= 0:
        return (NUMBER, NOT_BELOW_ZERO, WHOLE_NUMBER, TOO_LOW_DOWN)
    below = Rule(
        lambda values: values < first, f"is below {first}, which is the topmost: expected {first} or more"
    )
    return (NUMBER, below, WHOLE_NUMBER, TOO_LOW_DOWN)


MOMENT = (Rule(np.isnan, "is missing: expected a time, as ISO 8601 or seconds since 1970"),)

EXPECTED: Mapping[Rules, str] = {
    PROPENSITY: "a propensity above 0 and at most 1",
    TARGET: "a probability from 0 to 1",
    MOMENT: "ISO 8601 or seconds since 1970",
}
"""In place of what is no number."""


@dataclass(slots=True)
class Checked:
    """A block's numbers, its good rows and its faults. numbers: column to (n,); good: (n,)."""

    block: Block
    numbers: dict[str, Floats] = field(default_factory=dict)
    good: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class Checker:
    """Checks block after block. items: the known item_ids, None takes any; first_slot: the least that may be.

    last: the time of the row before.
    """

    columns: LogColumns
    line_offset: int | None
    items: frozenset[str] | None = None
    sort: bool = False
    first_slot: int = 0
    last: float = -np.inf

    def check(self, block: Block) -> Checked:
        """Mark what is good; of a bad row the first fault is told."""
        found = Checked(block, good=np.ones(len(block.rows), dtype=np.bool_), faults=list(block.faults))
        if len(block.rows):
            for column, convert, rules in self._rules():
                self._numbers(found, column, convert(block.columns[column]), rules)
            self._ids(found)
            self._order(found)
        found.faults.sort(key=lambda fault: fault.row)
        return found

    def _rules(self) -> Iterator[tuple[str, Callable[[Column], Converted], Rules]]:
        columns = self.columns
        yield columns.reward, numbers, REWARD
        if columns.propensity is not None:
            yield columns.propensity, numbers, PROPENSITY
        for name in (*columns.target_probability.values(), *columns.logger_probability.values()):
            yield name, numbers, TARGET
        if columns.slot is not None:
            yield columns.slot, numbers, slot_rules(self.first_slot)
        if columns.at is not None:
            yield columns.at, times, MOMENT

    def _numbers(self, found: Checked, column: str, converted: Converted, rules: Rules) -> None:
        wrong = "is no time" if rules is MOMENT else "is no number"
        expected = "a slot's number" if column == self.columns.slot else EXPECTED.get(rules, "a number")
        self._blame(found, column, converted.wrong, f"{wrong}: expected {expected}")
        for rule in rules:
            self._blame(found, column, rule.broken(converted.values), rule.reason)
        found.numbers[column] = converted.values

    def _ids(self, found: Checked) -> None:
        """Every named id is there, and every item is known."""
        for column in (self.columns.decision_id, self.columns.item_id):
            if column is not None:
                missing = _missing(found.block.columns[column])
                self._blame(found, column, missing, "is missing: expected an id")
        item_id = self.columns.item_id
        if self.items is not None and item_id is not None:
            unknown = _unknown(found.block.columns[item_id], self.items)
            self._blame(found, item_id, unknown, "is an unknown item: expected one of the given items")

    def _order(self, found: Checked) -> None:
        """No row is earlier than the good row before it."""
        if self.columns.at is None or self.sort or not found.good.any():
            return
        at = found.numbers[self.columns.at]
        good = np.flatnonzero(found.good)
        before = np.concatenate(([self.last], at[good[:-1]]))
        late = np.zeros(len(at), dtype=np.bool_)
        late[good] = at[good] < before
        self.last = float(at[good[-1]])
        reason = "is earlier than the row before: expected times in order; --sort sorts the log here"
        self._blame(found, self.columns.at, late, reason)

    def _blame(self, found: Checked, column: str, bad: Mask, reason: str) -> None:
        for row in np.flatnonzero(bad & found.good).tolist():
            number = int(found.block.rows[row])
            line = None if self.line_offset is None else number + self.line_offset
            found.faults.append(Fault(number, column, shown(found.block.columns[column], row), reason, line))
        found.good &= ~bad


def _missing(column: Column) -> Mask:
    import pyarrow.compute as pc

    texts = text(column).fill_null("")
    empty: Mask = pc.equal(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False)
    return empty


def _unknown(column: Column, items: frozenset[str]) -> Mask:
    encoded = text(column).fill_null("").dictionary_encode()
    strange = np.array([name not in items for name in encoded.dictionary.to_pylist()], dtype=np.bool_)
    found: Mask = strange[encoded.indices.to_numpy(zero_copy_only=False)]
    return found
