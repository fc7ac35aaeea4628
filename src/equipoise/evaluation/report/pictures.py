"""The pictures of a report, each an SVG that stands in the page itself."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from equipoise.evaluation.charts import COLOURS, figure, plain
from equipoise.evaluation.report.rows import Comparison, Exposure, Histogram, Row, Section
from equipoise.evaluation.terms import ON_POLICY

LOGGED = "#6f6f6f"
"""Of what the log itself earned."""

PALETTE = tuple(colour for colour in COLOURS if colour != "#8d8d8d")
"""Of target policies: the house's without its grey."""

MOST_ITEMS = 25
ROW_INCHES = 0.34


def estimates(found: Comparison) -> str:
    """Each value with its interval, beside what the log earned."""
    return _intervals(found.values, found, xlabel=found.unit, line=found.values.rows[0].estimate.value)


def differences(found: Comparison) -> str:
    """Each difference with its interval; 0 is no difference."""
    return _intervals(found.differences, found, xlabel=f"difference in {found.unit}", line=0.0)


def _intervals(section: Section, found: Comparison, *, xlabel: str, line: float) -> str:
    rows = section.rows
    drawn = figure(width=8.6, height=0.9 + ROW_INCHES * len(rows))
    axes = drawn.add_subplot()
    axes.axvline(line, color=LOGGED, lw=1, ls=(0, (4, 3)))
    for place, row in enumerate(rows):
        _interval(axes, row, -place, _colour(row.policy.split(" - ")[0], row.estimator, found))
    axes.set_yticks(
        [-place for place in range(len(rows))], [f"{row.policy}  ·  {row.estimator}" for row in rows]
    )
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    plain(axes, title="", xlabel=xlabel, ylabel="")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", alpha=0.25)
    return _svg(drawn, f"{section.title}estimates")


def _interval(axes: Any, row: Row, y: float, colour: str) -> None:
    estimate = row.estimate
    if not math.isfinite(estimate.value):
        return
    if math.isfinite(estimate.low) and math.isfinite(estimate.high):
        axes.plot([estimate.low, estimate.high], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
    # A hollow mark is a number that carries a warning.
    face = "white" if row.warnings else colour
    shape = "D" if row.estimator == ON_POLICY else "o"
    axes.plot([estimate.value], [y], shape, color=colour, markerfacecolor=face, markersize=6.5, mew=1.6)


def _colour(policy: str, estimator: str, found: Comparison) -> str:
    if estimator == ON_POLICY:
        return LOGGED
    names = [support.policy for support in found.supports]
    return PALETTE[names.index(policy) % len(PALETTE)] if policy in names else LOGGED


def weights(histograms: Sequence[Histogram], found: Comparison) -> str:
    """How many rows have which weight; 1 is a row that the target would show as often as the log does."""
    drawn = figure(width=8.6, height=2.9)
    axes = drawn.add_subplot()
    for shown in histograms:
        if shown.counts:
            colour = _colour(shown.policy, "", found)
            label = f"{shown.policy} ({shown.zeros:,} rows of weight 0)" if shown.zeros else shown.policy
            axes.stairs(shown.counts, shown.edges, color=colour, fill=True, alpha=0.18)
            axes.stairs(shown.counts, shown.edges, color=colour, lw=1.6, label=label)
    axes.axvline(1.0, color=LOGGED, lw=1, ls=(0, (4, 3)))
    axes.set_xscale("log")
    _few_ticks(axes)
    _legend_above(axes, len(histograms))
    plain(axes, title="", xlabel="weight: target probability / propensity (log scale)", ylabel="rows")
    return _svg(drawn, "weights")


def over_time(section: Section, found: Comparison) -> str:
    """The value of each part of the log, in its order, with intervals."""
    drawn = figure(width=8.6, height=3.3)
    axes = drawn.add_subplot()
    labels = list(dict.fromkeys(section.labels))
    for series, kinds in _by_policy(section):
        rows = dict(series)
        colour = _colour(kinds[0], kinds[1], found)
        values = np.array([rows[label].estimate.value for label in labels])
        low = np.array([rows[label].estimate.low for label in labels])
        high = np.array([rows[label].estimate.high for label in labels])
        axes.plot(range(len(labels)), values, color=colour, lw=1.8, marker="o", ms=4, label=" · ".join(kinds))
        axes.fill_between(
            range(len(labels)), _finite(low, values), _finite(high, values), color=colour, alpha=0.12, lw=0
        )
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=8)
    _legend_above(axes, len(axes.lines))
    plain(axes, title="", xlabel="part of the log, from", ylabel="value")
    return _svg(drawn, "time")


def groups(section: Section, found: Comparison) -> str:
    """A bar for each policy in each group, with its interval."""
    series = _by_policy(section)
    labels = list(dict.fromkeys(section.labels))
    drawn = figure(width=8.6, height=0.8 + 0.24 * len(labels) * (len(series) + 0.6))
    axes = drawn.add_subplot()
    step = 0.8 / len(series)
    for place, (rows, kinds) in enumerate(series):
        ys = [-labels.index(label) + 0.4 - step * (place + 0.5) for label, _ in rows]
        _bars(axes, [row for _, row in rows], ys, step * 0.86, kinds, _colour(kinds[0], kinds[1], found))
    axes.set_yticks([-place for place in range(len(labels))], labels)
    _legend_above(axes, len(series))
    plain(axes, title="", xlabel=found.unit, ylabel="")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", alpha=0.25)
    return _svg(drawn, f"groups {section.title}")


def _bars(
    axes: Any, rows: Sequence[Row], ys: Sequence[float], height: float, kinds: tuple[str, str], colour: str
) -> None:
    """One bar a row with its interval; what is unknown has neither."""
    values = np.array([row.estimate.value for row in rows])
    low = _finite(np.array([row.estimate.low for row in rows]), values)
    high = _finite(np.array([row.estimate.high for row in rows]), values)
    errors = np.nan_to_num([values - low, high - values])
    values = np.nan_to_num(values)
    axes.barh(ys, values, height=height, color=colour, alpha=0.75, label=" · ".join(kinds))
    axes.errorbar(values, ys, xerr=errors, fmt="none", ecolor="#333333", elinewidth=1, capsize=2)


def exposure(shown: Exposure, found: Comparison) -> str:
    """What the log shows, and what the target would: where the target's bar has no log beside it, nobody can know."""
    order = np.argsort(-np.maximum(shown.logged, shown.target), kind="stable")[:MOST_ITEMS]
    drawn = figure(width=8.6, height=2.9)
    axes = drawn.add_subplot()
    places = np.arange(len(order))
    logged, target = np.array(shown.logged)[order], np.array(shown.target)[order]
    axes.bar(places - 0.2, logged, 0.38, color=LOGGED, alpha=0.75, label="shown in the log")
    axes.bar(
        places + 0.2,
        target,
        0.38,
        color=_colour(shown.policy, "", found),
        alpha=0.85,
        label=f"by {shown.policy}",
    )
    axes.set_xticks(
        places, [_short(shown.items[item]) for item in order], rotation=40, ha="right", fontsize=8
    )
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if value >= 0.01 else f"{value:.1%}")
    _legend_above(axes, 2)
    plain(axes, title="", xlabel="item", ylabel="share of what is shown")
    return _svg(drawn, f"exposure {shown.policy}")


MOST_BESIDE = 3
"""Entries of a legend in one line."""


def _legend_above(axes: Any, entries: int) -> None:
    """Above the picture, where it hides nothing, in lines of a few entries."""
    if entries:
        columns = min(entries, MOST_BESIDE)
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns)


def _few_ticks(axes: Any) -> None:
    """Plain numbers at 1, 2 and 5 of each power of ten, or at the powers alone where there are many."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _by_policy(section: Section) -> list[tuple[list[tuple[str, Row]], tuple[str, str]]]:
    """The section's rows in one series for each policy and estimator, with their labels."""
    found: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for label, row in zip(section.labels, section.rows, strict=True):
        found.setdefault((row.policy, row.estimator), []).append((label, row))
    return [(rows, kinds) for kinds, rows in found.items()]


def _finite(bound: Any, instead: Any) -> Any:
    return np.where(np.isfinite(bound), bound, instead)


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"


def _svg(drawn: Any, salt: str) -> str:
    """The picture as an SVG element; its inner names are its own, so that several can share a page."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "path"}):
        drawn.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = out.getvalue()
    # Inside HTML an SVG needs neither its namespaces nor who made it.
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
