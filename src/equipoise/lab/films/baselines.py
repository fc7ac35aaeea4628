"""What anyone would try first, and what nobody can have: the baselines and references of the Films world."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Floats, MissingExtraError, Vectors
from equipoise.lab.films.world import EVERY, FilmsWorld, Player, Positions, Visit

SHRINK = 10.0
REFIT = 250


def best(scores: Floats, slots: int, rng: np.random.Generator) -> Positions:
    """The positions of the highest scores, ties in random order."""
    return np.lexsort((rng.random(len(scores)), -scores))[:slots]


class Uniform:
    """Any films."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def choose(self, visit: Visit, slots: int) -> Positions:
        return self.rng.permutation(len(visit.films))[:slots]

    def learn(self, visit: Visit, positions: Positions) -> None:
        """Nothing is learned."""


class Popularity:
    """A film's mean reward, shrunk to the mean of all by 10 visits."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.counts, self.sums = np.zeros(n), np.zeros(n)

    def scores(self, films: NDArray[np.int64]) -> Floats:
        level = self.sums.sum() / max(1.0, self.counts.sum())
        return np.asarray((self.sums[films] + SHRINK * level) / (self.counts[films] + SHRINK))

    def choose(self, visit: Visit, slots: int) -> Positions:
        return best(self.scores(visit.films), slots, self.rng)

    def learn(self, visit: Visit, positions: Positions) -> None:
        films = visit.films[positions]
        np.add.at(self.counts, films, 1.0)
        np.add.at(self.sums, films, visit.liked[positions])


class Bias(Popularity):
    """Mean + user's deviation + film's deviation, each shrunk by 10 (Koren 2010, eq. 1, one pass).

    A user's deviation moves all films alike, so only the film's part ranks; what differs from popularity is that
    a reward counts by how far it lies above what this user gives anyway.
    """

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        super().__init__(n, rng)
        self.users: dict[int, tuple[float, float]] = {}
        self.count, self.total = 0.0, 0.0

    def scores(self, films: NDArray[np.int64]) -> Floats:
        return np.asarray(self.sums[films] / (self.counts[films] + SHRINK))

    def learn(self, visit: Visit, positions: Positions) -> None:
        films, liked = visit.films[positions], visit.liked[positions]
        self.count, self.total = self.count + len(liked), self.total + float(liked.sum())
        level = self.total / self.count
        count, total = self.users.get(visit.user, (0.0, 0.0))
        expected = level + (total - count * level) / (count + SHRINK)
        np.add.at(self.counts, films, 1.0)
        np.add.at(self.sums, films, liked - expected)
        self.users[visit.user] = (count + len(liked), total + float(liked.sum()))


class Similarity(Uniform):
    """Nearest in the language model's space to the mean of what the user liked."""

    def __init__(self, vectors: Vectors, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.vectors = vectors
        self.liked: dict[int, Floats] = {}

    def choose(self, visit: Visit, slots: int) -> Positions:
        taste = self.liked.get(visit.user)
        if taste is None:
            return super().choose(visit, slots)
        return best(self.vectors[visit.films] @ taste, slots, self.rng)

    def learn(self, visit: Visit, positions: Positions) -> None:
        liked = visit.films[positions][visit.liked[positions] > 0]
        if len(liked):
            past = self.liked.get(visit.user, np.zeros(self.vectors.shape[1]))
            self.liked[visit.user] = past + self.vectors[liked].sum(axis=0)


class AlternatingLeastSquares(Popularity):
    """Implicit matrix factorisation (Hu, Koren & Volinsky 2008; package `implicit`), refitted every 250 visits,
    with the package's own settings: 100 factors, regularisation 0.01, 15 iterations.

    Users that the last fit did not know get popularity; films that it did not know score 0.
    """

    def __init__(self, n: int, users: int, rng: np.random.Generator) -> None:
        super().__init__(n, rng)
        self.pairs: list[tuple[int, int]] = []
        self.shape = (users, n)
        self.known: set[int] = set()
        self.visits = 0
        self.factors: tuple[Vectors, Vectors] | None = None

    def choose(self, visit: Visit, slots: int) -> Positions:
        if self.factors is None or visit.user not in self.known:
            return super().choose(visit, slots)
        users, films = self.factors
        return best(films[visit.films] @ users[visit.user], slots, self.rng)

    def learn(self, visit: Visit, positions: Positions) -> None:
        super().learn(visit, positions)
        liked = visit.films[positions][visit.liked[positions] > 0]
        self.pairs.extend((visit.user, film) for film in liked.tolist())
        self.visits += 1
        if self.visits % REFIT == 0 and self.pairs:
            self._refit()

    def _refit(self) -> None:
        from scipy.sparse import coo_matrix
        from threadpoolctl import threadpool_limits

        try:
            from implicit.als import AlternatingLeastSquares as Als
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "ALS needs the package 'implicit': pip install 'equipoise[lab]'"
            ) from error
        rows, columns = np.array(self.pairs).T
        matrix = coo_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=self.shape).tocsr()
        with threadpool_limits(1, "blas"):
            model = Als(num_threads=1, random_state=0)
            model.fit(matrix, show_progress=False)
        self.factors = (np.asarray(model.user_factors), np.asarray(model.item_factors))
        self.known = set(rows.tolist())


class Hindsight(Uniform):
    """Popularity that knew every rating of the whole world from the start: no player can."""

    def __init__(self, world: FilmsWorld, rng: np.random.Generator) -> None:
        super().__init__(rng)
        everything = Popularity(len(world.items), rng)
        for visit in world.visits:
            fresh = np.arange(min(EVERY, len(visit.films)))
            everything.learn(visit, fresh)
        self.everything = everything

    def choose(self, visit: Visit, slots: int) -> Positions:
        return self.everything.choose(visit, slots)


class Earlier(Popularity):
    """Popularity that saw every rating of the visits before, shown or not."""

    def __init__(self, world: FilmsWorld, rng: np.random.Generator) -> None:
        super().__init__(len(world.items), rng)
        self.visits = iter(world.visits)

    def learn(self, visit: Visit, positions: Positions) -> None:
        """The visit as it was, with what had been shown already: its first 20 ratings, those until the next visit."""
        whole = next(self.visits)
        super().learn(whole, np.arange(min(EVERY, len(whole.films))))


class Oracle(Uniform):
    """Knows what the user likes."""

    def choose(self, visit: Visit, slots: int) -> Positions:
        return best(visit.liked, slots, self.rng)


Make = Callable[[FilmsWorld, Vectors, np.random.Generator], Player]


def _als(world: FilmsWorld, vectors: Vectors, rng: np.random.Generator) -> Player:
    users = 1 + max((visit.user for visit in world.visits), default=0)
    return AlternatingLeastSquares(len(world.items), users, rng)


BASELINES: Mapping[str, Make] = {
    "uniform": lambda world, vectors, rng: Uniform(rng),
    "popularity": lambda world, vectors, rng: Popularity(len(world.items), rng),
    "similarity": lambda world, vectors, rng: Similarity(vectors, rng),
    "bias": lambda world, vectors, rng: Bias(len(world.items), rng),
    "als": _als,
}

REFERENCES: Mapping[str, Make] = {
    "earlier-ratings": lambda world, vectors, rng: Earlier(world, rng),
    "hindsight": lambda world, vectors, rng: Hindsight(world, rng),
    "oracle": lambda world, vectors, rng: Oracle(rng),
}
