"""`equipoise simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from equipoise.cli.shared import Json, print_json, print_table, reward_bar
from equipoise.lab.films import (
    BASELINES,
    DEFAULT_POLICIES,
    FilmsWorld,
    compare,
    films_from_folder,
    films_from_package,
    simulate,
)
from equipoise.lab.films.simulate import Row
from equipoise.lab.picture import reward_picture


def run(
    world: Annotated[Literal["films"], Parameter(help="Which world to play.")] = "films",
    /,
    *,
    data: Annotated[
        Path | None, Parameter(help="A folder with MovieLens's ratings.csv and movies.csv.")
    ] = None,
    policy: Annotated[
        tuple[str, ...],
        Parameter(
            help="Who plays; greedy, thompson and all baselines if none is named.",
            consume_multiple=True,
        ),
    ] = (),
    seeds: Annotated[int, Parameter(help="How often each is played.")] = 1,
    picture: Annotated[Path | None, Parameter(help="Draw reward over time to this PNG.")] = None,
    json: Json = False,
) -> None:
    """Play policies through a world whose truth is recorded, beside the baselines.

    Example: equipoise simulate films --data ml-latest-small --policy thompson popularity als --seeds 3
    """
    films = FilmsWorld.of(films_from_folder(data) if data is not None else films_from_package())
    names = policy or (*DEFAULT_POLICIES, *BASELINES, "oracle")
    with reward_bar(len(films.visits)) as progress:
        scores = simulate(films, names, seeds=seeds, progress=progress)
    rows = compare(world, scores)
    if picture is not None:
        reward_picture(scores, picture, title=f"{world}: reward of a slot over {len(films.visits):,} visits")
    if json:
        print_json(rows)
    else:
        show(rows)


def show(rows: list[Row]) -> None:
    """A table of all rows, differences with their sign."""
    cells = [
        (
            row.world,
            row.policy,
            row.metric,
            f"{row.value:+.4f}" if "-" in row.metric else f"{row.value:.4f}",
            f"{row.stderr:.4f}",
            str(row.seeds),
        )
        for row in rows
    ]
    print_table(
        "differences are paired; errors by a bootstrap over users",
        ("world", "policy", "metric", "value", "stderr", "seeds"),
        cells,
    )
