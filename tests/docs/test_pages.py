"""What a page says works: its code runs in order, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from .markdown import NO_RUN, ROOT, blocks, pages
from .running import at_home, commands


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for all pages, so that MiniLM's graph is built once."""
    return tmp_path_factory.mktemp("cache")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


RUNNING = [
    page
    for page in pages()
    if any(block.kind in ("python", "console") and block.runs for block in blocks(page))
]


@pytest.mark.parametrize("page", RUNNING, ids=name_of)
def test_a_pages_code_runs_from_top_to_bottom(
    page: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_CACHE", str(built))
    reader = at_home(tmp_path, monkeypatch)
    for block in blocks(page):
        reader.follow(block)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_code_that_does_not_run_says_why(page: Path) -> None:
    for block in blocks(page):
        if block.kind in ("python", "console") and not block.runs:
            reason = NO_RUN.fullmatch(block.rest)
            assert reason is not None, f'{block.where}: write no-run="the reason"'
            print(f"{block.where} is not run: {reason['why']}")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    known = {"python", "console", "csv", "jsonl", "toml", "text", "json", "sql"}
    for block in blocks(page):
        assert block.kind in known, (
            f"{block.where}: a block of the kind {block.kind!r}; known are {sorted(known)}"
        )
        if block.kind == "console":
            assert commands(block), f"{block.where}: a console block without a line that starts with '$ '"
