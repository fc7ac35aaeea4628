"""How the error falls over the pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.charts import COLOURS, figure, plain, save

POINTS = 40
"""Means on each curve, of equally many questions."""


def error_picture(curves: Sequence[tuple[str, Floats]], path: Path) -> Path:
    """curves: who, and (n,) share of wrong answers at each place of the pass.

    Raises: MissingExtraError: matplotlib is not installed.
    """
    drawn = figure()
    axes = drawn.add_subplot()
    for (policy, wrong), colour in zip(curves, COLOURS * 3, strict=False):
        ends, means = in_parts(wrong)
        last = wrong[-max(1, len(wrong) // 5) :].mean()
        axes.plot(ends, means, color=colour, lw=1.8, label=f"{policy}  {last:.3f}")
    each = max(1, len(curves[0][1]) // POINTS)
    plain(
        axes,
        title="questions: share of wrong answers over one pass",
        xlabel=f"questions asked (each point: mean of the {each:,} before it)",
        ylabel="share of wrong answers",
    )
    axes.set_ylim(0.0, 1.0)
    axes.legend(title="policy, last fifth", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(drawn, path)


def in_parts(wrong: Floats) -> tuple[Floats, Floats]:
    """Returns: how many questions had been asked at the end of each part, and the part's mean, (p,) each."""
    parts = np.array_split(wrong, min(POINTS, len(wrong)))
    ends = np.cumsum([len(part) for part in parts])
    return ends.astype(np.float64), np.array([part.mean() for part in parts])
