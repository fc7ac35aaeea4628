"""What the pictures of support are drawn from."""

from __future__ import annotations

import numpy as np

from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.report.rows import Exposure, Histogram

STEPS = 30


def histogram(policy: str, evidence: Evidence) -> Histogram:
    """Weights above 0 in 30 steps of equal ratio."""
    weights = evidence.weights
    above = weights[weights > 0.0]
    zeros = len(weights) - len(above)
    if not len(above):
        return Histogram(policy, (), (), zeros)
    low, high = float(above.min()), float(above.max())
    edges = np.geomspace(low * 0.999, max(high, low * 1.01) * 1.001, STEPS + 1)
    counts, _ = np.histogram(above, bins=edges)
    return Histogram(policy, tuple(edges.tolist()), tuple(counts.tolist()), zeros)


def exposure(policy: str, evidence: Evidence) -> Exposure:
    """The share of each item in the log, and in the log as the target's weights make it."""
    kinds = len(evidence.items.names)
    weights = evidence.weights
    logged = np.bincount(evidence.items.codes, minlength=kinds) / len(evidence)
    target = np.bincount(evidence.items.codes, weights=weights, minlength=kinds) / weights.sum()
    return Exposure(policy, evidence.items.names, logged, target)
