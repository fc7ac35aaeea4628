"""`equipoise train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from equipoise.cli.comparison import show, show_support
from equipoise.cli.evaluate import NO_SUPPORT
from equipoise.cli.shared import (
    DEFAULT_CONFIG,
    AnyLog,
    Json,
    LogColumns,
    LogFormat,
    OwnJournal,
    opened,
    print_json,
    print_table,
    progress_bar,
)
from equipoise.core import InputError
from equipoise.engine import Engine
from equipoise.engine.offline.policy_file import check_free, sentences, write_policy
from equipoise.engine.offline.training import Challenger, Method, Plan, train_on_journal, train_on_log
from equipoise.engine.toml import load_settings
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.logs import Log, Reading, read_columns, read_log
from equipoise.evaluation.logs.open_bandit import read_open_bandit
from equipoise.evaluation.report.rows import Comparison, number
from equipoise.evaluation.support import NoSupportError
from equipoise.evaluation.targets.learning import LOG_SPACE
from equipoise.policies.policy import FLOOR


@dataclass(frozen=True, kw_only=True)
class Source:
    """What to learn from: our own journal, or anyone's log."""

    journal: OwnJournal = None
    log: AnyLog = None
    columns: LogColumns = None
    form: LogFormat = None
    campaign: Annotated[str, Parameter(help="open-bandit: which file of the folder, such as men.")] = "all"
    rejects: Annotated[
        Path | None,
        Parameter(help="Where bad rows are kept; by default the log's name with .rejects.jsonl, here."),
    ] = None
    config: Annotated[
        Path | None,
        Parameter(
            name=["--config", "-c"],
            help="The configuration. For a log: train in this catalogue's features too, so that it can be served.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class How:
    """How to train."""

    method: Annotated[
        Method,
        Parameter(
            help="dr: doubly robust; poem: IPS less its standard error; snips: self-normalised; ips: plain."
        ),
    ] = "dr"
    variance: Annotated[
        float | None,
        Parameter(
            help="POEM's weight of the estimate's standard error; by default what does best on held-out rows."
        ),
    ] = None
    ridge: Annotated[
        float | None, Parameter(help="Pull of the weights to 0, in rows; by default as for --variance.")
    ] = None
    clip: Annotated[float, Parameter(help="The largest importance weight.")] = 100.0
    held_out: Annotated[
        float, Parameter(help="The later share of the decisions, which judges and is not trained on.")
    ] = 0.3
    floor: Annotated[float, Parameter(help="The least probability of any candidate.")] = FLOOR
    last: Annotated[
        int | None, Parameter(help="--journal: train on that many decisions, the latest of the earlier part.")
    ] = None
    seed: Annotated[int, Parameter(help="Of the reward model's folds.")] = 0


def run(
    *,
    source: Annotated[Source, Parameter(name="*")] = Source(),
    how: Annotated[How, Parameter(name="*")] = How(),
    out: Annotated[Path, Parameter(help="The challenger's TOML to write, weights included.")] = Path(
        "challenger.toml"
    ),
    force: Annotated[bool, Parameter(negative="", help="Replace that file.")] = False,
    json: Json = False,
) -> int:
    """Train a policy on the earlier part of a log, and say what it would have earned in the later part.

    It exits with 3 where the later part cannot answer.

    Example: equipoise train --log their.parquet --columns map.toml --out challenger.toml
    """
    if (source.journal is None) == (source.log is None):
        raise InputError(
            "name one log: --journal shop.db for our own, or --log their.parquet --columns map.toml"
        )
    check_free(out, force=force)
    made = _trained(source, _plan(how, out), how.last)
    write_policy(made, out, log=str(source.journal or source.log), force=force)
    try:
        found = _estimated(made)
    except NoSupportError as error:
        _tell(made, out, None, str(error), json=json)
        if not json:
            show_support(error.support)
        return NO_SUPPORT
    _tell(made, out, found, None, json=json)
    return 0


def _plan(how: How, out: Path) -> Plan:
    return Plan(
        name=out.stem,
        method=how.method,
        variance=how.variance,
        ridge=how.ridge,
        clip=how.clip,
        held_out=how.held_out,
        floor=how.floor,
        seed=how.seed,
    )


def _trained(source: Source, plan: Plan, last: int | None) -> Challenger:
    if source.journal is not None:
        with (
            _engine(source.journal, source.config or DEFAULT_CONFIG) as engine,
            progress_bar("training") as bar,
            progress_bar("asking the policy") as asking,
        ):
            return train_on_journal(engine, plan, last=last, progress=bar, asking=asking)
    if source.config is None:
        log = _log(source, None)
        with progress_bar("training") as bar:
            return train_on_log(log, plan, progress=bar)
    with opened(source.config) as engine:
        log = _log(source, frozenset(engine.item_ids))
        with progress_bar("training") as bar, progress_bar("making features") as pairing:
            return train_on_log(log, plan, engine=engine, progress=bar, pairing=pairing)


def _engine(journal: Path, config: Path) -> Engine:
    """The engine of the configuration, on this journal."""
    settings = load_settings(config)
    if not journal.exists():
        raise InputError(f"there is no journal '{journal}': check the path, which is taken from {Path.cwd()}")
    if settings.at(settings.journal.path).resolve() != journal.resolve():
        own = msgspec.structs.replace(settings.journal, path=str(journal.resolve()))
        settings = msgspec.structs.replace(settings, journal=own)
    with progress_bar("encoding the catalogue") as bar:
        return Engine.of(settings, progress=bar)


def _log(source: Source, items: frozenset[str] | None) -> Log:
    """In the order of its times; bad rows, and those of items that are not among `items`, are kept aside and counted."""
    path = source.log or Path()
    columns = None if source.columns is None else read_columns(source.columns)
    if columns is not None and columns.item_id is None:
        raise InputError('the columns name no item_id: write item_id = "the column with what was shown"')
    with progress_bar("reading the log") as bar:
        how = Reading(
            format=source.form,
            skip_bad_rows=True,
            rejects=source.rejects or Path(f"{path.name}.rejects.jsonl"),
            items=items,
            sort=True,
            users=True,
            progress=bar,
        )
        if source.form == "open-bandit":
            return read_open_bandit(path, campaign=source.campaign, how=how)
        return read_log(path, columns, how=how)


def _estimated(made: Challenger) -> Comparison:
    with progress_bar("estimating") as bar:
        return Evaluation(made.held_out, options=Options(progress=bar)).compare(made.targets)


def _tell(made: Challenger, out: Path, found: Comparison | None, refusal: str | None, *, json: bool) -> None:
    if json:
        print_json(_as_json(made, out, found, refusal))
        return
    for one in made.fitted:
        if one.tried:
            rows = [
                (number(t.settings.variance), number(t.settings.ridge), number(t.value), number(t.low))
                for t in one.tried
            ]
            columns = ("variance", "ridge", "held-out value", "less one standard error")
            print_table(f"what was tried in {one.space}", columns, rows)
    if found is not None:
        show(found)
    for note in (*made.notes, *sentences(made)):
        print(f"{note}.")
    if refusal is not None:
        print(f"{refusal}.")
    print(f"written to {out}, which has seen the earlier part of this log: judge it by what comes later.")
    print(f"next: {_next(made, out)}.")


def _next(made: Challenger, out: Path) -> str:
    """The commands that can take the file: weights in a log's own space serve no catalogue."""
    spaces = [one.space.name for one in made.fitted]
    commands = [f"equipoise evaluate --log LATER --columns MAP --policy {out}"] if LOG_SPACE in spaces else []
    if spaces != [LOG_SPACE]:
        commands += [f"equipoise evaluate --journal LATER --policy {out}", f"equipoise promote {out}"]
    return ", or ".join(commands)


def _as_json(made: Challenger, out: Path, found: Comparison | None, refusal: str | None) -> dict[str, Any]:
    return {
        "policy": made.plan.name,
        "file": str(out),
        "method": made.plan.method,
        "trained": [
            {
                "space": str(one.space),
                "choices": one.choices,
                "n_effective": one.trained.n_effective,
                "clip": one.trained.settings.clip,
                "variance": one.trained.settings.variance,
                "ridge": one.trained.settings.ridge,
                "settled": one.trained.settled,
                "tried": [
                    {
                        "variance": t.settings.variance,
                        "ridge": t.settings.ridge,
                        "value": t.value,
                        "low": t.low,
                    }
                    for t in one.tried
                ],
            }
            for one in made.fitted
        ],
        "propensities": made.propensities,
        "estimated": made.estimated,
        "notes": list(made.notes),
        "estimates": [] if found is None else [row.as_dict() for row in found.rows],
        "refusal": refusal,
    }
