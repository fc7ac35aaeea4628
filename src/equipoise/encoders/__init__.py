"""Texts to vectors in a named feature space, with a cache of what was already encoded; and the pairing."""

from equipoise.encoders.cached import CachedEncoder
from equipoise.encoders.minilm import open_minilm

__all__ = ["CachedEncoder", "open_minilm"]
