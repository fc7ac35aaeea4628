"""Decisions to test with."""

from __future__ import annotations

import numpy as np

from equipoise.core import Decision, FeatureSpace, Request, Slot, Versions

ENCODER = FeatureSpace("minilm", "3", 384)


def make_decision(
    decision_id: str = "d1",
    *,
    at: float = 100.0,
    window: float = 60.0,
    user_id: str | None = "u1",
    k: int = 6,
    m: int = 3,
    d: int = 4,
    seed: int = 0,
    request: Request | None = None,
    version: str = "1",
) -> Decision:
    """A decision whose numbers are arbitrary but fixed by `seed`."""
    rng = np.random.default_rng([seed, k, m, d])
    probabilities = rng.dirichlet(np.ones(k))
    candidates = tuple(f"i{number}" for number in rng.permutation(10 * k)[:k])
    sources = tuple("near" if number < k // 2 else "fresh" for number in range(k))
    slots = tuple(
        Slot(slot, candidates[slot], float(1.0 - rng.random()), float(probabilities[slot]), sources[slot])
        for slot in range(m)
    )
    return Decision(
        decision_id,
        at=at,
        request=Request(user_id=user_id) if request is None else request,
        versions=Versions(ENCODER, FeatureSpace("pairing", version, d), 2, "thompson#abc", 7, 20),
        candidates=candidates,
        sources=sources,
        probabilities=probabilities,
        slots=slots,
        features=rng.standard_normal((m, d)).astype(np.float32),
        window_closes_at=at + window,
    )


def facts(decision: Decision) -> tuple[object, ...]:
    """Everything in a decision, comparable bit for bit."""
    return (
        decision.decision_id,
        decision.at,
        decision.request,
        decision.versions,
        decision.candidates,
        decision.sources,
        decision.probabilities.dtype,
        decision.probabilities.tobytes(),
        decision.slots,
        decision.features.dtype,
        decision.features.shape,
        decision.features.tobytes(),
        decision.window_closes_at,
    )
