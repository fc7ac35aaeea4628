"""`equipoise warm-start`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, opened, print_json, progress_bar
from equipoise.engine.offline.foreign import Weighting
from equipoise.engine.offline.warm_start import warm_start
from equipoise.evaluation.logs import read_columns
from equipoise.evaluation.logs.faults import counted


def run(
    *,
    log: Annotated[Path, Parameter(help="What another system showed: CSV, TSV, JSONL, Parquet or dsjson.")],
    columns: Annotated[
        Path | None,
        Parameter(help="TOML that says which of its columns is what: item_id and reward at least."),
    ] = None,
    form: Annotated[
        str | None, Parameter(name="--format", help="How the log is written, if its name does not tell.")
    ] = None,
    kind: Annotated[
        str | None,
        Parameter(help="The kind of feedback that rewards are kept as; by default the first of [reward]."),
    ] = None,
    weighting: Annotated[
        Weighting | None,
        Parameter(
            help="How rows count: by inverse propensity (ips), by that and a reward model (dr), or all alike (none); "
            "by default ips if the log has propensities."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Learn from another system's log, so that the policy does not start from nothing; once, however often it is run.

    Example: equipoise warm-start --log their.parquet --columns map.toml
    """
    named = None if columns is None else read_columns(columns)
    with opened(config) as engine, progress_bar("learning from the log") as bar:
        done = warm_start(engine, log, named, form=form, kind=kind, weighting=weighting, progress=bar)
    if json:
        print_json(done)
        return
    print(
        f"{counted(done.decisions, 'decision')} with {counted(done.slots, 'slot')} taken in"
        + (f", mean reward {done.mean_reward:.4g};" if done.decisions else ";")
    )
    print(
        f"{done.again:,} were there before, {counted(done.left_out, 'row')} set aside; learned up to {done.learned:,}."
    )
    for note in (*done.notes, done.propensities, done.weights):
        print(f"{note}.")
