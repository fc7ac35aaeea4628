"""The doubly robust half of a warm start: a whole log to what the policy begins with."""

from __future__ import annotations

from dataclasses import replace

from equipoise.core import ConfigurationError, State, generator
from equipoise.engine.engine import Engine
from equipoise.engine.offline.foreign import ForeignLog
from equipoise.engine.offline.log_choices import Progress, catalog_slots, with_shown_items
from equipoise.engine.offline.log_prior import IN_MEMORY, TAKEN_BY, LogPriors, takes
from equipoise.learning import Statistics
from equipoise.learning.offline import DoublyRobust, LogEvidence


def require_possible(engine: Engine) -> None:
    """Raises: ConfigurationError: a journal in memory, a posterior that cannot begin so, or another policy serves."""
    settings, promotion = engine.parts.settings, engine.status()["promotion"]
    if settings.in_memory:
        raise ConfigurationError(IN_MEMORY)
    policy = settings.policy
    if not takes(policy):
        raise ConfigurationError(
            f"posterior '{policy.posterior}' of policy '{policy.name}' cannot learn a log doubly"
            f" robust, which takes weights that all items share: set it to {' or '.join(TAKEN_BY)}, or take"
            " --weighting ips"
        )
    if promotion is not None and promotion["state"] in ("running", "promoted"):
        raise ConfigurationError(
            "a promotion is running or has been won, and its policies must begin as they did: end it with 'equipoise"
            " promote --cancel', or take --weighting ips"
        )


def learn_log(
    engine: Engine, foreign: ForeignLog, statistics: State, progress: Progress | None
) -> LogEvidence:
    """Let the policy begin with the log, and learn the journal again from there.

    statistics: the engine's, as they were before the log was taken in. progress: called with (done, total).
    """
    parts = engine.parts
    found = evidence_of(engine, foreign, statistics, progress=progress)
    LogPriors(parts.settings).save(foreign.log.name, parts.stock.pairing.space, found)
    parts.begin_anew()
    return found


def evidence_of(
    engine: Engine, foreign: ForeignLog, statistics: State, *, progress: Progress | None = None
) -> LogEvidence:
    """What the log says of the shared weights: every item that it shows is a candidate of every row.

    Raises: InputError: too few rows, or a single item.
    """
    parts = engine.parts
    log = with_shown_items(foreign.log)
    known = Statistics(parts.settings.statistics)
    known.restore(statistics)
    dice = generator(parts.settings.seed, f"{log.name}/folds")
    made = DoublyRobust(parts.stock.pairing.space.dim, len(log.items.names), rng=dice)
    mean = float(foreign.weights.mean())
    slots = catalog_slots(engine, replace(foreign, log=log), known, progress=progress)
    rows = zip(slots, log.rewards.tolist(), foreign.weights.tolist(), strict=True)
    for (features, items, shown), reward, weight in rows:
        made.add(features, items, shown, reward=reward, weight=weight / mean)
    return made.evidence(rows=foreign.n_effective)
