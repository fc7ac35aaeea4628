"""Texts to vectors in a named feature space, with a cache of what was already encoded; and the pairing."""

from equipoise.encoders.artifact import cache_folder
from equipoise.encoders.cached import CachedEncoder
from equipoise.encoders.choose import NAMES, KnownFile, known_files, open_encoder
from equipoise.encoders.directory import open_directory
from equipoise.encoders.hashing import HashingEncoder
from equipoise.encoders.hub import open_hub
from equipoise.encoders.minilm import open_minilm
from equipoise.encoders.multilingual import MultilingualEncoder, open_multilingual
from equipoise.encoders.numeric import NumericEncoder
from equipoise.encoders.pairing import (
    Asked,
    AttributeCode,
    Direction,
    Layout,
    Outlook,
    Pairing,
    PairingSettings,
    Shown,
    history_vector,
)
from equipoise.encoders.runtime import TransformerEncoder

__all__ = [
    "NAMES",
    "Asked",
    "AttributeCode",
    "CachedEncoder",
    "Direction",
    "HashingEncoder",
    "KnownFile",
    "Layout",
    "Outlook",
    "MultilingualEncoder",
    "NumericEncoder",
    "Pairing",
    "PairingSettings",
    "Shown",
    "TransformerEncoder",
    "cache_folder",
    "history_vector",
    "known_files",
    "open_directory",
    "open_encoder",
    "open_hub",
    "open_minilm",
    "open_multilingual",
]
