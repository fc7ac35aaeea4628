"""Ways to explore: each turns a belief about k candidates into a distribution over them."""

from equipoise.policies.explorers.elimination import RegCB
from equipoise.policies.explorers.gap import FastCB, SquareCB
from equipoise.policies.explorers.horizon import Horizon
from equipoise.policies.explorers.sampling import Thompson, TopTwo
from equipoise.policies.explorers.simple import EpsilonGreedy, Greedy, Uniform, UpperConfidence
from equipoise.policies.explorers.softmax import Softmax, SoftmaxSettings

__all__ = [
    "EpsilonGreedy",
    "FastCB",
    "Greedy",
    "Horizon",
    "RegCB",
    "Softmax",
    "SoftmaxSettings",
    "SquareCB",
    "Thompson",
    "TopTwo",
    "Uniform",
    "UpperConfidence",
]
