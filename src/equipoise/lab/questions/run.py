"""`equipoise simulate questions`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, InputError
from equipoise.lab.play import Outcome, Play, Row, refuse
from equipoise.lab.questions.data import questions_from_folder
from equipoise.lab.questions.picture import error_picture
from equipoise.lab.questions.players import DEFAULT, check_names, played
from equipoise.lab.questions.world import Played, QuestionsWorld, world_of

SEEDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One player over all seeds."""

    policy: str
    plays: tuple[Played, ...]

    @property
    def wrong(self) -> Floats:
        """(n,) share of seeds in which the question at each place of the pass was answered wrongly."""
        return np.asarray(np.mean([played.wrong for played in self.plays], axis=0))

    def rows(self) -> list[Row]:
        """Three errors; each one's own error is over seeds, which shuffle the questions and throw the dice."""
        values = {
            "error-last-fifth": [played.last_fifth for played in self.plays],
            "error-test": [float(played.test_wrong.mean()) for played in self.plays],
            "error-pass": [float(played.wrong.mean()) for played in self.plays],
        }
        return [self._row(metric, np.array(of_seeds)) for metric, of_seeds in values.items()]

    def _row(self, metric: str, values: Floats) -> Row:
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
        return Row("questions", self.policy, metric, float(values.mean()), error, len(values))


def run(play: Play) -> Outcome:
    """Every player on the same orders of the same questions; `size` is how many of them."""
    refuse(play, "questions", "train_share", "visitors", "label")
    names = tuple(dict.fromkeys(play.policies or DEFAULT))
    check_names(names)
    if play.data is None:
        raise InputError(
            "the world 'questions' needs --data: a folder with train.csv and test.csv, whose first line is"
            " text,category"
        )
    world = world_of(questions_from_folder(play.data))
    scores = [_score(play, world, name) for name in names]
    if play.picture is not None:
        error_picture([(score.policy, score.wrong) for score in scores], play.picture)
    return Outcome(
        tuple(row for score in scores for row in score.rows()),
        f"share of wrong answers among {len(world.answers)}; errors over seeds",
    )


def _score(play: Play, world: QuestionsWorld, name: str) -> Score:
    total = min(play.size or len(world.train), len(world.train))

    def one(seed: int) -> Played:
        def watch(done: int, mean: float) -> None:
            play.progress(f"{name} seed {seed}", done, total, mean)

        return played(world, name, seed=seed, size=play.size, watch=watch)

    return Score(name, tuple(one(seed) for seed in range(play.seeds or SEEDS)))
