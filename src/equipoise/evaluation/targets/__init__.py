"""What a target policy would have done in the rows of a log."""

from equipoise.evaluation.targets.chances import Chances, Target
from equipoise.evaluation.targets.learning import Learning
from equipoise.evaluation.targets.target import Given, Recorded, Uniform, target_from

__all__ = ["Chances", "Given", "Learning", "Recorded", "Target", "Uniform", "target_from"]
