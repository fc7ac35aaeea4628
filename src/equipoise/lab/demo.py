"""The demo: the Films world played by an engine on disk, which stays there to be tried."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from equipoise.core import InputError
from equipoise.engine import Engine, write_config
from equipoise.lab.films import (
    BASELINES,
    EnginePlayer,
    FilmsWorld,
    Score,
    compare,
    films_from_package,
    play,
)
from equipoise.lab.films.simulate import DIFFERENCES
from equipoise.lab.picture import reward_picture
from equipoise.lab.play import Outcome, Progress, Row

COMPARED = ("uniform", "popularity", "bias")


@dataclass(frozen=True, slots=True, eq=False)
class Demo:
    """A folder with a catalogue, a configuration and, once opened, a journal."""

    folder: Path
    world: FilmsWorld

    @classmethod
    def prepare(cls, folder: Path, *, visits: int | None = None) -> Demo:
        """Write the catalogue and its configuration; what an earlier demo learned is dropped, its vectors are kept."""
        if visits is not None and visits < 1:
            raise InputError(f"visits is {visits} but must be 1 or more: leave it out to play all of them")
        world = FilmsWorld.of(films_from_package())
        world = FilmsWorld(world.items, world.visits[:visits])
        folder.mkdir(parents=True, exist_ok=True)
        demo = cls(folder, world)
        demo._reset()
        demo._write_catalog()
        demo._write_config()
        return demo

    @property
    def config(self) -> Path:
        return self.folder / "equipoise.toml"

    @property
    def users(self) -> int:
        return len({visit.user for visit in self.world.visits})

    def open(self, *, progress: Callable[[int, int], None] | None = None) -> Engine:
        """The engine, its films encoded."""
        return Engine.open(self.config, progress=progress)

    def play(self, engine: Engine, *, progress: Progress) -> list[Score]:
        """The baselines first, then the engine, beside each other on one live line."""
        scores = []
        for name in COMPARED:
            player = BASELINES[name](self.world, np.zeros((0, 0), dtype=np.float32), np.random.default_rng(0))
            scores.append(self._score(name, player, progress))
        return [self._score(engine.policy_name, EnginePlayer(engine, self.world), progress), *scores]

    def rows(self, scores: Sequence[Score]) -> list[Row]:
        return compare("films", scores)

    def outcome(self, scores: Sequence[Score]) -> Outcome:
        """The same as a table with its caption."""
        told = "differences are paired; errors by a bootstrap over users"
        return Outcome(tuple(self.rows(scores)), told, differences=DIFFERENCES)

    def draw(self, scores: Sequence[Score]) -> Path:
        """The picture of reward over time."""
        title = f"Films: what {self.users:,} real users liked of what each policy showed them"
        return reward_picture(scores, self.folder / "reward.png", title=title)

    def _score(self, name: str, player: object, progress: Progress) -> Score:
        total = len(self.world.visits)
        played = play(self.world, player, progress=lambda done, mean: progress(name, done, total, mean))  # type: ignore[arg-type]
        return Score(name, played.rewards, played, 1)

    def _reset(self) -> None:
        for name in ("films.db", "films.db-wal", "films.db-shm", "films.db.lock"):
            (self.folder / name).unlink(missing_ok=True)
        for name in ("checkpoints", "pairings"):
            shutil.rmtree(self.folder / "films.state" / name, ignore_errors=True)

    def _write_catalog(self) -> None:
        with (self.folder / "films.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("item_id", "title", "genres", "published_at"))
            for item in self.world.items:
                at = item.published_at
                day = "" if at is None else datetime.fromtimestamp(at, UTC).date().isoformat()
                genres = item.attributes.get("genres", ())
                named = "|".join(genres) if isinstance(genres, tuple) else ""
                writer.writerow((item.item_id, item.text, named, day))

    def _write_config(self) -> None:
        write_config(self.folder / "films.csv", self.config, force=True)
        text = self.config.read_text(encoding="utf-8")
        text = text.replace('path = "equipoise.db"', 'path = "films.db"')
        text = text.replace("# expected_reward = 0.1 ", "expected_reward = 0.5 ")
        self.config.write_text(text, encoding="utf-8")
