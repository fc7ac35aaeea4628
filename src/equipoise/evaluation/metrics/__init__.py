"""Ranked lists measured: accuracy, exposure, variety, surprise."""

from equipoise.evaluation.metrics.accuracy import Judged, average_precision, hit_rate, judge, ndcg, recall
from equipoise.evaluation.metrics.exposure import (
    GroupExposure,
    coverage,
    exposure,
    gini,
    gini_of_exposure,
    group_exposure,
    parity,
)
from equipoise.evaluation.metrics.lists import RankedLists, shown_lists
from equipoise.evaluation.metrics.summary import summary
from equipoise.evaluation.metrics.surprise import novelty, serendipity
from equipoise.evaluation.metrics.variety import calibration, intra_list_diversity

__all__ = [
    "GroupExposure",
    "Judged",
    "RankedLists",
    "average_precision",
    "calibration",
    "coverage",
    "exposure",
    "gini",
    "gini_of_exposure",
    "group_exposure",
    "hit_rate",
    "intra_list_diversity",
    "judge",
    "ndcg",
    "novelty",
    "parity",
    "recall",
    "serendipity",
    "shown_lists",
    "summary",
]
