"""Writes what the documentation takes from the code: `reference/cli.md`, `reference/settings.md`, and the table of
settings on each page of `policies/`.

    python docs/generate.py            writes them
    python docs/generate.py --check    says which are stale, and exits with 1

A command without a sentence, or a setting without a meaning, is an error: nothing is published undocumented.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from equipoise.cli.app import COMMANDS, build_app
from equipoise.encoders import Layout, PairingSettings
from equipoise.engine.fitting import _suited
from equipoise.engine.settings import Settings
from equipoise.journal.rewards import DEFAULT
from equipoise.policies import explorers
from equipoise.policies.registry import EXPLORERS, OWN, POSTERIORS

DOCS = Path(__file__).parent
GENERATED = "<!-- written by docs/generate.py: change the code's own words instead, then run `make docs` -->"
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"

OWN_WORDS = {
    "posterior": "what to believe with: one of the [posteriors](index.md#posteriors)",
    "floor": "the least probability that any of k candidates gets, at most 1 / k",
    "similarity": "which feature is the similarity to the request; an engine sets it",
    "diversity": 'what pushes like items apart in a slate: `"mmr"` or `"dpp"`; see [slates](slates.md)',
    "diversity_weight": "how much it takes off, in units of reward",
}
"""The settings of every policy; they belong to no part alone, so their words stand here."""

REWARD_WORDS = {
    "low, high": "the range that a slot's reward is clipped to; low <= 0 < high",
    "combine": '`"sum"` of what the kinds are worth, or `"max"`',
    "opposites": "pairs of kinds of which only the later counts",
}


class UndocumentedError(Exception):
    """A command or a setting that nobody has described."""


def pages() -> dict[Path, str]:
    """Every generated page, or page with a generated part, as it should be."""
    made = {
        DOCS / "reference" / "cli.md": cli_page(),
        DOCS / "reference" / "settings.md": settings_page(),
    }
    for name, part in (*EXPLORERS.items(), *((name, options) for name, (_, options) in POSTERIORS.items())):
        path = DOCS / "policies" / f"{name}.md"
        made[path] = _filled(path, policy_table(part))
    index = DOCS / "policies" / "index.md"
    made[index] = _filled(index, _table([(name, default, OWN_WORDS[name]) for name, default in OWN.items()]))
    return made


def cli_page() -> str:
    """One chapter a command: its sentence, its example, its arguments."""
    app = build_app()
    lines = [
        "# Commands",
        "",
        GENERATED,
        "",
        "Every command takes `--help`. It exits with 0 when it did its work, 1 when it failed (the message says what",
        "to do), 2 when it was not understood, 3 when `evaluate` has a log that cannot answer, 130 when it was",
        "interrupted. `--debug` shows where an error came from.",
        'With `--json` errors are JSON too, on standard error: `{"error": {"kind": ..., "message": ...}}`.',
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    chapters = [(name, app[name]) for name, _ in COMMANDS]
    lines += [f"| [`{name}`](#{name}) | {_sentence(name, command)} |" for name, command in chapters]
    for name, command in chapters:
        lines += ["", *_chapter(name, command)]
    return "\n".join(lines) + "\n"


def _chapter(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield _sentence(name, command)
    yield ""
    yield "```text"
    yield f"$ {_example(name, command)}"
    yield "```"
    yield ""
    yield "| argument | default | meaning |"
    yield "|---|---|---|"
    for argument in command.assemble_argument_collection():
        if argument.children:  # a record of arguments, each of which has a line of its own
            continue
        names = " ".join(f"`{word}`" for word in argument.names if not word.startswith("--empty"))
        if not argument.parameter.help:
            raise UndocumentedError(f"'{name} {argument.name}' has no help: write Parameter(help=...)")
        default = "required" if argument.required else _value(argument.field_info.default)
        yield f"| {names} | {default} | {_cell(argument.parameter.help)} |"


def _sentence(name: str, command: Any) -> str:
    text = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    if not text:
        raise UndocumentedError(f"the command '{name}' has no docstring: say in a sentence what it does")
    return " ".join(text.split())


def _example(name: str, command: Any) -> str:
    found = re.search(r"^Example: (.+)$", inspect.cleandoc(command.help or ""), re.MULTILINE)
    if found is None:
        raise UndocumentedError(f"the command '{name}' has no line 'Example: ...' in its docstring")
    return found[1]


TOP_LEVEL = ("seed", "blas_threads")
"""The keys above the first table."""


def settings_page() -> str:
    """One chapter a table of the TOML."""
    hints = get_type_hints(Settings)
    lines = [
        "# Settings",
        "",
        GENERATED,
        "",
        "The configuration is one TOML file, `equipoise.toml` unless `--config` names another. Everything has a",
        "default. A variable such as `EQUIPOISE_JOURNAL__PATH` (the table, two underscores, the key) wins over the",
        "file; `EQUIPOISE_SEED` is the one without a table. A misspelt key is refused, and the message names the",
        "nearest one. From Python, the same tables are arguments of `Engine.create` and `settings_from`.",
        "",
        "## The top level",
        "",
        "Keys above the first table.",
        "",
        *_table([(name, getattr(Settings(), name), _meanings(Settings)[name]) for name in TOP_LEVEL]),
    ]
    for table, kind in hints.items():
        if table not in (*TOP_LEVEL, "folder", "reward"):
            lines += ["", f"## [{table}]", "", *_table(list(_rows(kind)))]
    lines += ["", "## [policy.settings]", "", *_policy_settings()]
    lines += ["", "## [reward]", "", *_reward()]
    return "\n".join(lines) + "\n"


def _policy_settings() -> list[str]:
    return [
        "What the chosen policy and posterior take; each page has its table, with the defaults.",
        "",
        "Policies: " + ", ".join(f"[{name}](../policies/{name}.md)" for name in EXPLORERS) + ".",
        "",
        "Posteriors: " + ", ".join(f"[{name}](../policies/{name}.md)" for name in POSTERIORS) + ".",
    ]


def _reward() -> list[str]:
    kinds = [(f"`{kind}`", _kind(worth)) for kind, worth in DEFAULT.items()]
    return [
        "What each kind of feedback is worth; the formula stands in",
        "[feedback and rewards](../how-to/feedback-and-rewards.md). Keys of your own are kinds of your own. A table",
        "without any kind takes these:",
        "",
        "| kind | worth |",
        "|---|---|",
        *(f"| {kind} | {worth} |" for kind, worth in kinds),
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
        f"| `low`, `high` | `0.0`, `1.0` | {REWARD_WORDS['low, high']} |",
        f'| `combine` | `"sum"` | {REWARD_WORDS["combine"]} |',
        f'| `opposites` | `[["like", "dislike"]]` | {REWARD_WORDS["opposites"]} |',
    ]


def _kind(worth: Any) -> str:
    if isinstance(worth, Mapping):
        return f"`{{ weight = {worth['weight']}, full = {worth['full']} }}`"
    return f"`{worth}`"


def policy_table(part: type[Any]) -> list[str]:
    """The settings of an explorer or a posterior."""
    options = explorers.SoftmaxSettings if part is explorers.Softmax else part
    rows = [row for row in _rows(options) if row[0] not in OWN]
    if not rows:
        return ["No settings of its own; those of [every policy](index.md#settings-of-every-policy) apply."]
    own = _engine_defaults()
    table = _table(rows)
    changed = [(name, own[name]) for name, default, _ in rows if name in own and own[name] != default]
    if changed:
        told = ", ".join(f"`{name}` {_value(value)}" for name, value in changed)
        table += [
            "",
            f"Inside an engine, where `[policy.settings]` says nothing, these hold instead: {told}.",
        ]
    return table


def _engine_defaults() -> dict[str, Any]:
    """What `Engine` gives a policy where the user gives nothing; a formula where the value depends on a setting."""
    found: dict[str, Any] = {}
    pairing = type("Fitted", (), {"layout": Layout(PairingSettings())})()
    for name in EXPLORERS:
        for posterior in POSTERIORS:
            settings = msgspec.convert({"policy": {"name": name, "posterior": posterior}}, Settings)
            found |= _suited(settings, pairing)
    of_the_rate = "r (1 - r) with r = `[statistics] expected_reward`, kept within 0.01 and 0.5"
    found["noise"] = found["reward_variance"] = of_the_rate
    return found


def _rows(kind: Any) -> Iterator[tuple[str, Any, str]]:
    """Name, default and meaning of each setting of a struct or dataclass."""
    meanings = _meanings(kind)
    for name, default in _defaults(kind).items():
        if name not in meanings:
            raise UndocumentedError(
                f"{kind.__name__} has the setting '{name}' but its docstring no '{name}: ...'"
            )
        yield name, default, meanings[name]


def _defaults(kind: Any) -> dict[str, Any]:
    if is_dataclass(kind):
        return {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    made = kind()
    return {name: getattr(made, name) for name in kind.__struct_fields__}


def _meanings(kind: Any) -> dict[str, str]:
    """`name: meaning` and `one, other: meaning` in the docstrings of a class and of those it is made from."""
    found: dict[str, str] = {}
    for part in reversed(kind.__mro__):
        if part is not object and part.__doc__:
            found |= _told(part.__doc__, set(_names(kind)))
    return found


def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)] if is_dataclass(kind) else list(kind.__struct_fields__)


def _told(doc: str, known: set[str]) -> dict[str, str]:
    text = " ".join(inspect.cleandoc(doc).split())
    word = "|".join(sorted(known, key=len, reverse=True))
    marks = list(re.finditer(rf"(?:(?<=^)|(?<=[.;:)] ))((?:{word})(?:, (?:{word}))*): ", text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    found: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):
        meaning = re.split(r" Reference: ", text[mark.end() : end])[0].strip().rstrip(".;")
        for name in mark[1].split(", "):
            found[name] = meaning
    return found


def _table(rows: list[tuple[str, Any, str]]) -> list[str]:
    return [
        "| setting | default | meaning |",
        "|---|---|---|",
        *(f"| `{name}` | {_value(default)} | {_cell(meaning)} |" for name, default, meaning in rows),
    ]


def _value(value: Any) -> str:
    """As TOML writes it; a sentence stays one."""
    if value is None or value is inspect.Parameter.empty:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return f"`[{', '.join(str(entry) for entry in value)}]`" if value else "none"
    if isinstance(value, (str, Path)):
        return value if " " in str(value) else f'`"{value}"`'
    if isinstance(value, Mapping):
        return "`{}`"
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _filled(path: Path, lines: list[str]) -> str:
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise UndocumentedError(f"{path} has no place for its settings: write {BEGIN} and {END}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or with --check say which are stale."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is stale")
    check = parser.parse_args(arguments).check
    stale = [
        (path, text)
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if check:
            sys.stdout.write(f"{path.relative_to(DOCS.parent)} is stale: run 'make docs'\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.relative_to(DOCS.parent)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
