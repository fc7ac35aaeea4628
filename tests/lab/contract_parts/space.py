"""The space and the floor that all the parts here share."""

from __future__ import annotations

from equipoise.core import FeatureSpace

SPACE = FeatureSpace("toy", "1", 5)
FLOOR = 0.005
