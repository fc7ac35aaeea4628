"""Reward over time, with its band, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from equipoise.core import Floats
from equipoise.evaluation.charts import COLOURS, figure, plain, save
from equipoise.lab.films.simulate import Score


def reward_picture(scores: Sequence[Score], path: Path, *, title: str) -> Path:
    """Draw each policy's mean reward over a sliding tenth of the visits, with a band of two standard errors.

    Raises: MissingExtraError: matplotlib is not installed.
    """
    drawn = figure()
    axes = drawn.add_subplot()
    for score, colour in zip(scores, COLOURS * 2, strict=False):
        visits, mean, error = sliding(score.rewards)
        axes.plot(visits, mean, color=colour, lw=1.8, label=f"{score.policy}  {score.rewards.mean():.3f}")
        axes.fill_between(visits, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.12, lw=0)
    behind = len(scores[0].rewards) // 10
    plain(
        axes,
        title=title,
        xlabel=f"visits (each point: mean of the {behind:,} before it; band: two standard errors)",
        ylabel="mean reward of a slot",
    )
    axes.set_xlim(0, len(scores[0].rewards))
    axes.legend(
        title="policy, mean over all visits", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5)
    )
    return save(drawn, path)


def sliding(rewards: Floats, *, points: int = 120) -> tuple[Floats, Floats, Floats]:
    """Mean and standard error of a window of a tenth of the visits. Returns: window ends, means, errors, (p,) each."""
    width = min(len(rewards), max(2, len(rewards) // 10))
    ends = np.unique(np.linspace(width, len(rewards), points).astype(np.int64))
    windows = [rewards[end - width : end] for end in ends.tolist()]
    means = np.array([window.mean() for window in windows])
    errors = np.array([window.std(ddof=1) / np.sqrt(width) if width > 1 else 0.0 for window in windows])
    return ends.astype(np.float64), means, errors
