"""A folder with a catalogue and a configuration, and the command line spoken in it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from equipoise.cli import main

ROWS = [
    ("trail", "shoe", 20),
    ("road", "shoe", 30),
    ("wet", "boot", 40),
    ("soft", "sock", 5),
    ("dry", "sock", 6),
]
CATALOG = "item_id,title,kind,price\n" + "".join(
    f"i{number},{ground} {kind} for every day,{kind},{price + number}\n"
    for number, (ground, kind, price) in enumerate(ROWS * 4)
)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: 20 items in items.csv, encoded by hashing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EQUIPOISE_ENCODER__NAME", "hashing")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "items.csv").write_text(CATALOG)
    return tmp_path


@pytest.fixture
def say(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Speak one command, with `stdin` behind it."""

    def spoken(*words: str, stdin: str | bytes = "") -> Said:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        code = main(words)
        told = capsys.readouterr()
        assert "Traceback" not in told.err + told.out
        return Said(code, told.out, told.err)

    return spoken


@pytest.fixture
def shop(say: Callable[..., Said]) -> Callable[..., Said]:
    """The same, after `equipoise init items.csv`."""
    assert say("init", "items.csv").code == 0
    return say
