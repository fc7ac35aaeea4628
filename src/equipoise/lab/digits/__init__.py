"""Handwritten digits as a bandit: naming the digit earns 1, and every policy's true value is known.

Run it with `python -m equipoise.lab.digits` (needs the extra `sklearn`).
"""

from equipoise.lab.digits.contest import ESTIMATORS, Score, contest
from equipoise.lab.digits.world import DigitsLog, digits_log

__all__ = ["ESTIMATORS", "DigitsLog", "Score", "contest", "digits_log"]
