"""A mixed model: text is the prior of an item, and what this very item has shown corrects it.

    reward = x'theta + z'b_i + u_j + eps,    eps ~ N(0, sigma^2)

theta ~ N(m0, sigma^2 P0^-1) are the weights that all items share; b_i ~ N(0, sigma^2 T) is item i's own effect
(an offset, and where wished a weight for each of a slice of the features, z = (1, that slice)); u_j is user
j's offset.

Items are exact. Given theta, b_i ~ N(g_i - G_i theta, W_i) from the item's own rows (see `effects`), so with
b_i integrated out a row speaks of theta alone, as

    r - z'g_i = (x - G_i'z)'theta + noise,    Var(noise) = 1 + z'W_i z    (in units of sigma^2),

which costs one rank-1 update of theta's covariance and one of the item's. The forecast for an item is then
mean x~'m + z'g_i and variance x~'S x~ + z'W_i z, with x~ = x - G_i'z. This is the joint posterior of theta
and every b_i, at the cost of theta alone. Reference: Henderson 1975; Harville 1977 (the mixed model).

Users are approximate, by assumed density filtering (see `UserOffsets`). A user's offset is the same for all
candidates, so it moves the mean but is left out of spread and draws: no choice can depend on it.

Forgetting (discount < 1) is approximate too: theta, items and users each fade towards their own prior, but what
a row said of theta is not revised when the item's own rows fade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.core import Batch, Candidates, FeatureSpace, Floats, State, Vectors
from equipoise.policies.base import Belief, Prior, dice
from equipoise.policies.gaussian.normals import normals
from equipoise.policies.ordered import by_item
from equipoise.policies.posteriors.effects import ItemEffects, UserOffsets, check_columns, noise_of, worth
from equipoise.policies.posteriors.linear import LinearSettings, SharedWeights, mirrored
from equipoise.policies.ranges import require
from equipoise.policies.stored import under, within
from equipoise.policies.weights import heavy, rows_state, rows_stored, surplus, weights_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedSettings(LinearSettings):
    """Those of `LinearSettings`, and how many rows a prior is worth; `inf` switches the effect off.

    item_rows: an item's text counts as much as so many rows of the item itself.
    user_rows: the same for a user's offset.
    item_columns: start and stop of the features whose weights may differ by item; none by default.
    slope_rows: what such a weight's prior is worth.
    """

    item_rows: float = 10.0
    user_rows: float = 10.0
    item_columns: tuple[int, int] = (0, 0)
    slope_rows: float = 10.0

    def __post_init__(self) -> None:
        require("discount", self.discount, 0.0, 1.0, above=True)
        for name in ("item_rows", "user_rows", "slope_rows"):
            require(name, getattr(self, name), 0.0, above=True)


class MixedPosterior(SharedWeights):
    """Shared weights, an effect for each item, an offset for each user."""

    def __init__(
        self, space: FeatureSpace, *, settings: MixedSettings | None = None, prior: Prior | None = None
    ) -> None:
        chosen = settings or MixedSettings()
        check_columns(chosen.item_columns, space.dim)
        super().__init__(space, chosen, prior)
        slopes = chosen.item_columns[1] - chosen.item_columns[0]
        variances = np.array([worth(chosen.item_rows)] + [worth(chosen.slope_rows)] * slopes)
        self._items = ItemEffects(
            space.dim, variances=variances, columns=chosen.item_columns, discount=chosen.discount
        )
        self._users = UserOffsets(variance=worth(chosen.user_rows), discount=chosen.discount)

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        ids = candidates.item_ids
        features = candidates.features.astype(np.float64)
        latest = max(self._rows - 1, 0)
        effective, explained, uncertain = self._items.look_up(
            ids, features, now=latest, places=candidates.places
        )
        offset, _ = self._users.of(candidates.user_id, now=latest)
        mean = effective @ self._weights.mean + explained + offset
        samples = None
        if draws:
            samples = mirrored(mean, self._deviations(ids, effective, uncertain, dice(rng), draws), draws)
        return Belief(
            item_ids=ids,
            mean=mean,
            spread=self._spread(effective, uncertain) if spread else None,
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

    def _spread(self, effective: Floats, uncertain: Floats) -> Floats:
        across = effective @ self._weights.root()
        variance = np.einsum("kd,kd->k", across, across) + uncertain
        return np.asarray(np.sqrt(self._noise.variance * variance))

    def _deviations(
        self,
        item_ids: tuple[str, ...],
        effective: Floats,
        uncertain: Floats,
        rng: np.random.Generator,
        draws: int,
    ) -> Vectors:
        """Half the draws, around a mean of 0: shared weights move all items, then each moves by itself."""
        pairs = (draws + 1) // 2
        sigma = self._noise.deviations(rng, pairs)
        shared = self._weights.strayed(rng, pairs) @ effective.astype(np.float32).T
        own = by_item(normals(rng, pairs, len(item_ids)), item_ids)
        own *= np.sqrt(uncertain).astype(np.float32)
        own += shared
        own *= sigma
        return own
