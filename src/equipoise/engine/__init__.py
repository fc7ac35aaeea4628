"""The engine: reads the configuration, builds the parts, and speaks the two sentences, recommend and feedback."""

from equipoise.engine.doctor import Finding, examine
from equipoise.engine.engine import Engine
from equipoise.engine.initial import write_config
from equipoise.engine.loading import Imported
from equipoise.engine.maintenance import Replayed
from equipoise.engine.settings import Settings
from equipoise.engine.toml import load_settings, nearest, settings_from
from equipoise.engine.why import Explanation, Part, SlotReason

__all__ = [
    "Engine",
    "Explanation",
    "Finding",
    "Imported",
    "Part",
    "Replayed",
    "Settings",
    "SlotReason",
    "examine",
    "load_settings",
    "nearest",
    "settings_from",
    "write_config",
]
