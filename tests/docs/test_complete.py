"""Nothing public is undocumented: names, commands, settings, policies, kinds of errors."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from types import ModuleType

import pytest

import equipoise
from equipoise.cli.app import COMMANDS
from equipoise.core import errors
from equipoise.engine.settings import Settings
from equipoise.journal.rewards import DEFAULT
from equipoise.policies.registry import EXPLORERS, POSTERIORS, settings_of

from .markdown import ROOT, pages

ROOMS = (
    "core",
    "catalog",
    "encoders",
    "retrieval",
    "policies",
    "journal",
    "learning",
    "evaluation",
    "engine",
    "lab.contracts",
    "lab.films",
)

CHAPTERS = ("Formula", "Source", "Assumptions and limits", "Settings", "When to choose it", "Try it")
"""Of the page of a policy or a posterior."""


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def everything() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages())


def test_generated_pages_are_up_to_date(generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    code = generate.main(["--check"])
    assert code == 0, capsys.readouterr().out


def test_a_setting_without_a_meaning_is_refused(generate: ModuleType) -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Options:
        """width: how far."""

        width: float = 1.0
        height: float = 2.0

    with pytest.raises(generate.UndocumentedError, match="height"):
        list(generate._rows(Options))


def test_meanings_are_cut_out_of_a_docstring(generate: ModuleType) -> None:
    doc = """What it is: a thing.

    one, two: in metres. three: of (both: ends).
    Reference: Somebody 1999.
    """
    assert generate._told(doc, {"one", "two", "three"}) == {
        "one": "in metres",
        "two": "in metres",
        "three": "of (both: ends)",
    }


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_public_name_has_a_docstring(room: str) -> None:
    module = equipoise if not room else importlib.import_module(f"equipoise.{room}")
    assert module.__doc__, f"{module.__name__} has no docstring"
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            own = thing.__doc__ or ""
            assert own and not own.startswith(f"{name}("), f"{module.__name__}.{name} has no docstring"


@pytest.mark.parametrize("thing", [equipoise.Engine], ids=lambda thing: thing.__name__)
def test_every_public_method_has_a_docstring(thing: type) -> None:
    for name, member in inspect.getmembers(thing):
        if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            assert inspect.getdoc(member), f"{thing.__name__}.{name} has no docstring"


def test_every_public_method_of_the_engine_is_in_the_pages(everything: str) -> None:
    names = [
        name for name, member in inspect.getmembers(equipoise.Engine, inspect.isroutine) if name[0] != "_"
    ]
    assert [name for name in names if f".{name}(" not in everything] == []


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_is_used_in_a_page(name: str) -> None:
    prefix = f"$ equipoise {name}"
    using = [page for page in pages() if page.name != "cli.md" and prefix in page.read_text(encoding="utf-8")]
    assert using, f"no page shows 'equipoise {name}'"


def test_every_setting_stands_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    for table in Settings.__struct_fields__:
        value = getattr(Settings(), table)
        keys = getattr(value, "__struct_fields__", None) or getattr(value, "__dataclass_fields__", ())
        for key in keys:
            assert f"| `{key}` |" in text.partition(f"## [{table}]")[2], f"[{table}] {key} is undocumented"
    assert [kind for kind in DEFAULT if f"`{kind}`" not in text] == []


@pytest.mark.parametrize("name", [*EXPLORERS, *POSTERIORS])
def test_every_policy_and_posterior_has_a_page_with_all_that_a_reader_needs(name: str) -> None:
    text = (ROOT / "docs" / "policies" / f"{name}.md").read_text(encoding="utf-8")
    for chapter in (
        "## Formula",
        "## Source",
        "## Assumptions and limits",
        "## Settings",
        "## When to choose it",
        "## Try it",
    ):
        assert chapter in text, f"policies/{name}.md has no '{chapter}'"
    assert "```python" in text


def test_every_setting_of_every_policy_stands_on_its_page() -> None:
    folder = ROOT / "docs" / "policies"
    for name in EXPLORERS:
        for posterior in POSTERIORS:
            read = "".join(
                (folder / f"{page}.md").read_text(encoding="utf-8") for page in (name, posterior, "index")
            )
            missing = [key for key in settings_of(name, posterior=posterior) if f"| `{key}` |" not in read]
            assert missing == [], f"{name} with {posterior}"


def test_every_error_is_in_the_pages(everything: str) -> None:
    kinds = [name for name, thing in vars(errors).items() if inspect.isclass(thing)]
    assert [name for name in kinds if f"`{name}`" not in everything] == []
