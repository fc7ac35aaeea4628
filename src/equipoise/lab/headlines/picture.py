"""The share captured against the number of visitors, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from equipoise.evaluation.charts import COLOURS, figure, plain, save
from equipoise.lab.play import Row


def captured_picture(rows: Sequence[Row], path: Path) -> Path:
    """One line a policy through its `captured`, with bars of two standard errors over tests.

    Raises: MissingExtraError: matplotlib is not installed.
    """
    drawn = figure()
    axes = drawn.add_subplot()
    shown = [row for row in rows if row.metric == "captured" and row.policy not in ("uniform", "oracle")]
    policies = list(dict.fromkeys(row.policy for row in shown))
    for number, policy in enumerate(policies):
        own = sorted((row for row in shown if row.policy == policy), key=lambda row: row.visitors or 0)
        # A little apart, so that no bar hides another.
        apart = 1.0 + 0.02 * (number - len(policies) / 2)
        axes.errorbar(
            [(row.visitors or 0) * apart for row in own],
            [row.value for row in own],
            yerr=[2.0 * row.stderr for row in own],
            color=COLOURS[number % len(COLOURS)],
            marker="o",
            ms=4,
            lw=2.4 if number == 0 else 1.4,
            elinewidth=0.8,
            label=policy,
        )
    plain(
        axes,
        title="headlines: how much of what choosing can gain, 0 uniform, 1 the best headline from the start",
        xlabel="visitors of each test (bars: two standard errors over tests)",
        ylabel="share captured",
    )
    lengths = sorted({row.visitors or 0 for row in shown})
    axes.set_xscale("log")
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
    axes.minorticks_off()
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(drawn, path)
