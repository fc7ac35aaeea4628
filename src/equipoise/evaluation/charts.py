"""The house style of every picture: one place that knows matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.core import MissingExtraError

COLOURS = ("#0b6e4f", "#c44900", "#3d5a80", "#8d8d8d", "#9a6fb0", "#b8860b", "#5f0f40", "#6b9080")
"""Dark enough to read in print; the first is ours."""


def figure(*, width: float = 9.0, height: float = 4.8) -> Any:
    """An empty matplotlib figure, `width` by `height` inches at 150 dots an inch, drawn without a display.

    Raises: MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise MissingExtraError("a picture needs matplotlib: pip install 'equipoise[report]'") from missing
    made = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(made)
    return made


def plain(axes: Any, *, title: str, xlabel: str, ylabel: str) -> None:
    """Titles, no box, and faint lines to read a height by."""
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)


def save(drawn: Any, path: Path) -> Path:
    """Write a PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, format="png")
    return path
