"""The policies that `equipoise evaluate --policy` names, as targets on a log or beside the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from equipoise.core import ConfigurationError, InputError
from equipoise.engine import Engine
from equipoise.engine.challenge import challenger_settings, challenger_tables, judged
from equipoise.engine.offline.imported import IMPORTED
from equipoise.engine.settings import PolicyTable, Settings
from equipoise.engine.toml import CHALLENGER, parsed, settings_from
from equipoise.evaluation.estimators import clustered
from equipoise.evaluation.evidence import NOTHING
from equipoise.evaluation.logs import Log
from equipoise.evaluation.logs.columns import near
from equipoise.evaluation.logs.journal import Collected, journal_log
from equipoise.evaluation.logs.whole import Whole
from equipoise.evaluation.targets import Given, Learning, Recorded, Target, Uniform
from equipoise.evaluation.targets.learning import feature_space
from equipoise.policies import build
from equipoise.policies.policy import FLOOR
from equipoise.policies.registry import EXPLORERS

Progress = Callable[[int, int], None]


def targets_of(words: Sequence[str], log: Log) -> list[Target]:
    """A target for each word: a policy that the log has probabilities of, `uniform`, a policy's name, or its TOML.

    Raises: InputError: none of these. ConfigurationError: the TOML cannot be used.
    """
    return [_target(word, log) for word in words or log.targets]


def _target(word: str, log: Log) -> Target:
    if word in log.targets:
        return Recorded(word)
    if word == "uniform":
        return Uniform()
    if word.endswith(".toml"):
        table = settings_from(parsed(Path(word), kind=CHALLENGER), where=word).policy
        return _learning(Path(word).stem, table, log)
    if word in EXPLORERS:
        return _learning(word, PolicyTable(name=word), log)
    known = (*log.targets, *EXPLORERS)
    raise InputError(
        f"there is no policy {word!r}: expected one of {', '.join(known)}, or a challenger's TOML{near(word, known)}"
    )


def _learning(name: str, table: PolicyTable, log: Log) -> Learning:
    """A policy over the log's items. Rewards in [0, 1] without context are counted item by item; else features help."""
    plain = not log.groups and bool(((log.rewards >= 0.0) & (log.rewards <= 1.0)).all())
    settings = dict(table.settings)
    posterior = table.posterior
    if posterior == PolicyTable().posterior and plain and not settings:
        posterior, settings = "beta", {"text": False}
    floor = min(table.floor or FLOOR, 1.0 / len(log.items.names))
    try:
        policy = build(table.name, feature_space(log), posterior=posterior, floor=floor, **settings)
    except TypeError as error:
        raise ConfigurationError(f"the policy {name!r} cannot be built: {error}") from error
    return Learning(name, policy)


def judged_journal(
    engine: Engine,
    words: Sequence[str],
    *,
    name: str,
    clusters: int | None = None,
    whole: bool = False,
    progress: Progress | None = None,
) -> tuple[Log, list[Target]]:
    """The journal's decisions of our own as a log, and what each challenger would have done in it.

    words: TOML files, or names of policies. whole: gather what `mips`, `mrdr` and `adaptive_dr` need. clusters: of items,
    None takes the root of their number. Raises: InputError: no challenger, or nothing has settled.
    """
    if not words:
        raise InputError("no policy to evaluate: name a challenger, such as --policy challenger.toml")
    log: Log | None = None
    targets: list[Target] = []
    groups = _clusters(engine, clusters) if whole else {}
    for word in words:
        collected, gathered = Collected(), Whole(groups)
        for one in judged(engine, _challenger(word, engine.parts.settings), progress=progress):
            collected.add(one.logged, one.target, (one.shown, one.expected))
            if whole:
                gathered.add(one.logged, one.target, one.odds)
        log = log or _noted(collected.log(name=name), settled=engine.parts.journal.last_position)
        beyond = gathered.beyond() if whole else NOTHING
        targets.append(Given(_called(word), collected.chances(), collected.baseline(), beyond))
    assert log is not None
    return log, targets


def _clusters(engine: Engine, count: int | None) -> dict[str, int]:
    """Which items of the catalogue are alike, by the vectors of the engine's own encoder."""
    shelf = engine.parts.stock.shelf
    item_ids = shelf.item_ids
    vectors = shelf.vectors(np.arange(len(item_ids)))
    found = clustered(vectors, count or max(1, round(len(item_ids) ** 0.5)))
    return dict(zip(item_ids, found.tolist(), strict=True))


def own_log(engine: Engine, *, name: str) -> Log:
    """The journal's decisions of our own, without any challenger. Raises: InputError: nothing has settled."""
    settled = (logged for _, logged in engine.parts.journal.settled())
    return journal_log((logged for logged in settled if logged.decision.policy != IMPORTED), name=name)


def largest_weight(engine: Engine) -> float | None:
    """What no weight on the journal's own decisions can exceed: 1 / floor, or the number of candidates if that is more.

    None where other settings made some of them, whose floor nobody recorded, or where there is no floor.
    """
    parts, most = engine.parts, 0
    for _, logged in parts.journal.settled():
        decision = logged.decision
        if decision.policy != IMPORTED:
            if decision.versions.policy != parts.current_versions.policy:
                return None
            most = max(most, len(decision.candidates))
    floor = parts.learner.policy.floor
    return max(1.0 / floor, float(most)) if floor > 0.0 else None


def _noted(log: Log, *, settled: int) -> Log:
    """Says how many of the `settled` decisions are not in the log."""
    left_out = settled - int(log.decisions[-1]) - 1
    if not left_out:
        return log
    note = (
        f"{left_out:,} imported decisions are left out: nobody knows what else their system could have shown"
    )
    return replace(log, notes=(*log.notes, note))


def _called(word: str) -> str:
    return Path(word).stem if word.endswith(".toml") else word


def _challenger(word: str, incumbent: Settings) -> Settings:
    """Raises: InputError: neither a TOML nor a policy. ConfigurationError: the TOML cannot be used."""
    if word.endswith(".toml"):
        return challenger_settings(word, incumbent)
    if word in EXPLORERS:
        table = msgspec.to_builtins(msgspec.structs.replace(incumbent.policy, name=word, settings={}))
        return challenger_tables({"policy": table}, incumbent, where=f"--policy {word}")
    raise InputError(
        f"there is no policy {word!r}: expected a challenger's TOML, or one of {', '.join(EXPLORERS)}"
        f"{near(word, EXPLORERS)}"
    )
