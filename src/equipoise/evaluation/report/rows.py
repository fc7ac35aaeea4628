"""What an evaluation says: rows of numbers, each with its warnings, and the sections that they stand in."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.core import Estimate, Floats
from equipoise.evaluation.support import Support

KEYS = ("policy", "estimator", "value", "stderr", "low", "high", "n", "n_effective", "warnings")
"""The keys of a row in JSON, and no others."""


@dataclass(frozen=True, slots=True)
class Row:
    """policy: whose value. estimator: how it was found. estimate: the numbers. warnings: lines to read with them."""

    policy: str
    estimator: str
    estimate: Estimate
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The keys of `KEYS`; a number that is none or infinite is None."""
        numbers = {key: _number(getattr(self.estimate, key)) for key in KEYS[2:8]}
        return {
            "policy": self.policy,
            "estimator": self.estimator,
            **numbers,
            "warnings": list(self.warnings),
        }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together. title: what they are of, such as `country` or `over time`; '' for the whole log.

    labels: (rows,) what each row is of, such as `DE`, or the time in which a part begins.
    """

    title: str
    rows: tuple[Row, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How many rows have a weight between two edges. edges: (b + 1,) rising; counts: (b,). zeros: rows of weight 0."""

    policy: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    zeros: int


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Shares of what is shown. items: (k,). logged, target: (k,) each summing to 1, by the log and by weighted rows."""

    policy: str
    items: tuple[str, ...]
    logged: Floats
    target: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Everything that was found out about some policies on one log.

    values: each policy by each estimator, the logging policy's own mean first. differences: paired. groups: one section
    an attribute. series: over time, none or one section. supports, weights, exposures: one a policy.
    notes: what was assumed. log_name, n, decisions: of the log. level: of the intervals; interval: their kind.
    unit: what a value is of, in words.
    """

    values: Section
    differences: Section
    groups: tuple[Section, ...]
    series: tuple[Section, ...]
    supports: tuple[Support, ...]
    weights: tuple[Histogram, ...]
    exposures: tuple[Exposure, ...]
    notes: tuple[str, ...]
    log_name: str
    n: int
    decisions: int
    level: float
    interval: str
    unit: str

    @property
    def sections(self) -> tuple[Section, ...]:
        """All that have rows, in the order of reading."""
        every = (self.values, self.differences, *self.groups, *self.series)
        return tuple(section for section in every if section.rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Of all sections; a group's or a part's row carries its label behind the policy's name."""
        return tuple(
            row if not section.labels else _labelled(row, section.title, label)
            for section in self.sections
            for row, label in zip(section.rows, section.labels or ("",) * len(section.rows), strict=True)
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning once, behind the names of the rows that carry it; a difference has those of its policies."""
        carried: dict[str, dict[str, None]] = {}
        for row in self.rows:
            for line in row.warnings:
                carried.setdefault(line, {})[row.policy] = None
        policies = [row.policy for row in self.differences.rows]
        return tuple(f"{_named(tuple(names), policies)}: {line}" for line, names in carried.items())

    def row(self, policy: str, estimator: str) -> Row:
        """The row of that name. Raises: KeyError: there is none."""
        for row in self.rows:
            if (row.policy, row.estimator) == (policy, estimator):
                return row
        raise KeyError(f"no row of {policy!r} by {estimator!r}")

    def json(self) -> str:
        """A list of rows, each with exactly the keys of `KEYS`."""
        return json.dumps([row.as_dict() for row in self.rows], ensure_ascii=False, indent=2)


def _named(rows: Sequence[str], differences: Sequence[str]) -> str:
    """The first two names, differences only where there are no others, and how many more there are."""
    plain = [name for name in rows if name not in differences] or list(rows)
    rest = len(plain) - 2
    return ", ".join(plain[:2]) + (f" and {rest} more" if rest > 0 else "")


def _labelled(row: Row, title: str, label: str) -> Row:
    return Row(f"{row.policy} [{title} = {label}]", row.estimator, row.estimate, row.warnings)


def cells(row: Row) -> tuple[str, ...]:
    """As `HEAD` says; a value with a warning carries a mark. What is counted and not estimated has no error to show."""
    found = row.estimate
    stamped = f"{number(found.value)} !" if row.warnings else number(found.value)
    bounds = (found.stderr, found.low, found.high)
    counted = math.isfinite(found.value) and math.isnan(found.stderr)
    numbers = (stamped, *(("exact", "", "") if counted else map(number, bounds)))
    return (row.policy, row.estimator, *numbers, f"{found.n_effective:,.0f}", f"{found.n:,}")


HEAD: Sequence[str] = ("policy", "estimator", "value", "stderr", "low", "high", "effective", "n")


def number(value: float) -> str:
    """Four digits that count; an infinite bound or error says that nothing is known."""
    if not math.isfinite(value):
        return "unknown"
    if value == 0.0 or 1e-4 <= abs(value) < 1e5:
        digits = 4 if value == 0.0 else max(0, min(7, 3 - math.floor(math.log10(abs(value)))))
        return f"{value:,.{digits}f}"
    return f"{value:.3e}"
