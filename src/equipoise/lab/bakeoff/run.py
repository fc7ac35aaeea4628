"""`equipoise simulate bakeoff`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import ConfigurationError, Floats, InputError, generator
from equipoise.engine import nearest
from equipoise.lab.bakeoff.peers import PEERS, installed
from equipoise.lab.bakeoff.picture import error_picture
from equipoise.lab.bakeoff.players import DEFAULT, EXPLORERS, OURS, REFERENCES, Setting, ours
from equipoise.lab.bakeoff.round import Player, play_once
from equipoise.lab.bakeoff.stream import Stream, stream
from equipoise.lab.bakeoff.table import ClassTable, tables
from equipoise.lab.play import Outcome, Play, Row, refuse

SEEDS = 5
KNOWN = (*OURS, *REFERENCES, *PEERS)
LIST = (
    *EXPLORERS,
    *(name + suffix for suffix in ("-linear", "-waves") for name in (DEFAULT, "thompson", "greedy")),
    *REFERENCES,
)
"""Who plays where nobody is named, and every peer that is installed with them."""

SEARCHED = 0.3, 3_000
"""A peer's level is searched for on this share of the rows in an order of its own, or on so many if that is fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One player on one table. wrong: (s, n) by seed and row. level: what a search chose, None for ours."""

    policy: str
    table: str
    wrong: Floats
    level: float | None = None

    def row(self) -> Row:
        """The progressive error of the whole pass; its own error is over seeds, which shuffle rows and throw dice."""
        errors = self.wrong.mean(axis=1)
        stderr = float(errors.std(ddof=1) / np.sqrt(len(errors))) if len(errors) > 1 else 0.0
        return Row("bakeoff", self.policy, f"error-{self.table}", float(errors.mean()), stderr, len(errors))


def run(play: Play) -> Outcome:
    """Every player on the same orders of the same rows; `size` is how many rows of each table."""
    refuse(play, "bakeoff", "train_share", "visitors")
    names = tuple(dict.fromkeys(play.policies or (*LIST, *installed())))
    for name in names:
        if name not in KNOWN:
            raise ConfigurationError(f"nobody is called '{name}'{nearest(name, list(KNOWN))}")
    if play.data is None:
        raise InputError(
            "the world 'bakeoff' needs --data: a CSV file with a class column, or a folder of them"
        )
    read = tables(play.data, label=play.label)
    scores = [_score(play, table, name) for table in read for name in names]
    if play.picture is not None:
        error_picture([(score.table, score.policy, score.wrong) for score in scores], play.picture)
    return Outcome(tuple(score.row() for score in scores), _caption(read))


def _caption(read: list[ClassTable]) -> str:
    told = (
        f"{table.name}: class '{table.label}'{' (guessed)' if table.guessed else ''}, {len(table.classes)} classes"
        for table in read
    )
    return f"{'; '.join(told)}. Our default is '{DEFAULT}'; errors over seeds"


def _score(play: Play, table: ClassTable, name: str) -> Score:
    level = _searched(table, name, play.size) if name in PEERS else None
    plays = [_wrong(play, table, name, level, seed) for seed in range(play.seeds or SEEDS)]
    return Score(name, table.name, np.array(plays), level)


def _wrong(play: Play, table: ClassTable, name: str, level: float | None, seed: int) -> Floats:
    rows = stream(table, generator(seed, f"order-{table.name}"), size=play.size)
    if name == "oracle":
        return np.zeros(len(rows))

    def watch(done: int, error: float) -> None:
        play.progress(f"{table.name} {name}", done, len(rows), error)

    player = _player(name, _setting(table, rows), level, generator(seed, f"{name}-{table.name}"))
    return play_once(player, rows, watch)


def _player(name: str, setting: Setting, level: float | None, rng: np.random.Generator) -> Player:
    return ours(name, setting, rng) if level is None else PEERS[name].make(setting, level, rng)


def _setting(table: ClassTable, rows: Stream) -> Setting:
    return Setting(classes=len(table.classes), dim=rows.contexts.shape[1], columns=len(table.columns))


def _searched(table: ClassTable, name: str, size: int | None) -> float:
    """The level at which the peer's error is least on the earlier part of an order that no seed plays."""
    levels = PEERS[name].levels
    share, most = SEARCHED
    count = max(1, min(most, int(share * min(len(table), size or len(table)))))
    rows = stream(table, generator(-1, f"order-{table.name}"), size=count)
    if len(levels) == 1:
        return levels[0]
    errors = []
    for level in levels:
        player = _player(name, _setting(table, rows), level, generator(-1, name))
        errors.append(play_once(player, rows, lambda done, error: None).mean())
    return levels[int(np.argmin(errors))]
