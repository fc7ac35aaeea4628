"""Equipoise: recommendations from text that balance exploration and exploitation.

from equipoise import Engine, Request

engine = Engine.open("equipoise.toml")
decision = engine.recommend(Request(text="shoes for wet trails", user_id="u1"), slots=10)
engine.feedback(decision.decision_id, slot=2, kind="click")
"""

from equipoise.catalog import Item
from equipoise.core import (
    Batch,
    Candidates,
    Decision,
    EquipoiseError,
    FeatureSpace,
    Feedback,
    Receipt,
    Request,
    Slot,
)
from equipoise.engine import Engine, Explanation, Settings

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Candidates",
    "Decision",
    "Engine",
    "EquipoiseError",
    "Explanation",
    "FeatureSpace",
    "Feedback",
    "Item",
    "Receipt",
    "Request",
    "Settings",
    "Slot",
]
