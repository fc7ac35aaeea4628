"""The Films world: real users in time order, real films, real ratings (see docs/how-to/films.md)."""

from equipoise.lab.films.baselines import BASELINES, REFERENCES
from equipoise.lab.films.data import FilmData, films_from_folder, films_from_package
from equipoise.lab.films.simulate import (
    DEFAULT_POLICIES,
    EnginePlayer,
    Score,
    compare,
    engine_player,
    films_settings,
    simulate,
)
from equipoise.lab.films.world import FilmsWorld, Played, Player, Visit, play

__all__ = [
    "BASELINES",
    "DEFAULT_POLICIES",
    "REFERENCES",
    "EnginePlayer",
    "FilmData",
    "FilmsWorld",
    "Played",
    "Player",
    "Score",
    "Visit",
    "compare",
    "engine_player",
    "films_from_folder",
    "films_from_package",
    "films_settings",
    "play",
    "simulate",
]
