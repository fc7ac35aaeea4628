"""From settled decisions to what another policy would have earned, how sure that is, and when not to believe it."""

from equipoise.evaluation.evaluation import Evaluation
from equipoise.evaluation.logs import read_columns, read_log
from equipoise.evaluation.options import Options

__all__ = ["Evaluation", "Options", "read_columns", "read_log"]
