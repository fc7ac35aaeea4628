"""A foreign log as choices to learn a policy from, where it does not list what else could have been shown.

Every item of the log then stands for a candidate of every row, less those in the slots above: as `evaluate` takes it. A
row's features are those that `evaluate` gives to a log's items, or, beside a catalogue, those that the engine would have
known at that place of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Batch, FeatureSpace, InputError, Request, Vectors
from equipoise.engine.deliberation import pair
from equipoise.engine.engine import Engine
from equipoise.engine.offline.foreign import Foreign, ForeignLog
from equipoise.engine.questions import asked_of
from equipoise.evaluation.evidence import Codes
from equipoise.evaluation.logs import Log
from equipoise.evaluation.targets.learning import DescribedLog, feature_space
from equipoise.learning import Statistics
from equipoise.learning.offline import ChoiceLog, choices_of

MOST_NUMBERS = 100_000_000
"""Features that are taken at most: 400 MB."""

Progress = Callable[[int, int], None]

Slot = tuple[Vectors, NDArray[np.int64], int]
"""Features (k, d) of the candidates, their codes (k,) in the log, and the position of what was shown."""


def part_of(log: Log, rows: slice) -> Log:
    """The log of consecutive rows; no decision must be cut in two."""
    decisions = log.decisions[rows]
    return replace(
        log,
        rewards=log.rewards[rows],
        propensities=None if log.propensities is None else log.propensities[rows],
        decisions=decisions - decisions[0],
        slots=log.slots[rows],
        at=log.at[rows],
        items=_part(log.items, rows),
        loggers=_part(log.loggers, rows),
        groups={name: _part(codes, rows) for name, codes in log.groups.items()},
        targets={name: values[rows] for name, values in log.targets.items()},
        logger_odds={name: values[rows] for name, values in log.logger_odds.items()},
        users=None if log.users is None else _part(log.users, rows),
        choices=None if log.choices is None else log.choices[rows],
    )


def _part(codes: Codes, rows: slice) -> Codes:
    return Codes(codes.codes[rows], codes.names)


def cut_of(log: Log, share: float) -> int:
    """The row from which on the later `share` of the decisions lies. Raises: InputError: one side would be empty."""
    total = int(log.decisions[-1]) + 1
    first = total - round(share * total)
    if not 0 < first < total:
        raise InputError(
            f"'{log.name}' has {total} decisions, of which {share:g} are to be held out: too few for two parts"
        )
    return int(np.searchsorted(log.decisions, first))


def with_shown_items(log: Log) -> Log:
    """The log with the names of the items that it shows, and no others."""
    used, codes = np.unique(log.items.codes, return_inverse=True)
    return replace(log, items=Codes(codes, tuple(log.items.names[code] for code in used.tolist())))


def latest(log: Log, numbers: int) -> tuple[Log, str]:
    """The last rows of which every item's features fit into memory, and a sentence if that is not all.

    numbers: of a row, for one item.
    """
    most = max(1, MOST_NUMBERS // (numbers * len(log.items.names)))
    if len(log) <= most:
        return log, ""
    first = int(np.searchsorted(log.decisions, log.decisions[-most]))
    kept = part_of(log, slice(first, len(log)))
    return kept, (
        f"trained on the latest {len(kept):,} of {len(log):,} rows: {len(log.items.names):,} candidates with {numbers} "
        "features each fill the memory that is allowed"
    )


def log_choices(log: Log) -> ChoiceLog:
    """n rows as choices among all items of the log, in `log_space(log)`. Raises: InputError: the log has one item."""
    _check_items(log)
    described = DescribedLog(log)
    slots = (
        slot
        for start, end in _decisions(log)
        for slot in _slots(described.features(start), log.items.codes[start:end].tolist())
    )
    return _choices(log, slots)


def catalog_choices(engine: Engine, log: Log, *, progress: Progress | None = None) -> ChoiceLog:
    """The same in the engine's feature space; every item of the log must be in its catalogue.

    What is known of items and users grows along the log, from nothing, as it would have in the engine.
    """
    statistics = Statistics(engine.parts.settings.statistics)
    return _choices(log, catalog_slots(engine, ForeignLog.of(log, "none"), statistics, progress=progress))


def catalog_slots(
    engine: Engine, foreign: ForeignLog, statistics: Statistics, *, progress: Progress | None = None
) -> Iterator[Slot]:
    """Row by row, the candidates with their features (k, d) in the engine's space, and which of them was shown.

    statistics: what is known before the log; they learn it on the way, by its weights.
    Raises: InputError: the log has one item.
    """
    names = foreign.log.items.names
    _check_items(foreign.log)
    code_of = {name: code for code, name in enumerate(names)}
    for done, one in enumerate(foreign, start=1):
        every = _features(engine, statistics, names, one)
        yield from _slots(every, [code_of[item_id] for item_id in one.item_ids])
        statistics.update(_rows(one, every, engine.parts.stock.pairing.space, code_of))
        if progress is not None:
            progress(done, len(foreign))


def log_space(log: Log) -> FeatureSpace:
    """The space of `log_choices`."""
    return feature_space(log)


def _check_items(log: Log) -> None:
    if len(log.items.names) < 2:
        raise InputError(
            f"'{log.name}' shows a single item, {log.items.names[0]!r}: there is nothing to choose from"
        )


def _choices(log: Log, slots: Iterable[Slot]) -> ChoiceLog:
    features, _, shown = zip(*slots, strict=True)
    propensities = None if log.propensities is None else log.propensities.tolist()
    return choices_of(features, shown, log.rewards.tolist(), propensities)


def _decisions(log: Log) -> Iterator[tuple[int, int]]:
    starts = np.flatnonzero(np.diff(log.decisions, prepend=-1)).tolist()
    yield from zip(starts, [*starts[1:], len(log)], strict=True)


def _slots(every: Vectors, codes: list[int]) -> Iterator[Slot]:
    """The choices of one slate, each among what the slots above left. An item shown again is a candidate again.

    every: (k, d) of all items of the log. codes: (m,) of what was shown.
    """
    left = np.ones(len(every), dtype=np.bool_)
    for code in codes:
        left[code] = True
        yield (
            every if left.all() else every[left],
            np.flatnonzero(left),
            int(np.count_nonzero(left[:code])),
        )
        left[code] = False


def _features(engine: Engine, statistics: Statistics, item_ids: tuple[str, ...], one: Foreign) -> Vectors:
    """(k, d) of all items of the log, by what was known before this decision."""
    parts = engine.parts
    shelf = parts.stock.shelf
    request = Request(user_id=one.user_id, attributes=one.attributes)
    asked = asked_of(request, parts, shelf, at=one.at or 0.0)
    liked = shelf.cards[shelf.view.items.known(statistics.liked(one.user_id))]
    rows = shelf.rows(item_ids)
    return pair(
        parts.stock.pairing,
        statistics.experience(item_ids, one.user_id),
        shelf.take(rows),
        shelf.vectors(rows),
        asked,
        parts.stock.pairing.outlook(asked, liked),
        parts.recall(shelf),
    )


def _rows(one: Foreign, every: Vectors, space: FeatureSpace, code_of: dict[str, int]) -> Batch:
    return Batch(
        item_ids=one.item_ids,
        user_ids=(one.user_id,) * len(one.item_ids),
        features=every[[code_of[item_id] for item_id in one.item_ids]],
        rewards=np.array(one.rewards),
        propensities=np.array(one.propensities),
        space=space,
        weights=np.array(one.weights),
    )
