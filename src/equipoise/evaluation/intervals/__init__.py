"""How sure an estimate is: intervals from its terms, and a sequence of them that one may look at at any time."""

from equipoise.evaluation.intervals.bootstrap import bootstrap, bootstrap_means
from equipoise.evaluation.intervals.plain import clopper_pearson, empirical_bernstein, normal
from equipoise.evaluation.intervals.sequence import ConfidenceSequence

__all__ = [
    "ConfidenceSequence",
    "bootstrap",
    "bootstrap_means",
    "clopper_pearson",
    "empirical_bernstein",
    "normal",
]
