"""`equipoise simulate films`."""

from __future__ import annotations

from equipoise.lab.films.baselines import BASELINES
from equipoise.lab.films.data import films_from_folder, films_from_package
from equipoise.lab.films.simulate import DEFAULT_POLICIES, DIFFERENCES, compare, simulate
from equipoise.lab.films.world import FilmsWorld
from equipoise.lab.picture import reward_picture
from equipoise.lab.play import Outcome, Play, refuse


def run(play: Play) -> Outcome:
    """Policies beside the baselines; nothing is learned ahead, so there is no train share."""
    refuse(play, "films", "train_share", "visitors", "label", "size")
    films = FilmsWorld.of(films_from_folder(play.data) if play.data is not None else films_from_package())
    names = play.policies or (*DEFAULT_POLICIES, *BASELINES, "oracle")
    total = len(films.visits)
    scores = simulate(
        films,
        names,
        seeds=play.seeds or 1,
        progress=lambda name, done, mean: play.progress(name, done, total, mean),
    )
    if play.picture is not None:
        reward_picture(scores, play.picture, title=f"films: reward of a slot over {total:,} visits")
    return Outcome(
        tuple(compare("films", scores)),
        "differences are paired; errors by a bootstrap over users",
        differences=DIFFERENCES,
    )
