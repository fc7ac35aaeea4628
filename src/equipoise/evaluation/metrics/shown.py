"""What a log's own lists were like: the metrics that need nothing beyond the log, as rows like those of estimates."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from equipoise.core import Estimate, Floats, InputError
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.metrics.accuracy import average_precision, judge, ndcg
from equipoise.evaluation.metrics.exposure import coverage, gini_of_exposure
from equipoise.evaluation.metrics.lists import RankedLists
from equipoise.evaluation.metrics.summary import summary
from equipoise.evaluation.metrics.surprise import novelty
from equipoise.evaluation.report.rows import Row


def measured(log: Log, *, catalogue: Iterable[str] | None = None, level: float = 0.95) -> tuple[Row, ...]:
    """ndcg, average_precision, hit_rate, novelty, coverage and gini of what the log shows, one list a decision.

    An item is wanted in a decision where it earned more than 0, and gains what it earned. What was not shown is not
    known to be wanted, so nothing here is recall, and ndcg and average_precision tell how well the shown items are
    ordered; decisions that earned nothing have neither. An item is known by the share of decisions that show it.
    catalogue: item_ids that could be shown; None takes those of the log.
    Raises: InputError: no item_ids, or an item twice in one list. UnknownItemError: one that the catalogue lacks.
    """
    if log.items.names == ("",):
        raise InputError(f"'{log.name}' does not say what was shown: name its column under 'item_id'")
    starts = np.flatnonzero(np.diff(log.decisions, prepend=-1)).tolist()
    names = [log.items.names[code] for code in log.items.codes.tolist()]
    spans = list(zip(starts, [*starts[1:], len(log)], strict=True))
    lists = RankedLists.of([names[start:stop] for start, stop in spans], catalogue=catalogue)
    gains = np.maximum(log.rewards, 0.0).tolist()
    judged = judge(lists, [dict(zip(names[a:b], gains[a:b], strict=True)) for a, b in spans])
    shown = dict(zip(log.items.names, np.bincount(log.items.codes).astype(float).tolist(), strict=False))
    by_list: dict[str, Floats] = {
        "ndcg": ndcg(judged),
        "average_precision": average_precision(judged),
        "hit_rate": np.asarray((judged.gains > 0.0).any(axis=1), dtype=np.float64),
        "novelty": novelty(lists, shown, users=len(lists)),
    }
    of_all = {"coverage": coverage(lists), "gini": gini_of_exposure(lists)}
    policy = log.loggers.names[0] if len(log.loggers.names) == 1 else "logged"
    rows = [Row(policy, name, _mean(values, level)) for name, values in by_list.items()]
    return (*rows, *(Row(policy, name, _certain(value, len(lists))) for name, value in of_all.items()))


def _mean(values: Floats, level: float) -> Estimate:
    """Over the lists that can be judged; unknown where there are none."""
    return (
        Estimate(np.nan, np.inf, -np.inf, np.inf, 0, 0.0)
        if np.isnan(values).all()
        else summary(values, level=level)
    )


def _certain(value: float, n: int) -> Estimate:
    """A count of all n lists together: a fact of this log and no estimate, so it has neither error nor bounds."""
    return Estimate(value, np.nan, np.nan, np.nan, n, float(n))
