"""`equipoise simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from equipoise.cli.shared import Json, play_bar, print_json, print_table
from equipoise.lab.play import Outcome, Play, write_csv
from equipoise.lab.worlds import play_world

World = Literal["films", "headlines", "wheel", "questions", "bakeoff", "linear"]


def run(
    world: Annotated[World, Parameter(help="Which world to play.")] = "films",
    /,
    *,
    data: Annotated[
        Path | None, Parameter(help="A folder of the world's own format; see its page for the files.")
    ] = None,
    policy: Annotated[
        tuple[str, ...],
        Parameter(
            help="Who plays; the world's own list if none is named.",
            consume_multiple=True,
        ),
    ] = (),
    seeds: Annotated[int | None, Parameter(help="How often each is played.")] = None,
    train_share: Annotated[
        float | None, Parameter(help="The earlier share of the data, which may be learned from as a log.")
    ] = None,
    visitors: Annotated[
        tuple[int, ...],
        Parameter(help="Lengths of stream, where a world has several.", consume_multiple=True),
    ] = (),
    label: Annotated[str | None, Parameter(help="The class column of a classification table.")] = None,
    size: Annotated[int | None, Parameter(help="Rounds, rows or items to play at most.")] = None,
    csv: Annotated[Path | None, Parameter(help="Write the rows to this CSV file too.")] = None,
    picture: Annotated[Path | None, Parameter(help="Draw the result to this PNG.")] = None,
    json: Json = False,
) -> None:
    """Play policies through a world whose truth is known or recorded, beside the baselines.

    Example: equipoise simulate films --data ml-latest-small --policy thompson popularity als --seeds 3
    """
    with play_bar() as progress:
        outcome = play_world(
            world,
            Play(
                data=data,
                policies=policy,
                seeds=seeds,
                train_share=train_share,
                visitors=visitors,
                label=label,
                size=size,
                picture=picture,
                progress=progress,
            ),
        )
    if csv is not None:
        write_csv(outcome.rows, csv)
    if json:
        print_json(outcome.rows)
    else:
        show(outcome)


def show(outcome: Outcome) -> None:
    """A table of all rows, differences with their sign; visitors only where the world has them."""
    rows = outcome.rows
    lengths = any(row.visitors is not None for row in rows)
    cells = [
        (
            row.world,
            row.policy,
            *((f"{row.visitors or ''}",) if lengths else ()),
            row.metric,
            f"{row.value:+.4f}" if row.metric.startswith(outcome.differences) else f"{row.value:.4f}",
            f"{row.stderr:.4f}",
            str(row.seeds),
        )
        for row in rows
    ]
    columns = ("world", "policy", *(("visitors",) if lengths else ()), "metric", "value", "stderr", "seeds")
    print_table(outcome.caption, columns, cells)
