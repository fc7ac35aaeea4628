"""A Gaussian process for each item: where a request lies decides what the item is worth to it.

    reward = x'theta + f_i(z) + u_j + eps,    eps ~ N(0, sigma^2)

theta ~ N(m0, sigma^2 P0^-1) are the weights that all items share, over some columns x of the features, such as
the similarity of item and request; f_i ~ GP(0, sigma^2 k) is item i's own curve over some columns z, such as the
request's vector (see `curves` for k); u_j is user j's offset. So an item without rows is judged as its text says,
and each of its own rows corrects that for requests like the row's.

As in `mixed`, f_i is integrated out of a row, which then speaks of theta alone, and the forecast for an item has
mean x~'m + k'a and variance x~'S x~ + k(z, z) - k'M k, with x~ = x - B'k. While an item's rows all fit into its
basis this is the joint posterior of theta and every curve. Reference: Rasmussen and Williams 2006, sec. 2.7 (a
process on top of explicit basis functions); Csato and Opper 2002 (the basis); Krause and Ong 2011 (contextual
bandits with such a process). No reward of one item says anything of another but through theta: that one answer alone is
right, where it is so, is not assumed.

Users, and forgetting (discount < 1), are approximate as in `mixed`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, Floats, State, Vectors
from equipoise.policies.base import Belief, Prior, dice
from equipoise.policies.gaussian.normals import normals
from equipoise.policies.ordered import by_item
from equipoise.policies.posteriors.curves import ItemCurves, Kernel, Views
from equipoise.policies.posteriors.effects import UserOffsets, noise_of, worth
from equipoise.policies.posteriors.linear import LinearSettings, SharedWeights, mirrored
from equipoise.policies.ranges import require
from equipoise.policies.stored import under, within
from equipoise.policies.weights import heavy, rows_state, rows_stored, surplus, weights_of


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSettings(LinearSettings):
    """Those of `LinearSettings`, and how many rows a prior is worth; `inf` switches the effect off.

    item_rows: of an item's level, the part of its curve that holds for every request.
    curve_rows: of the part that bends: 1 expects it to stray by as much as the noise does.
    length: how far apart two requests must lie, in units of the columns, to be strangers to each other.
    curve_columns: start and stop of the features that a curve looks at; [0, 0] means all.
    shared_columns: start and stop of the features that have shared weights; [0, 0] means all.
    most_rows: how many of an item's rows its curve keeps; its memory grows with the square of that.
    user_rows: of a user's offset.
    """

    item_rows: float = 10.0
    user_rows: float = 10.0
    curve_rows: float = 1.0
    length: float = 1.0
    curve_columns: tuple[int, int] = (0, 0)
    shared_columns: tuple[int, int] = (0, 0)
    most_rows: int = 256

    def __post_init__(self) -> None:
        require("discount", self.discount, 0.0, 1.0, above=True)
        for name in ("item_rows", "user_rows", "curve_rows", "length"):
            require(name, getattr(self, name), 0.0, above=True)
        require("most_rows", self.most_rows, 1)


class KernelPosterior(SharedWeights):
    """Shared weights, a curve for each item, an offset for each user."""

    def __init__(
        self, space: FeatureSpace, *, settings: KernelSettings | None = None, prior: Prior | None = None
    ) -> None:
        chosen = settings or KernelSettings()
        self._shares = _slice("shared_columns", chosen.shared_columns, space.dim)
        start = (prior or Prior.flat(space.dim, precision=chosen.precision)).fit(space.dim)
        narrow = FeatureSpace(space.name, space.version, len(start.mean[self._shares]))
        super().__init__(narrow, chosen, Prior(start.mean[self._shares], start.precision[self._shares]))
        self._space = space
        self._items = ItemCurves(
            kernel=Kernel(worth(chosen.item_rows), worth(chosen.curve_rows), chosen.length),
            looks=_slice("curve_columns", chosen.curve_columns, space.dim),
            shares=self._shares,
            most=chosen.most_rows,
            discount=chosen.discount,
        )
        self._users = UserOffsets(variance=worth(chosen.user_rows), discount=chosen.discount)

    @property
    def weights(self) -> Floats:
        """Returns: (d,) mean shared weights; 0 for a feature that only curves look at."""
        return self._widened(super().weights)

    def draw_weights(self, standard: Vectors) -> Floats:
        """Returns: (d,) one posterior draw of them. standard: (d,) standard normals."""
        return self._widened(super().draw_weights(standard[self._shares]))

    def _widened(self, shared: Floats) -> Floats:
        weights = np.zeros(self._space.dim)
        weights[self._shares] = shared
        return weights

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        ids, latest = candidates.item_ids, max(self._rows - 1, 0)
        views = self._items.look_up(ids, candidates.features, now=latest, doubt=spread or draws > 0)
        offset, _ = self._users.of(candidates.user_id, now=latest)
        mean = views.effective @ self._weights.mean + views.explained + offset
        samples = None
        if draws:
            samples = mirrored(mean, self._deviations(ids, views, dice(rng), draws), draws)
        return Belief(
            item_ids=ids,
            mean=mean,
            spread=self._spread(views) if spread else None,
            samples=samples,
            rows=self.rows,
        )

    def check(self, batch: Batch) -> None:
        """Any finite reward will do."""

    def update(self, batch: Batch) -> None:
        if batch.weights is not None:
            self._update_weighted(heavy(batch))
            return
        features = batch.features.astype(np.float64)
        rows = zip(batch.item_ids, batch.user_ids, features, batch.rewards.tolist(), strict=True)
        for item_id, user_id, x, reward in rows:
            self._learn(item_id, user_id, x, reward)

    def _update_weighted(self, batch: Batch) -> None:
        features, rewards = batch.features.astype(np.float64), batch.rewards.tolist()
        rows = zip(batch.item_ids, batch.user_ids, features, rewards, weights_of(batch), strict=True)
        for item_id, user_id, x, reward, weight in rows:
            self._learn(item_id, user_id, x, reward, weight)
        self._surplus = surplus(batch, self._surplus)

    def _learn(
        self, item_id: str, user_id: str | None, x: Floats, reward: float, weight: float = 1.0
    ) -> None:
        now = self._rows
        self._rows += 1
        self._items.age(item_id, now=now)
        offset, doubt = self._users.of(user_id, now=now)
        noise = 1.0 + doubt if weight == 1.0 else noise_of(user_id, doubt, weight)
        seen = self._items.reduce(item_id, x, noise=noise)
        left = reward - offset - seen.explained
        error, variance = self._weights.absorb(seen.effective, left, noise=seen.noise)
        self._items.absorb(seen, left)
        self._users.absorb(user_id, error=error, variance=variance, now=now)
        self._noise.absorb(error, variance, weight)

    def state(self) -> State:
        return {
            "rows": rows_state(self._rows, self._surplus),
            **self._noise.state(),
            **self._weights.state(),
            **under("items", self._items.state()),
            **under("users", self._users.state()),
        }

    def restore(self, state: State) -> None:
        self._weights.restore(state)
        self._noise.restore(state)
        self._items.restore(within("items", state))
        self._users.restore(within("users", state))
        self._rows, self._surplus = rows_stored(state)

    def _spread(self, views: Views) -> Floats:
        across = views.effective @ self._weights.root()
        variance = np.einsum("kd,kd->k", across, across) + views.uncertain
        return np.asarray(np.sqrt(self._noise.variance * variance))

    def _deviations(
        self, item_ids: tuple[str, ...], views: Views, rng: np.random.Generator, draws: int
    ) -> Vectors:
        """Half the draws, around a mean of 0: shared weights move all items, then each moves by its own curve."""
        pairs = (draws + 1) // 2
        sigma = self._noise.deviations(rng, pairs)
        shared = self._weights.strayed(rng, pairs) @ views.effective.astype(np.float32).T
        own = by_item(normals(rng, pairs, len(item_ids)), item_ids)
        moved = own * np.sqrt(views.uncertain).astype(np.float32) + shared
        return np.asarray(moved * sigma, dtype=np.float32)


def _slice(name: str, columns: tuple[int, int], dim: int) -> slice:
    """Raises: ConfigurationError: not a start and a stop within the `dim` features."""
    if columns == (0, 0):
        return slice(0, dim)
    if len(columns) == 2 and all(type(end) is int for end in columns) and 0 <= columns[0] < columns[1] <= dim:
        return slice(*columns)
    raise ConfigurationError(
        f"setting '{name}' is {list(columns)} but must be a start and a stop within the {dim} features, or [0, 0]"
        " for all of them"
    )
