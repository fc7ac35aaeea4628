"""What every command takes, and how every command prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from equipoise.core import InputError
from equipoise.engine import Engine

Config = Annotated[Path, Parameter(name=["--config", "-c"], help="The configuration file.")]
OwnJournal = Annotated[Path | None, Parameter(help="Our own journal; needs the configuration too.")]
AnyLog = Annotated[Path | None, Parameter(help="Anyone's log: a file, or a folder of Open Bandit.")]
LogColumns = Annotated[Path | None, Parameter(help="TOML that says which column of the log is what.")]
LogFormat = Annotated[
    str | None,
    Parameter(
        name="--format",
        help="csv, tsv, jsonl, parquet, dsjson or open-bandit; by default the file's suffix says it.",
    ),
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of a table.")]

DEFAULT_CONFIG = Path("equipoise.toml")


def standard_input() -> str:
    """All of it. Raises: InputError: it is not UTF-8."""
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise InputError(f"standard input is not UTF-8 ({error}): encode it so") from error


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; numbers stand right. What the cells say is shown as it is, brackets and colons included."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[position]) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def one_line(text: str, *, width: int = 60) -> str:
    """The first line of an item's text, with a mark where the line had to be cut."""
    first = text.strip().partition("\n")[0].strip()
    return first if len(first) <= width else first[: width - 1].rstrip() + "…"


def _is_number(text: str) -> bool:
    """Of the shape of a number, with signs, percent or nothing in it."""
    return text.strip("+-±.% e") == "" or (
        text.replace("±", "").strip()[:1] in "+-0123456789" and " " not in text
    )


def _live(*columns: ProgressColumn) -> Progress:
    """A bar on standard error that leaves nothing behind, and shows nothing where no terminal is."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, called with (done, total); it appears only once there is something to wait for."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _live(*columns) as bar:
        task = bar.add_task(label, total=None, visible=False)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield advance


@contextmanager
def opened(config: Path, *, rebuild: bool = False) -> Iterator[Engine]:
    """The engine of a configuration, with a bar while the catalogue is encoded."""
    with progress_bar("encoding the catalogue") as bar:
        engine = Engine.open(config, progress=bar, rebuild=rebuild)
    with engine:
        yield engine


@contextmanager
def play_bar() -> Iterator[Callable[[str, int, int, float], None]]:
    """A live line on standard error: who plays, how far of how much, and the mean so far of everyone who played."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[means]}"),
    )
    with _live(*columns) as bar:
        task = bar.add_task("", total=None, visible=False, means="")
        means: dict[str, float] = {}

        def advance(policy: str, done: int, total: int, mean: float) -> None:
            means[policy] = mean
            if done % 20 == 0 or done >= total:
                told = "  ".join(f"{name} {value:.3f}" for name, value in list(means.items())[-6:])
                bar.update(task, completed=done, total=total, description=policy, means=told, visible=True)

        yield advance
