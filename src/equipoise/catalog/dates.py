"""Dates as files write them, in seconds since 1970-01-01 UTC; a time without a zone is UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from equipoise.catalog.items import finite
from equipoise.core import InputError

MILLISECONDS_FROM = 1e11
"""A number this large counts milliseconds: as seconds it would lie after the year 5000."""

_YEAR = re.compile(r"[12]\d{3}")
_COMPACT = re.compile(r"(?:19|20)\d{6}")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_SLASHES = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})")


def seconds_of(value: object) -> float:
    """A date in seconds.

    Accepted: ISO 8601 (`2024-01-31`, `2024-01-31T08:00:00Z`, `20240131`), `2024/1/31`, a year, the dates of mails
    and feeds, and a number of seconds or (from 1e11 on) milliseconds.
    Raises: InputError: anything else, such as `01/02/2024`, which could be two days.
    """
    if isinstance(value, (datetime, date)):
        value = value.isoformat()
    if isinstance(value, str):
        text = value.strip()
        return _scaled(float(text)) if _is_number(text) else _moment(text).timestamp()
    return _scaled(finite(value, "the date"))


def is_date(text: str) -> bool:
    """Written as a date, not as a bare number or year."""
    if _NUMBER.fullmatch(text) and not _COMPACT.fullmatch(text):
        return False
    try:
        _moment(text)
    except InputError:
        return False
    return True


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and not _YEAR.fullmatch(text) and not _COMPACT.fullmatch(text)


def _scaled(number: float) -> float:
    finite(number, "the date")
    return number / 1000.0 if abs(number) >= MILLISECONDS_FROM else number


def _moment(text: str) -> datetime:
    written = f"{text}-01-01" if _YEAR.fullmatch(text) else _SLASHES.sub(_dashes, text)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(written)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise InputError(f"{text[:40]!r} is no date: write it as 2024-01-31 or 2024-01-31T08:00:00Z")


def _dashes(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{year}-{int(month):02}-{int(day):02}"
