"""What the laws of a Journal are checked with: decisions of three slots, and feedback on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from equipoise.core import Decision, FeatureSpace, Feedback, Journal, Request, Slot, Versions

START = 1_700_000_000.0
"""When every decision is made, in seconds since 1970."""

CLOSES = START + 3600.0
"""When every decision's window closes."""


@dataclass(frozen=True, slots=True)
class JournalCase:
    """make: an empty journal. kind: of feedback, whose value 1 is worth the reward `worth` and whose 0 is worth 0."""

    make: Callable[[], Journal]
    kind: str = "click"
    worth: float = 1.0
    text: str = "shoes for wet trails, naß"

    def with_decisions(self, *decision_ids: str) -> Journal:
        journal = self.make()
        for decision_id in decision_ids:
            journal.decided(self.decision(decision_id))
        return journal

    def decision(self, decision_id: str, *, user_id: str | None = "u1") -> Decision:
        """Five candidates, three slots, numbers that no short decimal can write down."""
        space = FeatureSpace("pairing", "1", 4)
        rng = np.random.default_rng(5)
        odds = rng.dirichlet(np.ones(5))
        return Decision(
            decision_id=decision_id,
            at=START + 0.125,
            request=Request(
                text=self.text,
                user_id=user_id,
                history=("i7", "i9"),
                attributes={"device": "phone", "hour": 21},
                filters={"price": {"min": 1, "max": 5}},
                exclude=("i8",),
            ),
            versions=Versions(FeatureSpace("minilm", "3", 384), space, 7, "thompson#0123456789ab", 41, 2**40),
            candidates=tuple(f"i{row}" for row in range(5)),
            sources=("near", "near", "draw", "mean", "fresh"),
            probabilities=odds,
            slots=tuple(Slot(m, f"i{m}", 1 / (3 + m), float(odds[m]), "near") for m in range(3)),
            features=rng.standard_normal((3, 4)).astype(np.float32),
            window_closes_at=CLOSES,
        )

    def feedback(
        self,
        decision_id: str,
        *,
        slot: int,
        at: float = START + 2.0,
        value: float = 1.0,
        feedback_id: str | None = None,
    ) -> Feedback:
        return Feedback(decision_id, slot, self.kind, value, at, feedback_id)


def same_decision(one: Decision, other: Decision) -> str | None:
    """The first field in which two decisions differ, in words; None if in none."""
    for field in fields(Decision):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            same = isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
        else:
            same = a == b
        if not same:
            return f"{field.name}: {a!r} became {b!r}"
    return None
