"""The promotion gate inside an engine: a challenger in the shadow, then in a share of the traffic, then in service."""

from equipoise.engine.promotion.keeper import Keeper
from equipoise.engine.promotion.serving import serving

__all__ = ["Keeper", "serving"]
