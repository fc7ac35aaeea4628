"""A decision as a row of the table `decisions`, and back, bit for bit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat, takewhile
from typing import Any, TypeAlias

import numpy as np

from equipoise.core import (
    Decision,
    FeatureSpace,
    Floats,
    InputError,
    Logged,
    PropensityError,
    Request,
    Slot,
    Vectors,
    Versions,
)

Row: TypeAlias = tuple[Any, ...]

FLOAT64, FLOAT32 = np.dtype("<f8"), np.dtype("<f4")

REQUEST_FIELDS = ("text", "history", "attributes", "filters", "items", "exclude", "pinned")
NO_REQUEST = Request()


def encoded(decision: Decision) -> Row:
    """The row of a decision, in the order of `statements.DECISION`.

    Raises: InputError: the decision cannot be stored as it is. PropensityError: a propensity outside (0, 1].
    """
    _check(decision)
    versions, slots = decision.versions, decision.slots
    encoder, pairing = versions.encoder, versions.pairing
    propensities, shares = [slot.propensity for slot in slots], [slot.probability for slot in slots]
    drawn_with = _numbers(propensities)
    return (
        decision.decision_id,
        decision.at,
        decision.window_closes_at,
        decision.request.user_id,
        versions.policy,
        versions.learned,
        versions.seed,
        versions.catalog,
        encoder.name,
        encoder.version,
        encoder.dim,
        pairing.name,
        pairing.version,
        pairing.dim,
        _names([slot.item_id for slot in slots]),
        drawn_with,
        drawn_with if shares == propensities else _numbers(shares),
        _sources(tuple([slot.source for slot in slots])),
        _request_text(decision.request),
        _names(decision.candidates),
        _sources(tuple(decision.sources)),
        decision.probabilities.astype(FLOAT64, copy=False).tobytes(),
        decision.features.astype(FLOAT32, copy=False).tobytes(),
    )


def decoded(rows: Sequence[Row]) -> list[Decision]:
    """Decisions from rows in the order of `statements.DECISION`; arrays are read-only."""
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    columns[14:21] = [tuple(parsed(texts)) for texts in columns[14:21]]
    return [_decision(row) for row in zip(*columns, strict=True)]


def decoded_logged(rows: Sequence[Row]) -> list[tuple[int, Logged]]:
    """Positions and settled decisions from rows (position, rewards, *decision)."""
    rewards = parsed(row[1] for row in rows)
    decisions = decoded([row[2:] for row in rows])
    return [
        (row[0], Logged(decision, np.array(values, dtype=np.float64)))
        for row, decision, values in zip(rows, decisions, rewards, strict=True)
    ]


def parsed(texts: Iterable[str]) -> list[Any]:
    """Many JSON texts in one go, which is several times faster than one by one."""
    values: list[Any] = json.loads(f"[{','.join(texts)}]")
    return values


def floats(blob: bytes) -> Floats:
    return np.frombuffer(blob, dtype=FLOAT64)


def vectors(blob: bytes, dim: int) -> Vectors:
    return np.frombuffer(blob, dtype=FLOAT32).reshape(-1, dim)


def _decision(row: Row) -> Decision:
    (decision_id, at, closes, user_id, policy, learned, seed, catalog, *rest) = row
    (e_name, e_version, e_dim, p_name, p_version, p_dim, *rest) = rest
    (
        items,
        propensities,
        shares,
        sources,
        request,
        candidates,
        candidate_sources,
        probabilities,
        features,
    ) = rest
    slots = zip(range(len(items)), items, propensities, shares, _unrolled(sources), strict=True)
    return Decision(
        decision_id,
        at=at,
        request=_request(user_id, request),
        versions=Versions(
            _space(e_name, e_version, e_dim), _space(p_name, p_version, p_dim), catalog, policy, learned, seed
        ),
        candidates=tuple(candidates),
        sources=tuple(_unrolled(candidate_sources)),
        probabilities=floats(probabilities),
        slots=tuple(Slot(*slot) for slot in slots),
        features=vectors(features, p_dim),
        window_closes_at=closes,
    )


@lru_cache(maxsize=64)
def _space(name: str, version: str, dim: int) -> FeatureSpace:
    return FeatureSpace(name, version, dim)


@lru_cache(maxsize=256)
def _sources(values: tuple[str, ...]) -> str:
    """Run lengths as JSON; a search that gives each source its share makes the same few again and again."""
    return written(_runs(values))


def _runs(values: Sequence[str]) -> list[str | int]:
    """Run lengths: `a a b` is `["a", 2, "b", 1]`."""
    runs: list[str | int] = []
    start = 0
    while start < len(values):
        value = values[start]
        # mostly all of one value stand together, which two counts tell sooner than a walk
        length = values.count(value)
        if values[start : start + length].count(value) != length:
            length = sum(1 for _ in takewhile(value.__eq__, values[start:]))
        runs += (value, length)
        start += length
    return runs


def _numbers(values: Sequence[float]) -> str:
    """JSON of floats, at half the encoder's time. Raises: InputError: one is NaN or infinite."""
    if all(isinstance(value, float) for value in values) and math.isfinite(sum(values)):
        return f"[{','.join(map(float.__repr__, values))}]"
    return written(values)


def _unrolled(runs: Sequence[Any]) -> Iterable[str]:
    return chain.from_iterable(map(repeat, runs[::2], runs[1::2]))


def _request_text(request: Request) -> str:
    """The fields that were given, but user_id, which has a column of its own."""
    given = {
        name: value
        for name in REQUEST_FIELDS
        if (value := getattr(request, name)) != getattr(NO_REQUEST, name)
    }
    return written(given) if given else "{}"


def _request(user_id: str | None, given: dict[str, Any]) -> Request:
    if "pinned" in given:
        given["pinned"] = {int(slot): item_id for slot, item_id in given["pinned"].items()}
    return Request(user_id=user_id, **given)


def _plain(value: object) -> object:
    """What JSON does not know by itself: numpy's numbers and arrays, other mappings, sets."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} {value!r:.80} is no text, number, truth value, list or mapping")


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def written(value: Any) -> str:
    """Compact JSON. Raises: InputError: what JSON cannot say, NaN and infinity included."""
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"a request or decision cannot be journaled: {error}: use text, finite numbers, lists and mappings"
        ) from error


def _names(item_ids: Sequence[str]) -> str:
    """JSON of texts: joined where no text needs an escape, which takes a third of the encoder's time."""
    try:
        joined = "".join(item_ids)
    except TypeError as error:
        raise InputError(f"an item_id must be a text, but: {error}: turn it into one") from error
    plain = item_ids and joined.isprintable() and "\\" not in joined and '"' not in joined
    return '["' + '","'.join(item_ids) + '"]' if plain else written(item_ids)


def _check(decision: Decision) -> None:
    name = f"decision {decision.decision_id!r}"
    k, m, dim = len(decision.candidates), len(decision.slots), decision.versions.pairing.dim
    if not isinstance(decision.decision_id, str) or not decision.decision_id:
        raise InputError(
            f"decision_id is {decision.decision_id!r} but must be a text that is not empty: give one"
        )
    if not (math.isfinite(decision.at) and math.isfinite(decision.window_closes_at)):
        raise InputError(
            f"{name} has at {decision.at} and window_closes_at {decision.window_closes_at}: give finite seconds"
        )
    if len(decision.sources) != k or decision.probabilities.shape != (k,):
        raise InputError(
            f"{name} has {k} candidates, {len(decision.sources)} sources and probabilities of shape "
            f"{decision.probabilities.shape}: give one source and one probability a candidate"
        )
    if decision.features.shape != (m, dim) or decision.features.dtype != np.float32:
        raise InputError(
            f"{name} has features of shape {decision.features.shape} and type {decision.features.dtype} "
            f"but {m} slots in {decision.versions.pairing}: give ({m}, {dim}) float32"
        )
    _check_slots(decision, name)
    if not (np.isfinite(decision.features).all() and np.isfinite(decision.probabilities).all()):
        raise InputError(
            f"{name} has features or probabilities that are not finite: find the NaN before it is learned"
        )


def _check_slots(decision: Decision, name: str) -> None:
    if not decision.slots:
        raise InputError(f"{name} has no slots: show at least one item")
    for number, slot in enumerate(decision.slots):
        if slot.slot != number:
            raise InputError(
                f"{name} has slot {slot.slot} at place {number}: number slots 0, 1, 2, ... top first"
            )
        if not 0.0 < slot.propensity <= 1.0:
            raise PropensityError(
                f"{name} slot {number} has propensity {slot.propensity} but it must lie in (0, 1]: "
                "log the probability with which the item was drawn"
            )
