"""`equipoise evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from cyclopts import Parameter

from equipoise.cli.challengers import judged_journal, largest_weight, own_log, targets_of
from equipoise.cli.comparison import show, show_support
from equipoise.cli.shared import (
    DEFAULT_CONFIG,
    AnyLog,
    Config,
    Json,
    LogColumns,
    LogFormat,
    OwnJournal,
    print_table,
    progress_bar,
)
from equipoise.core import InputError
from equipoise.engine import Engine
from equipoise.engine.toml import load_settings
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.logs import Log, Reading, read_columns, read_log
from equipoise.evaluation.logs.items import read_items, read_vectors, with_clusters
from equipoise.evaluation.logs.open_bandit import read_open_bandit
from equipoise.evaluation.metrics.shown import measured
from equipoise.evaluation.report.page import write_page
from equipoise.evaluation.report.rows import HEAD, cells
from equipoise.evaluation.support import NoSupportError
from equipoise.evaluation.targets import Target

NO_SUPPORT = 3
"""The exit code where a log cannot answer."""

WHOLE = frozenset({"mips", "mrdr", "adaptive_dr"})
"""Estimators for which more is gathered from our own journal."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the log is: our own journal, somebody's file, or an Open Bandit folder."""

    journal: OwnJournal = None
    log: AnyLog = None
    columns: LogColumns = None
    form: LogFormat = None
    target_log: Annotated[
        Path | None, Parameter(help="open-bandit: the folder of the policy to be evaluated.")
    ] = None
    campaign: Annotated[str, Parameter(help="open-bandit: which file of the folders, such as men.")] = "all"
    target_from: Annotated[
        str | None,
        Parameter(
            help="open-bandit: how that policy is known: propensities, published or counts; the first that fits."
        ),
    ] = None
    target_parameters: Annotated[
        Path | None,
        Parameter(help="open-bandit: parameters of its Thompson sampling, TOML or prior_bts.yaml."),
    ] = None
    items: Annotated[
        Path | None, Parameter(help="The items that there are, one id a line; others are bad rows.")
    ] = None
    vectors: Annotated[
        Path | None,
        Parameter(
            help="For mips: an .npz with item_ids and vectors, or an .npy of vectors with the ids in --items. Our own "
            "journal has them."
        ),
    ] = None
    sort: Annotated[bool, Parameter(negative="", help="Bring the log into the order of its times.")] = False
    skip_bad_rows: Annotated[
        bool, Parameter(negative="", help="Evaluate the good rows; keep the bad ones aside in a file.")
    ] = False
    rejects: Annotated[
        Path | None, Parameter(help="That file; by default the log's name with .rejects.jsonl, here.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class How:
    """How to evaluate, and what to show."""

    estimator: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, negative="", help="Names; by default those that fit the log."),
    ] = None
    clusters: Annotated[
        int | None, Parameter(help="For mips: of items that are alike; by default the root of their number.")
    ] = None
    interval: Annotated[
        str,
        Parameter(
            help="normal, bootstrap, empirical_bernstein, clopper_pearson (for plain means of 0 and 1) or "
            "confidence_sequence."
        ),
    ] = "normal"
    level: Annotated[float, Parameter(help="Of the intervals, between 0 and 1.")] = 0.95
    reward_range: Annotated[
        tuple[float, float] | None,
        Parameter(
            negative="",
            help="Between which two numbers a slot's reward lies, such as 0 1; for empirical_bernstein and "
            "confidence_sequence. Our own journal knows it.",
        ),
    ] = None
    largest_weight: Annotated[
        float | None,
        Parameter(
            help="The most that target probability over propensity can be, such as 1 / floor; for the same two."
        ),
    ] = None
    by: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, negative="", help="Attributes to show the groups of."),
    ] = None
    over_time: Annotated[bool, Parameter(negative="", help="Show parts of the log, one after the other.")] = (
        False
    )
    window_seconds: Annotated[
        float | None, Parameter(help="How long a reward is waited for, if it is not our journal.")
    ] = None
    metrics: Annotated[
        bool, Parameter(negative="", help="Only measure what the log itself shows; no policy is needed.")
    ] = False
    force: Annotated[
        bool, Parameter(negative="", help="Give the number although the log cannot answer, with the warning.")
    ] = False
    seed: Annotated[int, Parameter(help="Of bootstrap samples.")] = 0
    cores: Annotated[int, Parameter(help="How many processes share the work; 0: all cores.")] = 1


def run(
    *,
    policy: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True,
            negative="",
            help="A challenger's TOML, a policy's name, uniform, or one that the log has probabilities of; several "
            "are compared.",
        ),
    ] = None,
    source: Annotated[Source, Parameter(name="*")] = Source(),
    how: Annotated[How, Parameter(name="*")] = How(),
    report: Annotated[Path | None, Parameter(help="Write everything as one HTML page.")] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Say from a log what another policy would have earned, how sure that is, and when not to believe it.

    It exits with 3 where the log cannot answer.

    Example: equipoise evaluate --journal shop.db --policy challenger.toml
    """
    words = [word for given in policy or () for word in given.split(",") if word]
    if (source.journal is None) == (source.log is None):
        raise InputError(
            "name one log: --journal shop.db for our own, or --log their.parquet --columns map.toml"
        )
    if how.metrics:
        return _measure(source, how, config, json=json)
    asked = _of_journal(source.journal, words, how, config) if source.journal else _of_log(source, words, how)
    with progress_bar("estimating") as bar:
        # The page shows time in any case; the terminal and the JSON only if asked to.
        options = _options(how, asked, bar, over_time=how.over_time or report is not None)
        try:
            found = Evaluation(asked.log, options=options).compare(asked.targets)
        except NoSupportError as error:
            _refuse(error, json=json)
            return NO_SUPPORT
    told = found if how.over_time else replace(found, series=())
    if json:
        sys.stdout.write(told.json() + "\n")
    else:
        show(told)
    if report is not None:
        write_page(found, report)
        if not json:
            print(f"report in {report}")
    return 0


class Asked(NamedTuple):
    """A log, the policies that are asked about, and what is known beside the rows; see `Options`."""

    log: Log
    targets: list[Target]
    unsettled: int | None = None
    known_items: int | None = None
    reward_range: tuple[float, float] | None = None
    largest_weight: float | None = None


def _measure(source: Source, how: How, config: Path, *, json: bool) -> int:
    """The metrics of what was shown, as rows like all others."""
    if source.journal is not None:
        with _opened(source.journal, config) as engine:
            log, catalogue = own_log(engine, name=source.journal.name), frozenset(engine.item_ids)
            rows = measured(log, catalogue=catalogue | frozenset(log.items.names), level=how.level)
    else:
        items = None if source.items is None else read_items(source.items)
        rows = measured(_of_log(source, ("uniform",), how).log, catalogue=items, level=how.level)
    if json:
        sys.stdout.write(
            msgspec.json.format(msgspec.json.encode([row.as_dict() for row in rows])).decode() + "\n"
        )
    else:
        print_table("what was shown", ("metric", *HEAD[2:]), [cells(row)[1:] for row in rows])
    return 0


def _of_journal(journal: Path, words: Sequence[str], how: How, config: Path) -> Asked:
    with _opened(journal, config) as engine, progress_bar("asking the challenger") as bar:
        log, targets = judged_journal(
            engine,
            words,
            name=journal.name,
            clusters=how.clusters,
            whole=not WHOLE.isdisjoint(_words(how.estimator)),
            progress=bar,
        )
        rewards = engine.parts.journal.rewards
        return Asked(
            log,
            targets,
            unsettled=int(engine.status()["open"]),
            known_items=len(engine.item_ids),
            reward_range=(rewards.low, rewards.high),
            largest_weight=largest_weight(engine),
        )


def _opened(journal: Path, config: Path) -> Engine:
    settings = load_settings(config)
    if not journal.exists():
        raise InputError(f"there is no journal '{journal}': check the path, which is taken from {Path.cwd()}")
    if (Path(settings.folder) / settings.journal.path).resolve() != journal.resolve():
        own = msgspec.structs.replace(settings.journal, path=str(journal.resolve()))
        settings = msgspec.structs.replace(settings, journal=own)
    with progress_bar("encoding the catalogue") as bar:
        return Engine.of(settings, progress=bar)


def _of_log(source: Source, words: Sequence[str], how: How) -> Asked:
    path = source.log or Path()
    items = None if source.items is None else read_items(source.items)
    with progress_bar("reading the log") as bar:
        reading = Reading(
            format=source.form,
            skip_bad_rows=source.skip_bad_rows,
            rejects=source.rejects or Path(f"{path.name}.rejects.jsonl"),
            items=items,
            sort=source.sort,
            progress=bar,
        )
        log = _read(source, path, reading)
    if source.vectors is not None:
        log = with_clusters(log, *read_vectors(source.vectors, source.items), count=how.clusters)
    return Asked(log, targets_of(words, log), known_items=None if items is None else len(items))


def _read(source: Source, path: Path, how: Reading) -> Log:
    if source.form == "open-bandit":
        return read_open_bandit(
            path,
            source.target_log,
            campaign=source.campaign,
            way=source.target_from,
            parameters=source.target_parameters,
            how=how,
        )
    return read_log(path, None if source.columns is None else read_columns(source.columns), how=how)


def _options(how: How, asked: Asked, bar: Callable[[int, int], None], *, over_time: bool) -> Options:
    return Options(
        estimators=_words(how.estimator),
        interval=how.interval,
        level=how.level,
        by=_words(how.by),
        over_time=over_time,
        force=how.force,
        reward_range=how.reward_range or asked.reward_range,
        largest_weight=how.largest_weight or asked.largest_weight,
        window_seconds=how.window_seconds,
        unsettled=asked.unsettled,
        known_items=asked.known_items,
        seed=how.seed,
        cores=how.cores,
        progress=bar,
    )


def _words(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(word for entry in given or () for word in entry.split(",") if word)


def _refuse(error: NoSupportError, *, json: bool) -> None:
    """The support report that says why, for people; the one sentence, as JSON, for programs."""
    if json:
        told = {"error": {"kind": "NoSupportError", "message": str(error)}}
        sys.stderr.write(msgspec.json.encode(told).decode() + "\n")
        return
    show_support(error.support)
    sys.stderr.write(f"equipoise: {error}\n")
