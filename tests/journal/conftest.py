"""A journal in a file, and one in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.journal import SqliteJournal


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal.open(":memory:" if request.param == "memory" else tmp_path / "j.db") as opened:
        yield opened
