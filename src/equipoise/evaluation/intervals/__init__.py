"""How sure an estimate is: intervals from its terms."""

from equipoise.evaluation.intervals.sequence import ConfidenceSequence

__all__ = ["ConfidenceSequence"]
