"""What this very item, and this very user, has shown beyond what their features say.

Letters: q numbers in an item's effect: an offset, then a weight for each column of a chosen slice; z (q,) is
what they multiply: (1, those columns). All variances are in units of the noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Alignment, Floats, InputError, Places, State
from equipoise.policies.stored import names, stored

NEVER_SEEN = 0
"""The row of the table that stands for every item without a row of its own."""


class Reduced(NamedTuple):
    """A row with its item's effect integrated out: what it says of the shared weights alone.

    row: the item's, in the tables. along: W z (q,). effective: x - G'z (d,), the feature that is left.
    explained: z'g, what the item alone explains of the reward. noise: the row's own plus z'W z.
    """

    row: int
    along: Floats
    effective: Floats
    explained: float
    noise: float


class ItemEffects:
    """b_i | theta for every item i, exactly: N(g_i - G_i theta, W_i).

    With A_i = T^-1 + sum z z' / noise, c_i = sum z r / noise and B_i = sum z x' / noise over the item's own
    rows, W = A^-1 (q, q), g = W c (q,) and G = W B (q, d). Kept in this form a row is one Kalman step, with
    no solving, and an item never seen is simply g = 0, G = 0, W = T.

    Forgetting ages an item by every row, its own or not: A - T^-1, c and B shrink by discount^(rows since).
    `now` is the number of the row being learned, or of the latest one where something is only asked.
    """

    def __init__(
        self, dim: int, *, variances: Floats, columns: tuple[int, int] = (0, 0), discount: float = 1.0
    ) -> None:
        """variances: (q,) diagonal of T. columns: start and stop of the slice with weights of its own."""
        self._columns = slice(*columns)
        self._plain = len(variances) == 1
        self._prior = np.diag(variances)
        self._discount = discount
        self._index: dict[str, int] = {}
        self._aligned = Alignment(self._index, missing=NEVER_SEEN)
        q = len(variances)
        self._means = np.zeros((1, q))
        self._slopes = np.zeros((1, q, dim))
        self._covariances = self._prior[np.newaxis].copy()
        self._seen_at = np.zeros(1, dtype=np.int64)

    def row(self, item_id: str) -> int:
        """The item's row in the tables, made now if it has none."""
        found = self._index.get(item_id)
        if found is None:
            found = self._index[item_id] = len(self._index) + 1
            if found == len(self._means):
                self._grow(2 * found)
        return found

    def rows(self, item_ids: Sequence[str], places: Places | None = None) -> NDArray[np.int64]:
        """Returns: (k,) rows; `NEVER_SEEN` for items without one."""
        return self._aligned.rows(item_ids, places)

    def _grow(self, capacity: int) -> None:
        more = capacity - len(self._means)
        self._means = np.concatenate([self._means, np.zeros((more, *self._means.shape[1:]))])
        self._slopes = np.concatenate([self._slopes, np.zeros((more, *self._slopes.shape[1:]))])
        self._covariances = np.concatenate([self._covariances, np.repeat(self._prior[None], more, axis=0)])
        self._seen_at = np.concatenate([self._seen_at, np.zeros(more, dtype=np.int64)])

    def reduce(self, item_id: str, x: Floats, *, noise: float) -> Reduced:
        """One row, of noise variance `noise`, with the item's effect integrated out."""
        row, z = self.row(item_id), self._loading(x)
        along = self._covariances[row] @ z
        return Reduced(
            row=row,
            along=along,
            effective=x - z @ self._slopes[row],
            explained=float(z @ self._means[row]),
            noise=noise + float(z @ along),
        )

    def absorb(self, seen: Reduced, left: float) -> None:
        """The item's Kalman step. left: the reward less what the item had explained of it."""
        gain = seen.along / seen.noise
        self._means[seen.row] += gain * left
        self._slopes[seen.row] += gain[:, np.newaxis] * seen.effective
        self._covariances[seen.row] -= gain[:, np.newaxis] * seen.along

    def age(self, item_id: str, *, now: int) -> None:
        """Let the item forget what it must before its row number `now`."""
        row = self.row(item_id)
        if self._discount < 1.0:
            aged = self._aged(np.array([row]), now=now)
            self._means[row], self._slopes[row], self._covariances[row] = (part[0] for part in aged)
            self._seen_at[row] = now

    def look_up(
        self, item_ids: Sequence[str], features: Floats, *, now: int, places: Places | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """k items at once. Returns: effective features (k, d), explained (k,) and uncertain (k,) variances."""
        means, slopes, covariances = self._aged(self.rows(item_ids, places), now=now)
        if self._plain:
            return features - slopes[:, 0], means[:, 0], covariances[:, 0, 0]
        z = np.column_stack([np.ones(len(features)), features[:, self._columns]])
        effective = features - np.einsum("kq,kqd->kd", z, slopes)
        uncertain = np.einsum("kq,kqp,kp->k", z, covariances, z)
        return effective, np.einsum("kq,kq->k", z, means), np.maximum(uncertain, 0.0)

    def _loading(self, x: Floats) -> Floats:
        return _ONE if self._plain else np.concatenate([_ONE, x[self._columns]])

    def _aged(self, rows: NDArray[np.int64], *, now: int) -> tuple[Floats, Floats, Floats]:
        means, slopes, covariances = self._means[rows], self._slopes[rows], self._covariances[rows]
        if self._discount == 1.0:
            return means, slopes, covariances
        kept = (self._discount ** (now - self._seen_at[rows]))[:, np.newaxis, np.newaxis]
        # (kept W^-1 + (1 - kept) T^-1)^-1 = T M^-1 W, which also holds where an effect is switched off, T = 0.
        between = kept * self._prior + (1.0 - kept) * covariances + np.diag(np.diag(self._prior) == 0.0)
        turn = self._prior @ np.linalg.inv(between)
        faded_means = kept[:, :, 0] * (turn @ means[:, :, np.newaxis])[:, :, 0]
        return faded_means, kept * (turn @ slopes), turn @ covariances

    def state(self) -> State:
        used = len(self._index) + 1
        return {
            "ids": names(self._index),
            "means": self._means[:used].copy(),
            "slopes": self._slopes[:used].copy(),
            "covariances": self._covariances[:used].copy(),
            "seen_at": self._seen_at[:used].copy(),
        }

    def restore(self, state: State) -> None:
        ids = [str(item_id) for item_id in stored(state, "ids")]
        used, q, d = len(ids) + 1, *self._slopes.shape[1:]
        self._means = stored(state, "means", (used, q))
        self._slopes = stored(state, "slopes", (used, q, d))
        self._covariances = stored(state, "covariances", (used, q, q))
        self._seen_at = stored(state, "seen_at", (used,))
        self._index = {item_id: row for row, item_id in enumerate(ids, start=1)}
        self._aligned = Alignment(self._index, missing=NEVER_SEEN)


_ONE = np.ones(1)


class UserOffsets:
    """An offset u_j for each user, by assumed density filtering: N(mean, variance), independent of the rest.

    A row is learned jointly with the weights and then the correlation it made is dropped, which is what
    keeps the cost of a user at two numbers. Reference: Minka 2001, ch. 3.
    """

    def __init__(self, *, variance: float, discount: float = 1.0) -> None:
        self._variance = variance
        self._discount = discount
        self._offsets: dict[str, tuple[float, float, int]] = {}

    def of(self, user_id: str | None, *, now: int) -> tuple[float, float]:
        """Returns: mean and variance of the offset; a stranger's, and a new user's, is the prior's."""
        mean, variance, seen_at = self._offsets.get(user_id or "", (0.0, self._variance, now))
        if self._discount == 1.0 or seen_at == now or not variance:
            return mean, variance
        kept = self._discount ** (now - seen_at)
        faded = 1.0 / (kept / variance + (1.0 - kept) / self._variance)
        return mean * kept * faded / variance, faded

    def absorb(self, user_id: str | None, *, error: float, variance: float, now: int) -> None:
        """The user's Kalman step. error, variance: of the whole row's forecast, the offset's share included."""
        if user_id is None or self._variance == 0.0:
            return
        mean, own = self.of(user_id, now=now)
        gain = own / variance
        self._offsets[user_id] = (mean + gain * error, own - gain * own, now)

    def state(self) -> State:
        values = list(self._offsets.values())
        return {
            "ids": names(self._offsets),
            "offsets": np.array([value[:2] for value in values]).reshape(len(values), 2),
            "seen_at": np.array([value[2] for value in values], dtype=np.int64),
        }

    def restore(self, state: State) -> None:
        ids = [str(user_id) for user_id in stored(state, "ids")]
        offsets = stored(state, "offsets", (len(ids), 2)).tolist()
        seen_at = stored(state, "seen_at", (len(ids),)).tolist()
        rows = zip(ids, offsets, seen_at, strict=True)
        self._offsets = {user_id: (mean, variance, at) for user_id, (mean, variance), at in rows}


def worth(rows: float) -> float:
    """The prior variance, in units of the noise, of an effect whose prior is worth so many rows."""
    return 0.0 if math.isinf(rows) else 1.0 / rows


def noise_of(user_id: str | None, doubt: float, weight: float) -> float:
    """The variance of a row around weights and item, in units of the noise. doubt: the variance of its user's offset.

    A row of weight w is w answers: of one user, who has one offset, or of as many strangers, who have one each.
    """
    return (1.0 + doubt) / weight if user_id is None else 1.0 / weight + doubt


def check_columns(columns: tuple[int, int], dim: int) -> None:
    """Raises: InputError: the slice of columns with weights of their own does not lie in the features."""
    start, stop = columns
    if not 0 <= start <= stop <= dim:
        raise InputError(
            f"setting 'item_columns' is {columns} but must be a start and a stop within the {dim} features"
        )
