"""Runs a page's blocks in order, as a reader would: files are saved, Python shares its names, commands are typed."""

from __future__ import annotations

import io
import os
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from equipoise.cli import main

from .markdown import Block

FILES = ("csv", "jsonl", "toml", "text")
"""Kinds of blocks that, with a file's name behind the kind, are files that the reader saves."""

BY_HAND = ("pip", "make", "git", "python", "cd")
"""Commands that set up a machine: the tests run in what they make."""

ASSIGNMENT = re.compile(r"EQUIPOISE_[A-Z_]+=")
"""A variable set for one command."""

DECISION = re.compile(r"\b[0-9a-f]{32}\b")


class Reader:
    """Somebody who follows one page in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._names: dict[str, Any] = {"__name__": "__page__"}
        self._monkeypatch = monkeypatch
        self._printed = ""
        self._decision_id = ""

    def follow(self, block: Block) -> None:
        """Do what one block says; anything but a page's code is only read."""
        if block.kind == "python" and block.runs:
            self._python(block)
        elif block.kind == "console" and block.runs:
            for line in commands(block):
                self._command(line, block)
        elif block.kind == "text" and block.rest == "output":
            assert self._printed.strip() == block.body.strip(), f"{block.where}: something else was printed"
        elif block.kind in FILES and block.rest:
            self._save(block)

    def _save(self, block: Block) -> None:
        path = self.folder / block.rest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")

    def _python(self, block: Block) -> None:
        code = compile("\n" * (block.line - 1) + block.body, str(block.page), "exec")
        with redirect_stdout(io.StringIO()) as out:
            exec(code, self._names)
        self._printed = out.getvalue()

    def _command(self, line: str, block: Block) -> None:
        line, _, typed = line.partition(" <<< ")
        words = shlex.split(line)
        given = dict(word.split("=", 1) for word in words if ASSIGNMENT.match(word))
        words = [word for word in words if word not in {f"{name}={value}" for name, value in given.items()}]
        if words[0] in BY_HAND:
            return
        assert words[0] == "equipoise", f"{block.where}: the tests cannot type {line!r}"
        words = [word.replace("DECISION_ID", self._decision_id) for word in words[1:]]
        code, out, told = self._spoken(words, given, typed="".join(shlex.split(typed)))
        self._printed = out
        expected = int(block.rest.removeprefix("exits ")) if block.rest.startswith("exits ") else 0
        assert code == expected, f"{block.where}: {line!r} exits {code}\n{out}{told}"
        found = DECISION.search(out) if words[0] == "recommend" else None
        self._decision_id = self._decision_id if found is None else found[0]

    def _spoken(self, words: list[str], given: dict[str, str], *, typed: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of one command; `given` holds for this one alone."""
        with self._monkeypatch.context() as patch:
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8"))
            for name, value in given.items():
                patch.setenv(name, value)
            with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as told:
                code = main(words)
        return code, out.getvalue(), told.getvalue()


def commands(block: Block) -> list[str]:
    """The lines that a reader types; a backslash at the end carries a line on."""
    joined = block.body.replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A reader in `folder`, with a wide terminal and nothing of Equipoise set."""
    for name in list(os.environ):
        if name.startswith("EQUIPOISE_") and name != "EQUIPOISE_CACHE":
            monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "160")
    return Reader(folder, monkeypatch)
