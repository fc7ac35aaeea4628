"""A small world of slates whose truth is known, in which a slot's reward may depend on its neighbours."""

from equipoise.lab.cascade.settings import CascadeSettings
from equipoise.lab.cascade.world import CascadeWorld

__all__ = ["CascadeSettings", "CascadeWorld"]
