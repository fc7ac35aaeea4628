"""A policy without context, as a distribution over the items for each place, taken from what it logged.

How it is taken is one of three ways.

`propensities`: its log has one and the same propensity for an item in a place, which is its distribution itself (a
uniform policy).
`published`: Bernoulli Thompson sampling with the parameters that Open Bandit's authors publish for a campaign (a file
of theirs, see `parameters`), simulated 100,000 times from their seed, as their own figures are.
`counts`: how often its log shows an item in a place, of all that it shows there.

`published` is that policy with the parameters it is said to have had when the experiment began; what the log shows of
it is `counts`. They are not the same: in the campaign `all` the probabilities of a place differ by .66 to .91, added up
over the items.
Reference: Saito et al. 2021 (arXiv 2008.07146); `BernoulliTS.compute_batch_action_dist` of their pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, InputError
from equipoise.evaluation.logs.columns import near
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.logs.parameters import Beta

SIMULATIONS, SEED, CHUNK = 100_000, 12_345, 5_000

NOTES = {
    "propensities": "its distribution in each place is what its log's propensities say",
    "published": "Bernoulli Thompson sampling with the parameters published for this campaign, the policy as it is said "
    "to have begun; --target-from counts takes what its log shows instead",
    "counts": "its distribution in each place is how often its log shows each item there",
}


@dataclass(frozen=True, slots=True, eq=False)
class PlacedTarget:
    """probabilities: (items, places), each column summing to 1, or less where some items are nowhere shown.

    items: their ids. way: a key of `NOTES`.
    """

    probabilities: Floats
    items: tuple[str, ...]
    way: str

    def of(self, log: Log) -> Floats:
        """(n,) its probability of what each row shows; 0 for an item or a place that it does not know."""
        return np.asarray(self.by_item(log)[log.items.codes, log.slots])

    def by_item(self, log: Log) -> Floats:
        """(items of the log, its slots) the same by the log's own items."""
        rank = {item: row for row, item in enumerate(self.items)}
        rows = np.array([rank.get(item, -1) for item in log.items.names], dtype=np.int64)
        slots = int(log.slots.max()) + 1
        found = np.zeros((len(rows), max(slots, self.probabilities.shape[1])))
        known = rows >= 0
        found[known, : self.probabilities.shape[1]] = self.probabilities[rows[known]]
        return found[:, :slots]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a policy's log shows. published: its parameters, if known. counts: (items, places).

    low, high: (items, places) its least and greatest propensity there, inf and 0 where it shows nothing.
    """

    published: Beta | None
    counts: Floats
    low: Floats
    high: Floats


def placed_target(
    log: Log,
    evaluated: Log,
    *,
    published: Beta | None = None,
    way: str | None = None,
    catalogue: frozenset[str] = frozenset(),
) -> PlacedTarget:
    """What the policy of `log` does. evaluated: the log to be judged by, whose items belong to the campaign too.

    published: the parameters of its campaign, items in the order of their numbers. catalogue: all items of the campaign,
    if known: a short log need not show every one of them.
    way: a key of `NOTES`; None takes the first that fits, in their order.
    Raises: InputError: an unknown way, or one that does not fit.
    """
    if way is not None and way not in NOTES:
        raise InputError(
            f"there is no way {way!r} to a target: expected one of {', '.join(NOTES)}{near(way, NOTES)}"
        )
    items = _items({*log.items.names, *evaluated.items.names}, catalogue, published)
    places = int(max(log.slots.max(), evaluated.slots.max())) + 1
    seen = _seen(log, items, places, published)
    for attempt in NOTES if way is None else (way,):
        found = _BY_WAY[attempt](seen)
        if found is not None:
            return PlacedTarget(found, items, attempt)
    raise InputError(
        f"the policy of '{log.name}' cannot be had by {way!r} with {len(items)} items: expected "
        f"{_NEEDS[str(way)]}; take another of {', '.join(NOTES)}, or none"
    )


def _items(shown: set[str], catalogue: frozenset[str], published: Beta | None) -> tuple[str, ...]:
    """What was shown, and the rest of the campaign where the catalogue is as long as the published parameters.

    A catalogue that is longer may be of several campaigns, whose other items this policy could never show.
    """
    if published is not None and len(catalogue) == len(published.alpha) and shown <= catalogue:
        return _in_order(set(catalogue))
    return _in_order(shown)


def _in_order(items: set[str]) -> tuple[str, ...]:
    """By number where they are numbers: the published parameters stand in that order."""
    return tuple(sorted(items, key=lambda item: (0, int(item), item) if item.isdecimal() else (1, 0, item)))


def _seen(log: Log, items: tuple[str, ...], places: int, published: Beta | None) -> _Seen:
    rank = {item: row for row, item in enumerate(items)}
    rows = np.array([rank[item] for item in log.items.names], dtype=np.int64)[log.items.codes]
    counts = np.zeros((len(items), places))
    low, high = np.full((len(items), places), np.inf), np.zeros((len(items), places))
    at = (rows, log.slots.astype(np.int64))
    np.add.at(counts, at, 1.0)
    if log.propensities is not None:
        np.minimum.at(low, at, log.propensities)
        np.maximum.at(high, at, log.propensities)
    return _Seen(published, counts, low, high)


def _by_propensities(seen: _Seen) -> Floats | None:
    """What no row shows shares what is left; a place without rows, or fewer than two rows a pair, say too little."""
    shown = seen.counts > 0.0
    if (uniform := _uniform(seen)) is not None:
        return uniform
    if not shown.any(axis=0).all():
        return None
    if (seen.high[shown] > seen.low[shown] * (1.0 + 1e-9)).any() or seen.counts.sum() < 2.0 * shown.sum():
        return None
    found = np.where(shown, seen.high, 0.0)
    left, unseen = 1.0 - found.sum(axis=0), (~shown).sum(axis=0)
    if (left < -1e-6).any() or ((unseen == 0) & (np.abs(left) > 1e-6)).any():
        return None
    return np.where(shown, found, np.maximum(left, 0.0) / np.maximum(unseen, 1))


def _uniform(seen: _Seen) -> Floats | None:
    """One propensity 1 / k throughout, with k items at least as many as are known: known after the first row."""
    items, places = seen.counts.shape
    chance = float(seen.high.max())
    same = seen.low.min() >= chance * (1.0 - 1e-9)
    if not (chance > 0.0 and same and abs(1.0 / chance - round(1.0 / chance)) < 1e-6):
        return None
    return np.full((items, places), chance) if round(1.0 / chance) >= items else None


def _by_publication(seen: _Seen) -> Floats | None:
    items, places = seen.counts.shape
    if seen.published is None or len(seen.published.alpha) != items:
        return None
    return simulated(seen.published, places=places)


def _by_counts(seen: _Seen) -> Floats | None:
    totals = seen.counts.sum(axis=0)
    return None if (totals == 0.0).any() else seen.counts / totals


_BY_WAY: dict[str, Callable[[_Seen], Floats | None]] = {
    "propensities": _by_propensities,
    "published": _by_publication,
    "counts": _by_counts,
}
_NEEDS = {
    "propensities": "one propensity for each item in each place, adding up to 1",
    "published": "parameters of the campaign (--target-parameters FILE), a pair for each of its items",
    "counts": "at least one row in each place",
}


def simulated(parameters: Beta, *, places: int, simulations: int = SIMULATIONS) -> Floats:
    """(items, places) how often an item's draw from its Beta comes first, second, third.

    The old generator of numpy gives the very draws of the published figures.
    """
    alpha, beta = parameters
    rng = np.random.RandomState(SEED)
    counts = np.zeros((len(alpha), places), dtype=np.int64)
    for first in range(0, simulations, CHUNK):
        draws = rng.beta(alpha, beta, size=(min(CHUNK, simulations - first), len(alpha)))
        best: NDArray[np.int64] = np.argsort(draws, axis=1)[:, ::-1][:, :places]
        for place in range(places):
            counts[:, place] += np.bincount(best[:, place], minlength=len(alpha))
    return counts / simulations
