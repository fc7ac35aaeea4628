"""all-MiniLM-L6-v2, the encoder that comes with Equipoise: 384 numbers, English, 22.9 MB."""

from equipoise.encoders.minilm.model import SHIPPED_SHA256, open_minilm, shipped_path

__all__ = ["SHIPPED_SHA256", "open_minilm", "shipped_path"]
