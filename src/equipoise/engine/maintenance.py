"""What an operator asks of an engine: replay, status, import."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from equipoise.catalog import Loaded
from equipoise.engine.loading import Imported, load_catalog, rejects_path
from equipoise.engine.parts import Parts
from equipoise.learning import same_state


@dataclass(frozen=True, slots=True)
class Replayed:
    """identical: the replayed state equals the one in use, which came from a checkpoint and online learning."""

    identical: bool
    decisions: int
    position: int
    seconds: float


def replay(parts: Parts, *, keep: bool) -> Replayed:
    """Learn again from nothing all that has been learned so far; what settles meanwhile is left for later."""
    start = time.perf_counter()
    learner = parts.learner_anew()
    until = parts.learner.position
    settled = takewhile(lambda entry: entry[0] <= until, parts.journal.settled())
    decisions = parts.learn_from(learner, settled)
    seconds = time.perf_counter() - start
    identical = learner.position == parts.learner.position and same_state(
        learner.state(), parts.learner.state()
    )
    if keep:
        parts.use(learner)
    return Replayed(identical, decisions, learner.position, seconds)


def status_of(parts: Parts) -> dict[str, Any]:
    """Plain values, each under the name that the documentation uses."""
    snapshot = parts.store.snapshot
    versions = parts.current_versions
    counts = parts.journal.counts()
    return {
        "items": len(snapshot),
        "bad_rows": parts.bad_rows,
        "catalog_version": snapshot.version,
        "encoder": str(versions.encoder),
        "pairing": str(versions.pairing),
        "policy": versions.policy,
        "posterior": parts.settings.policy.posterior,
        "floor": parts.policy.floor,
        "decisions": counts.decisions,
        "open": counts.open,
        "settled": counts.settled,
        "learned": versions.learned,
        "feedback": dict(counts.feedback),
        "mean_reward": parts.learner.statistics.overall,
        "journal": parts.settings.journal.path,
        "window_seconds": parts.settings.journal.window_seconds,
        "trouble": list(parts.trouble),
    }


def read_file(parts: Parts, path: Path) -> Loaded:
    """A file's items, encoded already, so that putting them in holds up no request; bad rows stand beside the journal."""
    loaded = load_catalog(parts.settings, path, like=parts.store.snapshot)
    parts.stock.vectors(loaded.items)
    return loaded


def import_file(parts: Parts, path: Path, loaded: Loaded, *, replace: bool) -> Imported:
    """A file's items into the catalogue."""
    now = time.time()
    change = (
        parts.store.replace(loaded.items, now=now) if replace else parts.store.upsert(loaded.items, now=now)
    )
    parts.changed(change)
    rejects = rejects_path(parts.settings, path)
    return Imported(
        version=change.version,
        added=len(change.added),
        changed=len(change.changed),
        unchanged=len(change.unchanged),
        removed=len(change.removed),
        bad=loaded.bad_count,
        rejects=str(rejects) if rejects is not None and loaded.bad_count else None,
    )
