"""Retrievers that break one law each, and one that breaks none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.core import (
    Candidates,
    InputError,
)

from .space import SPACE


class Shelf:
    """A dict that is sorted for every search."""

    space = SPACE

    def __init__(self) -> None:
        self.held: dict[str, np.ndarray] = {}

    def put(self, item_ids, vectors):
        vectors = np.asarray(vectors, np.float32)
        if vectors.shape != (len(item_ids), 5) or not np.isfinite(vectors).all():
            raise InputError("not (n, 5) finite numbers")
        self.held.update(zip(item_ids, vectors.copy(), strict=True))

    def drop(self, item_ids):
        for item_id in item_ids:
            self.held.pop(item_id, None)

    def search(self, query, k):
        if k < 1 or query.shape != (5,) or not np.isfinite(query).all():
            raise InputError("not 5 finite numbers, or k below 1")
        return self.answer(self.ranked(query), k)

    def ranked(self, query) -> list[tuple[str, float]]:
        scores = {item_id: np.float32(vector @ query) for item_id, vector in self.held.items()}
        return sorted(scores.items(), key=lambda pair: -pair[1])

    def answer(self, ranked, k):
        names = tuple(item_id for item_id, _ in ranked[:k])
        scores = np.array([score for _, score in ranked[:k]], np.float32).reshape(-1, 1)
        return Candidates(names, scores, self.space)


class Ghost(Shelf):
    def answer(self, ranked, k):
        return super().answer(ranked or [("ghost", 0.0)], k)


class OneShort(Shelf):
    def answer(self, ranked, k):
        return super().answer(ranked[:-1] if k > len(ranked) else ranked, k)


class Twice(Shelf):
    def answer(self, ranked, k):
        return super().answer([*ranked[:-1], ranked[0]] if ranked and k == len(ranked) else ranked, k)


class OtherScores(Shelf):
    def answer(self, ranked, k):
        found = super().answer(ranked, k)
        return replace(found, features=1 - found.features)


class FirstVectorStays(Shelf):
    def put(self, item_ids, vectors):
        before = dict(self.held)
        super().put(item_ids, vectors)
        self.held.update(before)


class Undead(Shelf):
    def drop(self, item_ids):
        super().drop(item_ids if len(item_ids) > 20 else item_ids[1:])


class StrictDrop(Shelf):
    def drop(self, item_ids):
        for item_id in item_ids:
            del self.held[item_id]


class Remembers(Shelf):
    def __init__(self):
        super().__init__()
        self.asked: list[bytes] = []

    def ranked(self, query):
        self.asked.append(query.tobytes())
        ranked = super().ranked(query)
        again = self.asked[-1] in self.asked[:-2] and self.asked[-2] != self.asked[-1]
        return ranked[1:] if again else ranked


class MissesTheBest(Shelf):
    def answer(self, ranked, k):
        best_is_a_unit_vector = ranked and ranked[0][1] < 1.5
        return super().answer(ranked[1:] if best_is_a_unit_vector and k == 20 else ranked, k)


class AnyQuery(Shelf):
    def search(self, query, k):
        return super().search(np.nan_to_num(query), k)
