"""Every link within the documentation leads to a page that is there, and to a heading that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .markdown import ROOT, anchor, anchors, links, pages, prose

UNFINISHED = re.compile(r"\b(TODO|FIXME|TBD|XXX|lorem ipsum|coming soon|work in progress)\b", re.IGNORECASE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if target.startswith(("https://", "mailto:")):
            continue
        assert not target.startswith(("/", "http://")), f"{name_of(page)}: {target} is no relative link"
        path, _, part = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)}: there is no {target}"
        if part:
            assert part in anchors(there), f"{name_of(page)}: {there.name} has no heading #{part}"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_nothing_is_left_open(page: Path) -> None:
    found = UNFINISHED.search(page.read_text(encoding="utf-8"))
    assert found is None, f"{name_of(page)}: '{found[0] if found else ''}'"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_has_one_title(page: Path) -> None:
    titles = re.findall(r"^# .+$", prose(page), re.MULTILINE)
    assert len(titles) == 1, f"{name_of(page)} has the titles {titles}"


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached, waiting = {index}, [index]
    while waiting:
        page = waiting.pop()
        for target in links(page):
            there = (page.parent / target.partition("#")[0]).resolve()
            if there.suffix == ".md" and there.exists() and there not in reached:
                reached.add(there)
                waiting.append(there)
    lost = [name_of(page) for page in pages() if page not in reached and page.name != "README.md"]
    assert lost == []


def test_an_anchor_is_written_as_on_github() -> None:
    assert anchor("Settings of every policy") == "settings-of-every-policy"
    assert anchor("`why`: what the numbers mean") == "why-what-the-numbers-mean"
    assert anchor("[policy.settings]") == "policysettings"
