"""Progressive errors as a picture: a panel a table, a curve a player."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.charts import COLOURS, figure, plain, save

POINTS = 200
STYLES = ("-", "--", ":")


def error_picture(scores: Sequence[tuple[str, str, Floats]], path: Path) -> Path:
    """scores: table, player, and its errors (s, n) by seed and row. Curves: the mean error so far, over seeds.

    Raises: MissingExtraError: matplotlib is not installed.
    """
    names = list(dict.fromkeys(table for table, _, _ in scores))
    drawn = figure(width=7.6 * min(len(names), 3), height=4.8 * -(-len(names) // 3))
    for at, name in enumerate(names):
        axes = drawn.add_subplot(-(-len(names) // 3), min(len(names), 3), at + 1)
        shown = [(policy, wrong) for table, policy, wrong in scores if table == name and policy != "oracle"]
        shown.sort(key=lambda score: float(score[1].mean()))
        for number, (policy, wrong) in enumerate(shown):
            rows, error = progressive(wrong.mean(axis=0))
            style = STYLES[number // len(COLOURS) % len(STYLES)]
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(rows, error, style, color=colour, lw=1.5, label=f"{policy}  {error[-1]:.4f}")
        plain(axes, title=name, xlabel="rows", ylabel="error so far")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda error, _at: f"{error:g}")
        axes.yaxis.set_minor_formatter(lambda error, _at: f"{error:g}")
        axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(drawn, path)


def progressive(wrong: Floats) -> tuple[Floats, Floats]:
    """wrong: (n,). Returns: row counts and the mean error up to each, (p,) both."""
    n = len(wrong)
    ends = np.unique(np.geomspace(max(1, min(20, n)), n, POINTS).astype(np.int64))
    return ends.astype(np.float64), wrong.cumsum()[ends - 1] / ends
