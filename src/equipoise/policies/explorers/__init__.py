"""Ways to explore: each turns a belief about k candidates into a distribution over them."""

from equipoise.policies.explorers.sampling import Thompson, TopTwo
from equipoise.policies.explorers.simple import EpsilonGreedy, Greedy, Uniform, UpperConfidence

__all__ = ["EpsilonGreedy", "Greedy", "Thompson", "TopTwo", "Uniform", "UpperConfidence"]
