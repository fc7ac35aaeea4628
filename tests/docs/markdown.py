"""Markdown pages as the tests need them: fenced blocks, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
NO_RUN = re.compile(r'no-run="(?P<why>[^"]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. kind: `python`, `console`, `csv`, ...; rest: what follows it, such as a file's name.

    line: where its body starts, from 1.
    """

    page: Path
    line: int
    kind: str
    rest: str
    body: str

    @property
    def runs(self) -> bool:
        return not self.rest.startswith("no-run")

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page of the documentation, and those at the root."""
    root = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*root, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        kind, _, rest = match["info"].strip().partition(" ")
        line = text.count("\n", 0, match.start("body")) + 1
        yield Block(page, line, kind, rest.strip(), match["body"])


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """The targets of all links and pictures outside code."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    return (match["target"] for match in LINK.finditer(text))


def anchors(page: Path) -> set[str]:
    """What `page.md#...` can name: headings as GitHub writes them."""
    headings = re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE)
    return {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    """Small letters, blanks to hyphens, signs away."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
