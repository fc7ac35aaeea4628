"""A curve for each item: what it is worth to requests of every kind, learned from its own rows.

f_i ~ GP(0, k), one for each item i, in units of the noise, with

    k(z, z') = offset + height exp(-|z - z'|^2 / (2 length^2)),

z (q,) being the columns that the curve looks at: an offset that holds for every request, and a bend that
is alike for requests that are alike. A curve is kept over a basis of m of the item's own rows, z_1 to z_m,

    f_i(z) | theta ~ N(k' (a - B theta),  k(z, z) - k' M k),        k = (k(z, z_1), ..., k(z, z_m)),

so that a row costs O(m^2) and no solving. Let u = e - M k, where e = Q k and Q is the inverse of the basis' own
kernel matrix; for a row that joins the basis e is its unit vector. Then a row with residual r and
feature x~ = x - B'k, whose forecast has variance v = noise + k(z, z) - k' M k, gives

    a <- a + u r / v,    B <- B + u x~' / v,    M <- M + u u' / v.

While every row is in the basis this is the exact posterior. A row that the basis already explains does not
join it, and beyond `most` rows the one that matters least leaves: every k(., z_j) is replaced by its regression
on the others. Reference: Csato and Opper 2002, eqs 9 to 11 and 24 to 26 (a, -M and Q are their alpha, C and Q);
B, which carries the shared weights through the same steps, is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, State
from equipoise.policies.effects import Reduced
from equipoise.policies.stored import names, stored

NOVEL = 1e-3
"""A row joins the basis where the others leave more than this share of its prior variance unexplained."""

PARTS = ("inputs", "squares", "a", "B", "M", "Q")
"""What a curve is made of."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """How alike two requests are to an item. offset, height: variances in units of the noise. length: above 0."""

    offset: float
    height: float
    length: float

    @property
    def top(self) -> float:
        """k(z, z)."""
        return self.offset + self.height

    def between(self, basis: Curve, z: Floats) -> Floats:
        """z: (q,). Returns: (m,) k of each row of the basis and z."""
        apart = basis.squares - 2.0 * (basis.inputs @ z) + z @ z
        bend = np.exp(np.maximum(apart, 0.0) / (-2.0 * self.length**2))
        return np.asarray(self.offset + self.height * bend)

    def matrix(self, basis: Curve) -> Floats:
        """Returns: (m, m) k of the rows of the basis among themselves."""
        m = len(basis.inputs)
        return np.array([self.between(basis, z) for z in basis.inputs]).reshape(m, m)


@dataclass(slots=True, eq=False)
class Curve:
    """One item's. inputs: (m, q) the basis. squares: (m,) |z|^2 of each. a: (m,). B: (m, d). M, Q: (m, m).
    seen_at: the number of the row that it last aged to.
    """

    inputs: Floats
    squares: Floats
    a: Floats
    B: Floats
    M: Floats
    Q: Floats
    seen_at: int = 0

    @classmethod
    def empty(cls, q: int, d: int) -> Curve:
        square = np.zeros((0, 0))
        return cls(np.zeros((0, q)), np.zeros(0), np.zeros(0), np.zeros((0, d)), square, square)

    def __len__(self) -> int:
        return len(self.a)

    def join(self, z: Floats, e: Floats, gap: float) -> None:
        """z becomes the last of the basis, of which nothing is believed yet. gap: k(z, z) - k'Q k, above 0."""
        wide = np.concatenate([e, [-1.0]])
        self.Q = _bordered(self.Q)
        self.Q += np.outer(wide, wide / gap)
        self.M = _bordered(self.M)
        self.inputs = np.vstack([self.inputs, z])
        self.squares = np.concatenate([self.squares, [z @ z]])
        self.B = np.vstack([self.B, np.zeros(self.B.shape[1])])
        self.a = np.concatenate([self.a, [0.0]])

    def absorb(self, u: Floats, r: float, effective: Floats, v: float) -> None:
        self.a += u * (r / v)
        self.B += np.outer(u, effective / v)
        self.M += np.outer(u, u / v)

    def leave(self) -> None:
        """Drop the row of the basis whose loss moves the mean curve least. Csato and Opper 2002, eq. 26."""
        score = np.abs(self.a) / np.diag(self.Q)
        j = int(score.argmin())
        rest = np.arange(len(self)) != j
        t = -self.Q[rest, j] / self.Q[j, j]
        self.a = self.a[rest] + t * self.a[j]
        self.B = self.B[rest] + np.outer(t, self.B[j])
        mixed = np.outer(t, self.M[j, rest])
        self.M = self.M[np.ix_(rest, rest)] + mixed + mixed.T + np.outer(t, t * self.M[j, j])
        self.Q = self.Q[np.ix_(rest, rest)] - np.outer(t, t * self.Q[j, j])
        self.inputs, self.squares = self.inputs[rest], self.squares[rest]


class Views(NamedTuple):
    """k items, each seen by its curve. effective: (k, d) features that are left to the shared weights. explained: (k,)
    means of the curves alone. uncertain: (k,) variances given the shared weights."""

    effective: Floats
    explained: Floats
    uncertain: Floats


class ItemCurves:
    """A curve for every item that has had a row; the prior for every other."""

    def __init__(
        self, *, kernel: Kernel, looks: slice, shares: slice, most: int, discount: float = 1.0
    ) -> None:
        self._kernel = kernel
        self._looks = looks
        self._shares = shares
        self._q, self._d = looks.stop - looks.start, shares.stop - shares.start
        self._most = most
        self._discount = discount
        self._index: dict[str, int] = {}
        self._curves: list[Curve] = []

    def reduce(self, item_id: str, x: Floats, *, noise: float) -> Reduced:
        curve, z = self._curve(item_id), x[self._looks]
        k = self._kernel.between(curve, z)
        known = curve.M @ k
        e = curve.Q @ k
        gap = self._kernel.top - float(k @ e)
        joins = gap > NOVEL * self._kernel.top
        seen = Reduced(
            row=self._index[item_id],
            along=np.concatenate([-known, [1.0]]) if joins else e - known,
            effective=x[self._shares] - k @ curve.B,
            explained=float(k @ curve.a),
            noise=noise + max(self._kernel.top - float(k @ known), 0.0),
        )
        if joins:
            curve.join(z, e, gap)
        return seen

    def absorb(self, seen: Reduced, left: float) -> None:
        curve = self._curves[seen.row]
        curve.absorb(seen.along, left, seen.effective, seen.noise)
        if len(curve) > self._most:
            curve.leave()

    def age(self, item_id: str, *, now: int) -> None:
        """Let the item forget what it must before its row number `now`."""
        curve = self._curve(item_id)
        if self._discount < 1.0:
            curve.a, curve.B, curve.M = self._faded(curve, now=now)
            curve.seen_at = now

    def look_up(self, item_ids: Sequence[str], features: Floats, *, now: int, doubt: bool = True) -> Views:
        """k items at once. doubt: False leaves the variances out, which are half the cost."""
        effective = features[:, self._shares].copy()
        explained, uncertain = np.zeros(len(item_ids)), np.full(len(item_ids), self._kernel.top)
        for at, item_id in enumerate(item_ids):
            number = self._index.get(item_id)
            if number is None:
                continue
            curve = self._curves[number]
            a, B, M = self._faded(curve, now=now)
            k = self._kernel.between(curve, features[at, self._looks])
            effective[at] -= k @ B
            explained[at] = k @ a
            if doubt:
                uncertain[at] -= k @ (M @ k)
        return Views(effective, explained, np.maximum(uncertain, 0.0))

    def _curve(self, item_id: str) -> Curve:
        """The item's curve, made now if it has none."""
        number = self._index.setdefault(item_id, len(self._curves))
        if number == len(self._curves):
            self._curves.append(Curve.empty(self._q, self._d))
        return self._curves[number]

    def _faded(self, curve: Curve, *, now: int) -> tuple[Floats, Floats, Floats]:
        """a, B and M once every row so far counts `kept` of what it did: noise of its own divided by `kept`.

        With R the noise that the rows leave on the basis, M = (K + R)^-1 becomes (K + R / kept)^-1, which is
        kept (I - (1 - kept) M K)^-1 M; a and B follow M.
        """
        if self._discount == 1.0 or curve.seen_at == now:
            return curve.a, curve.B, curve.M
        kept = self._discount ** (now - curve.seen_at)
        turn = np.eye(len(curve)) - (1.0 - kept) * (curve.M @ self._kernel.matrix(curve))
        faded = kept * np.linalg.solve(turn, np.column_stack([curve.a, curve.B, curve.M]))
        return faded[:, 0], faded[:, 1 : 1 + self._d], faded[:, 1 + self._d :]

    def state(self) -> State:
        """Curves laid end to end, in the order in which items were first learned."""
        return {
            "ids": names(self._index),
            "sizes": np.array([len(curve) for curve in self._curves], dtype=np.int64),
            "seen_at": np.array([curve.seen_at for curve in self._curves], dtype=np.int64),
            **{part: self._end_to_end(part) for part in PARTS},
        }

    def _end_to_end(self, part: str) -> Floats:
        return np.concatenate([np.zeros(0), *(getattr(curve, part).ravel() for curve in self._curves)])

    def restore(self, state: State) -> None:
        ids = [str(item_id) for item_id in stored(state, "ids")]
        sizes = stored(state, "sizes", (len(ids),)).astype(np.int64)
        seen_at = stored(state, "seen_at", (len(ids),)).tolist()
        cut = {part: self._cut(state, part, sizes) for part in PARTS}
        self._curves = [
            Curve(**{part: cut[part][number] for part in PARTS}, seen_at=at)
            for number, at in enumerate(seen_at)
        ]
        self._index = {item_id: number for number, item_id in enumerate(ids)}

    def _cut(self, state: State, part: str, sizes: NDArray[np.int64]) -> list[Floats]:
        """Each curve's own array, a fresh one. Raises: InputError: the state was made with other settings."""
        width = {"inputs": (self._q,), "squares": (), "a": (), "B": (self._d,)}
        shapes = [(m, *width.get(part, (m,))) for m in sizes.tolist()]
        counts = [math.prod(shape) for shape in shapes]
        flat = stored(state, part, (sum(counts),))
        ends = np.cumsum([0, *counts]).tolist()
        return [flat[ends[at] : ends[at + 1]].reshape(shape).copy() for at, shape in enumerate(shapes)]


def _bordered(square: Floats) -> Floats:
    """(m, m) to (m + 1, m + 1), with a last row and column of 0."""
    m = len(square)
    wider = np.zeros((m + 1, m + 1))
    wider[:m, :m] = square
    return wider
