"""One question that a log must answer before a number is believed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How a check came out. HOPELESS: no number from this log should be believed. OPEN: it could not be made."""

    FINE = "fine"
    WARNING = "warning"
    HOPELESS = "hopeless"
    OPEN = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """name: the question. shown: the finding, in few words. verdict: against `threshold`, which is told in words.

    sentence: what it means; remedy: what to do. Both are empty where all is fine.
    """

    name: str
    shown: str
    verdict: Verdict
    threshold: str
    sentence: str = ""
    remedy: str = ""

    @property
    def warning(self) -> str:
        """Everything there is to say, in one line; empty where all is fine or nothing could be said."""
        if self.verdict in (Verdict.FINE, Verdict.OPEN):
            return ""
        return f"{self.name} {self.shown} ({self.threshold}): {self.sentence}; {self.remedy}"


def graded(value: float, *, warn: float, hopeless: float | None = None, falling: bool = False) -> Verdict:
    """Above the thresholds is bad; with `falling`, below them."""
    sign = -1.0 if falling else 1.0
    if hopeless is not None and sign * value > sign * hopeless:
        return Verdict.HOPELESS
    return Verdict.WARNING if sign * value > sign * warn else Verdict.FINE
