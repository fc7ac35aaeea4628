"""A comparison of policies in the terminal: what the log can say, then tables."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from equipoise.cli.shared import print_table
from equipoise.evaluation.evaluation import TIME
from equipoise.evaluation.report.rows import HEAD, Comparison, Section, cells
from equipoise.evaluation.support import Support

WORTH = {"effective": "worth"}
"""A shorter word for a narrow table."""


def show(found: Comparison) -> None:
    """Support, then every section, then what was assumed."""
    for number, support in enumerate(found.supports):
        show_support(support, beside=found.supports[0] if number else None)
    for section in found.sections:
        show_section(section, found)
    for note in found.notes:
        print(f"{note}.")
    for warning in found.warnings:
        print(f"! {warning}.")


def show_support(support: Support, *, beside: Support | None = None) -> None:
    """One line a check; beside another policy's report, only what is not the same."""
    rows = [(check.name, check.shown, check.verdict.value) for check in support.beyond(beside)]
    print_table(f"can this log speak of {support.policy}?", ("question", "finding", "verdict"), rows)


def show_section(section: Section, found: Comparison) -> None:
    """The rows of one section under their policies; what they are worth is their effective sample size."""
    titles = {
        "": f"{found.unit}, with {found.level:.0%} {found.interval.replace('_', ' ')} intervals",
        "differences": "differences, row by row",
        TIME: "over time",
    }
    title = Text(titles.get(section.title, f"by {section.title}"))
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0, pad_edge=False
    )
    table.add_column("policy, estimator", overflow="fold")
    for name in HEAD[2:]:
        table.add_column(WORTH.get(name, name), justify="right", no_wrap=True)
    above = ""
    for label, row in zip(section.labels or ("",) * len(section.rows), section.rows, strict=True):
        policy, estimator, *numbers = cells(row)
        heading = f"{label}: {policy}" if label else policy
        if heading != above:
            table.add_row(Text(heading, style="bold"))
        above = heading
        table.add_row(*map(Text, (f"  {estimator}", *numbers)))
    Console().print(table)
