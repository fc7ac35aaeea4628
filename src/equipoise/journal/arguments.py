"""What a caller says to the journal, made plain or refused."""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from pathlib import Path

from equipoise.core import Feedback, InputError, JournalError
from equipoise.journal.rewards import RewardSpec


def check_place(path: Path) -> None:
    """Raises: JournalError: no place for a file."""
    if not path.parent.is_dir():
        raise JournalError(
            f"journal {path}: the folder {path.parent} is not there: make it, or name another path"
        )
    if path.is_dir():
        raise JournalError(f"journal {path} is a folder but must be a file: name a file in it")


def checked(feedback: Feedback, spec: RewardSpec) -> Feedback:
    """The same feedback with its numbers as plain numbers. Raises: InputError."""
    try:
        slot = operator.index(feedback.slot)
    except TypeError:
        slot = -1
    if slot < 0:
        raise InputError(
            f"slot is {feedback.slot!r} but must be a whole number from 0, the top: name the slot"
        )
    for name in ("decision_id", "feedback_id"):
        value = getattr(feedback, name)
        if not (isinstance(value, str) and value) and not (name == "feedback_id" and value is None):
            raise InputError(f"{name} is {value!r} but must be a text that is not empty: give one")
    value = spec.value(feedback.kind, feedback.value)
    return replace(feedback, slot=slot, value=value, at=moment("at", feedback.at))


def moment(name: str, at: float) -> float:
    """Seconds since 1970. Raises: InputError: no finite number."""
    if not isinstance(at, (int, float)) or not math.isfinite(at):
        raise InputError(f"{name} is {at!r} but must be a finite number of seconds since 1970: give one")
    return float(at)
