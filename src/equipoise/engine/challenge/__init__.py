"""A challenger beside the incumbent: its settings, its parts, and what it would have done in the incumbent's place."""

from equipoise.engine.challenge.beside import beside
from equipoise.engine.challenge.judging import Judged, judged
from equipoise.engine.challenge.settings import OWN, challenger_settings, challenger_tables

__all__ = [
    "OWN",
    "Judged",
    "beside",
    "challenger_settings",
    "challenger_tables",
    "judged",
]
