"""Slates: what another policy would have earned with several items at a time."""

from equipoise.evaluation.slates.baseline import with_baseline
from equipoise.evaluation.slates.estimator import SlateEstimator
from equipoise.evaluation.slates.journal import chances_of, slate_log
from equipoise.evaluation.slates.log import SlateLog
from equipoise.evaluation.slates.registry import SLATE_ESTIMATORS
from equipoise.evaluation.slates.rows import slates_of
from equipoise.evaluation.slates.weights import running_ratios, slate_ratios, slot_ratios

__all__ = [
    "SLATE_ESTIMATORS",
    "SlateEstimator",
    "SlateLog",
    "chances_of",
    "running_ratios",
    "slate_log",
    "slate_ratios",
    "slates_of",
    "slot_ratios",
    "with_baseline",
]
