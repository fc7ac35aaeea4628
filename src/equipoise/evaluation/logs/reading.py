"""A file to a `Log`, in bounded memory: block by block, only the named columns, names as codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError
from equipoise.evaluation.evidence import Codes, one_name
from equipoise.evaluation.logs import decision_service
from equipoise.evaluation.logs.blocks import Source
from equipoise.evaluation.logs.check import Checked, Checker
from equipoise.evaluation.logs.columns import LogColumns, require_columns
from equipoise.evaluation.logs.convert import shown
from equipoise.evaluation.logs.faults import Aside, Fault, refusal
from equipoise.evaluation.logs.formats import format_of, open_source
from equipoise.evaluation.logs.grouping import Grouping, grouped
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.logs.names import Names, hashes, joined

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read.

    format: one of `FORMATS`; None takes it from the suffix. skip_bad_rows: leave them out and go on, instead of
    stopping at the first. rejects: the file that keeps them. items: the item_ids that there are; None takes any.
    first_slot: the number of the topmost slot, in every file; None takes the least that a file has.
    sort: bring the log into the order of its times. users: keep user_ids. progress: called with (done, total).
    """

    format: str | None = None
    skip_bad_rows: bool = False
    rejects: Path | None = None
    items: frozenset[str] | None = None
    first_slot: int | None = None
    sort: bool = False
    users: bool = False
    progress: Progress | None = None


def read_log(path: Path | str, columns: LogColumns | None = None, *, how: Reading | None = None) -> Log:
    """The rows of a file of any format but Open Bandit's, which is a folder: see `open_bandit`.

    columns: what is what; dsjson says so itself, and takes only `attributes` from here.
    Raises: InputError: no such file, a column that is not there, or a row that cannot be used, unless those are to
        be skipped. PropensityError: it is for its propensity.
    """
    path, how = Path(path), how or Reading()
    form = format_of(path, how.format)
    source = open_source(path, form)
    columns = _with_roles(columns, form, where=f"'{path}'")
    if source.header is not None:
        require_columns(columns, source.header, where=f"'{path}'")
    return _Gathering(path, source, columns, how, counted=form == "dsjson").read()


def _with_roles(columns: LogColumns | None, form: str, *, where: str) -> LogColumns:
    if form == "dsjson":
        return replace(decision_service.COLUMNS, attributes=columns.attributes if columns else ())
    if columns is None:
        raise InputError(f"{where} needs a file that says which of its columns is what: --columns map.toml")
    return columns


@dataclass(slots=True)
class _Gathering:
    """The columns of a log, as they grow. counted: the file says how many candidates each row had."""

    path: Path
    source: Source
    columns: LogColumns
    how: Reading
    counted: bool
    floats: dict[str, list[Floats]] = field(default_factory=dict)
    names: dict[str, Names] = field(default_factory=dict)
    keys: list[NDArray[np.uint64]] = field(default_factory=list)
    rows: list[NDArray[np.int32]] = field(default_factory=list)
    aside: Aside = field(init=False)

    def __post_init__(self) -> None:
        self.aside = Aside(self.how.rejects)

    def read(self) -> Log:
        try:
            self._gather()
            return self._assembled()
        finally:
            self.aside.close()

    def _gather(self) -> None:
        checker = Checker(
            self.columns, self.source.line_offset, self.how.items, self.how.sort, self.how.first_slot or 0
        )
        extra = (decision_service.CHOICES,) if self.counted else ()
        for block in self.source.blocks((*self.columns.named, *extra)):
            checked = checker.check(block)
            self._refuse(checked.faults)
            if checked.good.any():
                self._add(checked)
            if self.how.progress is not None:
                self.how.progress(block.done, self.source.total)

    def _refuse(self, faults: list[Fault]) -> None:
        if faults and not self.how.skip_bad_rows:
            raise refusal(f"'{self.path}'", faults, propensity=self.columns.propensity)
        self.aside.keep(faults)

    def _add(self, checked: Checked) -> None:
        block, good = checked.block, checked.good
        self.rows.append(block.rows[good].astype(np.int32))
        for column, values in checked.numbers.items():
            self.floats.setdefault(column, []).append(values[good])
        if self.counted:
            counts = block.columns[decision_service.CHOICES].to_numpy(zero_copy_only=False)
            self.floats.setdefault(decision_service.CHOICES, []).append(counts[good].astype(np.float64))
        if self.columns.decision_id is not None:
            self.keys.append(hashes(block.columns[self.columns.decision_id])[good])
        for column in self._named():
            self.names.setdefault(column, Names()).add(block.columns[column], good)

    def _named(self) -> Sequence[str]:
        """Columns that are kept as names."""
        user_id = self.columns.user_id if self.how.users else None
        every = (self.columns.item_id, self.columns.logger, user_id, *self.columns.attributes)
        return tuple(dict.fromkeys(name for name in every if name is not None))

    def _assembled(self) -> Log:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
        n = sum(map(len, self.rows))
        if n == 0:
            left = f" ({self.aside})" if self.aside.total else ""
            raise InputError(
                f"'{self.path}' has no usable row after its header, not even row 1{left}: expected one row a shown slot, "
                f"with the columns {', '.join(map(repr, self.columns.named))}"
            )
        floats = {column: joined(parts, np.float64) for column, parts in self.floats.items()}
        told = floats.pop(self.columns.slot, None) if self.columns.slot else None
        slots = _slots(told, n, first=self.how.first_slot)
        groups = grouped(self._keys(), slots, self._times(floats))
        rows = joined(self.rows, np.int32)
        self._refuse(self._duplicates(groups, rows))
        kept = _kept(groups, n)
        if kept is not None:
            floats = {column: values[kept] for column, values in floats.items()}
            slots = slots[kept]
        names = {column: _taken(coder.finished(), kept) for column, coder in self.names.items()}
        return self._log(groups, kept, slots, floats, names)

    def _keys(self) -> NDArray[np.uint64] | None:
        return joined(self.keys, np.uint64) if self.columns.decision_id is not None else None

    def _times(self, floats: dict[str, Floats]) -> Floats | None:
        """What to sort by, if times may be out of order."""
        may_be_mixed = self.how.sort or self.how.skip_bad_rows
        return floats[self.columns.at] if may_be_mixed and self.columns.at is not None else None

    def _duplicates(self, groups: Grouping, rows: NDArray[np.int32]) -> list[Fault]:
        numbers = np.sort(rows[groups.again]).tolist()
        column = self.columns.decision_id or ""
        reason = "was there before" + (
            " with the same slot: expected each decision and slot once"
            if self.columns.slot
            else ": expected each decision once; where a decision has several slots, name their column under 'slot'"
        )
        told = self._values(column, set(numbers)) if numbers else {}
        offset = self.source.line_offset
        return [
            Fault(row, column, told.get(row, ""), reason, None if offset is None else row + offset)
            for row in numbers
        ]

    def _values(self, column: str, wanted: set[int]) -> dict[int, str]:
        """What stands in those rows, read once more from the file; of many rows only the first hundred."""
        found: dict[int, str] = {}
        for block in self.source.blocks((column,)):
            for position in np.flatnonzero(np.isin(block.rows, list(wanted))).tolist():
                found.setdefault(int(block.rows[position]), shown(block.columns[column], position))
            if len(found) >= min(len(wanted), 100):
                break
        return found

    def _log(
        self,
        groups: Grouping,
        kept: NDArray[np.int64] | None,
        slots: NDArray[np.integer],
        floats: dict[str, Floats],
        names: dict[str, Codes],
    ) -> Log:
        columns, n = self.columns, len(slots)
        decisions = groups.decisions
        if len(decisions) != n:
            decisions = decisions[~np.isin(groups.order, groups.again)]  # type: ignore[arg-type]
        choices = floats.get(decision_service.CHOICES)
        return Log(
            name=self.path.name,
            rewards=floats[columns.reward],
            propensities=floats.get(columns.propensity or ""),
            decisions=decisions,
            slots=slots,
            at=floats[columns.at] if columns.at else np.full(n, np.nan),
            items=names[columns.item_id] if columns.item_id else one_name("", n),
            loggers=names[columns.logger] if columns.logger else one_name("logged", n),
            groups={name: names[name] for name in columns.attributes},
            targets={policy: floats[column] for policy, column in columns.target_probability.items()},
            logger_odds={logger: floats[column] for logger, column in columns.logger_probability.items()},
            users=names[columns.user_id] if columns.user_id and self.how.users else None,
            choices=None if choices is None else choices.astype(np.int32),
            left_out=self.aside.total,
            duplicates=None if columns.decision_id is None else len(groups.again),
            notes=(str(self.aside),) if self.aside.total else (),
        )


def _slots(told: Floats | None, n: int, *, first: int | None) -> NDArray[np.integer]:
    """Counted from 0 at the first slot, or at the least in the file."""
    if told is None:
        return np.zeros(n, dtype=np.int16)
    slots: NDArray[np.int16] = (told - (told.min() if first is None else first)).astype(np.int16)
    return slots


def _kept(groups: Grouping, n: int) -> NDArray[np.int64] | None:
    """The old rows in their new order, without those that stood there before; None if all stay where they are."""
    if groups.order is None:
        return None
    return groups.order[~np.isin(groups.order, groups.again)] if len(groups.again) else groups.order


def _taken(column: Codes, kept: NDArray[np.int64] | None) -> Codes:
    """The column in its new order, without the names that only rows left out had."""
    if kept is None:
        return column
    codes = column.codes[kept]
    if len(kept) == len(column.codes):
        return Codes(codes, column.names)
    used, again = np.unique(codes, return_inverse=True)
    return Codes(again.astype(codes.dtype), tuple(column.names[code] for code in used.tolist()))
