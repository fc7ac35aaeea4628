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
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, State, Vectors
from equipoise.policies.posteriors.effects import Reduced
from equipoise.policies.stored import names, stored

NOVEL = 1e-3
"""A row joins the basis where the others leave more than this share of its prior variance unexplained."""

PARTS = ("inputs", "squares", "C", "M", "Q")
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

    def of(self, apart: Floats) -> Floats:
        """apart: (m,) squared distances, which rounding may have made less than 0. Returns: (m,) k."""
        bend = np.exp(np.maximum(apart, 0.0) / (-2.0 * self.length**2))
        return np.asarray(self.offset + self.height * bend)


@dataclass(slots=True, eq=False)
class Curve:
    """One item's. inputs: (m, q) float32 the basis. squares: (m,) |z|^2 of each. C: (m, 1 + d) a and then B. M, Q:
    (m, m). seen_at: the number of the row that it last aged to.
    """

    inputs: Vectors
    squares: Floats
    C: Floats
    M: Floats
    Q: Floats
    seen_at: int = 0

    @classmethod
    def empty(cls, q: int, d: int) -> Curve:
        square = np.zeros((0, 0))
        return cls(np.zeros((0, q), dtype=np.float32), np.zeros(0), np.zeros((0, 1 + d)), square, square)

    def __len__(self) -> int:
        return len(self.squares)

    def apart(self, z: Vectors, square: float) -> Floats:
        """z: (q,). square: |z|^2. Returns: (m,) squared distances, to float32's digits of the lengths."""
        return np.asarray(self.squares - 2.0 * (self.inputs @ z) + square)

    def join(self, z: Vectors, square: float, *, e: Floats, gap: float) -> None:
        """z becomes the last of the basis, of which nothing is believed yet. gap: k(z, z) - k'Q k, above 0."""
        wide = np.concatenate([e, [-1.0]])
        self.Q = _bordered(self.Q)
        self.Q += np.outer(wide, wide / gap)
        self.M = _bordered(self.M)
        self.C = np.vstack([self.C, np.zeros(self.C.shape[1])])
        self.inputs = np.vstack([self.inputs, z])
        self.squares = np.append(self.squares, square)

    def absorb(self, u: Floats, r: float, effective: Floats, v: float) -> None:
        """The step of a, B and M above."""
        self.C += np.outer(u, np.append(r, effective) / v)
        self.M += np.outer(u, u / v)

    def leave(self) -> None:
        """Drop the row of the basis whose loss moves the mean curve least. Csato and Opper 2002, eq. 26."""
        j = int((np.abs(self.C[:, 0]) / np.diag(self.Q)).argmin())
        rest = np.arange(len(self)) != j
        t = -self.Q[rest, j] / self.Q[j, j]
        cross = np.outer(t, self.M[j, rest])
        self.M = self.M[np.ix_(rest, rest)] + cross + cross.T + np.outer(t, t * self.M[j, j])
        self.C = self.C[rest] + np.outer(t, self.C[j])
        self.Q = self.Q[np.ix_(rest, rest)] - np.outer(t, t * self.Q[j, j])
        self.inputs, self.squares = self.inputs[rest], self.squares[rest]


def squared(rows: Vectors) -> Floats:
    """rows: (k, q). Returns: (k,) |z|^2 of each, in float64."""
    return np.asarray(np.einsum("kq,kq->k", rows, rows, dtype=np.float64))


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
        """One row, of noise variance `noise`, with the item's curve integrated out. x: (all features,)."""
        curve, z = self._curve(item_id), x[self._looks].astype(np.float32)
        (square,) = squared(z[np.newaxis]).tolist()
        top, k = self._kernel.top, self._kernel.of(curve.apart(z, square))
        known, e = curve.M @ k, curve.Q @ k
        gap = top - float(k @ e)
        joins = gap > NOVEL * top
        told = k @ curve.C
        seen = Reduced(
            row=self._index[item_id],
            along=np.append(-known, 1.0) if joins else e - known,
            effective=x[self._shares] - told[1:],
            explained=float(told[0]),
            noise=noise + max(top - float(k @ known), 0.0),
        )
        if joins:
            curve.join(z, square, e=e, gap=gap)
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
            curve.C, curve.M = self._faded(curve, now=now)
            curve.seen_at = now

    def look_up(self, item_ids: Sequence[str], features: Vectors, *, now: int, doubt: bool = True) -> Views:
        """k items at once. features: (k, all). doubt: False leaves the variances at the prior's, at half the cost."""
        told = np.zeros((len(item_ids), 1 + self._d))
        uncertain = np.full(len(item_ids), self._kernel.top)
        known = [at for at, item_id in enumerate(item_ids) if item_id in self._index]
        curves = [self._curves[self._index[item_ids[at]]] for at in known]
        for at, curve, k in zip(
            known, curves, self._alike(curves, features[:, self._looks][known]), strict=True
        ):
            C, M = (curve.C, curve.M) if self._discount == 1.0 else self._faded(curve, now=now)
            told[at] = k @ C
            if doubt:
                uncertain[at] -= k @ (M @ k)
        effective = features[:, self._shares].astype(np.float64) - told[:, 1:]
        return Views(effective, told[:, 0], np.maximum(uncertain, 0.0))

    def _alike(self, curves: Sequence[Curve], asked: Vectors) -> list[Floats]:
        """Each curve's k (m,) for its own row of `asked` (c, q): what can be done for all of them at once is."""
        sizes = [len(curve) for curve in curves]
        if not sizes:
            return []
        products = np.concatenate([curve.inputs @ z for curve, z in zip(curves, asked, strict=True)])
        apart = np.concatenate([curve.squares for curve in curves]) - 2.0 * products
        k = self._kernel.of(apart + np.repeat(squared(asked), sizes))
        ends = np.cumsum([0, *sizes]).tolist()
        return [k[start:end] for start, end in pairwise(ends)]

    def _curve(self, item_id: str) -> Curve:
        """The item's curve, made now if it has none."""
        number = self._index.setdefault(item_id, len(self._curves))
        if number == len(self._curves):
            self._curves.append(Curve.empty(self._q, self._d))
        return self._curves[number]

    def _faded(self, curve: Curve, *, now: int) -> tuple[Floats, Floats]:
        """C and M once every row so far counts `kept` of what it did: its noise divided by `kept`.

        With R the noise that the rows leave on the basis, M = (K + R)^-1 becomes (K + R / kept)^-1, which is
        kept (I - (1 - kept) M K)^-1 M; a and B follow M.
        """
        if self._discount == 1.0 or curve.seen_at == now or not len(curve):
            return curve.C, curve.M
        kept = self._discount ** (now - curve.seen_at)
        both = zip(curve.inputs, curve.squares.tolist(), strict=True)
        K = np.array([self._kernel.of(curve.apart(z, square)) for z, square in both])
        turn = np.eye(len(curve)) - (1.0 - kept) * (curve.M @ K)
        faded = kept * np.linalg.solve(turn, np.column_stack([curve.C, curve.M]))
        return faded[:, : 1 + self._d].copy(), faded[:, 1 + self._d :].copy()

    def state(self) -> State:
        """Curves laid end to end, in the order in which items were first learned."""
        return {
            "ids": names(self._index),
            "sizes": np.array([len(curve) for curve in self._curves], dtype=np.int64),
            "seen_at": np.array([curve.seen_at for curve in self._curves], dtype=np.int64),
            **{part: self._end_to_end(part) for part in PARTS},
        }

    def _end_to_end(self, part: str) -> NDArray[Any]:
        empty = getattr(Curve.empty(self._q, self._d), part)
        return np.concatenate([empty.ravel(), *(getattr(curve, part).ravel() for curve in self._curves)])

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

    def _cut(self, state: State, part: str, sizes: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Each curve's own array, a fresh one. Raises: InputError: the state was made with other settings."""
        width = {"inputs": (self._q,), "squares": (), "C": (1 + self._d,)}
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
