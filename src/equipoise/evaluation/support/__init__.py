"""May the number be believed? Asked before there is one."""

from equipoise.evaluation.support.check import Check, Verdict
from equipoise.evaluation.support.report import Facts, NoSupportError, Support, support_of

__all__ = ["Check", "Facts", "NoSupportError", "Support", "Verdict", "support_of"]
