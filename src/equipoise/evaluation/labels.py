"""What rows are called, and in which order they are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.report.rows import Row


def by_policy(rows: Sequence[Row]) -> list[Row]:
    """The same rows, those of one policy together, policies in the order of their first row."""
    order = list(dict.fromkeys(row.policy for row in rows))
    return sorted(rows, key=lambda row: order.index(row.policy))


def moments(at: Floats, rows: Sequence[int]) -> list[str]:
    """When each of these rows was, each label another: by minutes, else by seconds, else by the row's number."""
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"):
        labels = [_moment(float(at[row]), form) for row in rows]
        if "" not in labels and len(set(labels)) == len(rows):
            return labels
    return [f"row {row + 1:,}" for row in rows]


def _moment(at: float, form: str) -> str:
    """Empty where it is unknown, or beyond the calendar."""
    try:
        return datetime.fromtimestamp(at, tz=UTC).strftime(form) if np.isfinite(at) else ""
    except (ValueError, OverflowError, OSError):
        return ""


def unit_of(evidence: Evidence) -> str:
    m = evidence.slate_size
    return "reward of a row" if m == 1 else f"reward of a decision, its slots (at most {m}) added up"
