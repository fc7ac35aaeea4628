"""Visits of real users, and the loop that plays a recommender through them.

A user's ratings stand in time order (ties by film). A visit falls at every 20th of them while 20 or more are left;
its candidates are that rating and the next 49, less what was already shown to this user; a slate has 5 slots; a
slot's reward is 1 if the user gave the film 4 stars or more. Players learn from what they showed, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.catalog import Item
from equipoise.core import Floats, InputError
from equipoise.lab.films.data import FilmData

EVERY = 20
AHEAD = 50
SLOTS = 5
LIKED = 4.0

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """at: seconds. user: id. films: (k,) rows of the catalogue. liked: (k,) 1.0 or 0.0. first: of this user."""

    at: float
    user: int
    films: NDArray[np.int64]
    liked: Floats
    first: bool

    def less(self, shown: set[int]) -> Visit:
        """The visit without films already shown."""
        keep = np.array([film not in shown for film in self.films.tolist()])
        return Visit(self.at, self.user, self.films[keep], self.liked[keep], self.first)


@dataclass(frozen=True, slots=True, eq=False)
class FilmsWorld:
    """items: (n,) the catalogue. visits: in time order."""

    items: tuple[Item, ...]
    visits: tuple[Visit, ...]

    @classmethod
    def of(cls, data: FilmData) -> FilmsWorld:
        """All users' visits, ordered by the time of the rating they fall at, then by user and place."""
        order = _film_order([item.item_id for item in data.items])
        visits = sorted(
            (visit for user in np.unique(data.users).tolist() for visit in _visits(data, user, order)),
            key=lambda entry: entry[0],
        )
        return cls(data.items, tuple(visit for _, visit in visits))


class Player(Protocol):
    """Anything that recommends: the engine, a baseline or a reference."""

    def choose(self, visit: Visit, slots: int) -> Positions:
        """Returns: (m,) distinct positions among the visit's films. Only a reference may look at `liked`."""
        ...

    def learn(self, visit: Visit, positions: Positions) -> None:
        """The visit's `liked` at these positions has been seen."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One player's way through a world. rewards: (v,) mean reward of each slate. users, first: (v,)."""

    rewards: Floats
    users: NDArray[np.int64]
    first: NDArray[np.bool_]

    @property
    def mean(self) -> float:
        return float(self.rewards.mean())


def play(
    world: FilmsWorld, player: Player, *, progress: Callable[[int, float], None] | None = None
) -> Played:
    """Every visit once, in order. progress: called with (visits done, mean reward so far).

    Raises: InputError: the world has no visit.
    """
    if not world.visits:
        raise InputError(f"there is no visit to play: a user needs at least {EVERY} ratings")
    rewards = np.empty(len(world.visits))
    shown: dict[int, set[int]] = {}
    for number, full in enumerate(world.visits):
        past = shown.setdefault(full.user, set())
        visit = full.less(past)
        positions = player.choose(visit, min(SLOTS, len(visit.films)))
        player.learn(visit, positions)
        past.update(visit.films[positions].tolist())
        rewards[number] = visit.liked[positions].mean()
        if progress is not None:
            progress(number + 1, float(rewards[: number + 1].mean()))
    users = np.array([visit.user for visit in world.visits])
    return Played(rewards, users, np.array([visit.first for visit in world.visits]))


def _visits(
    data: FilmData, user: int, order: NDArray[np.int64]
) -> Iterator[tuple[tuple[float, int, int], Visit]]:
    mine = np.flatnonzero(data.users == user)
    mine = mine[np.lexsort((order[data.films[mine]], data.at[mine]))]
    liked = (data.stars[mine] >= LIKED).astype(np.float64)
    for start in range(0, len(mine) - EVERY + 1, EVERY):
        ahead = slice(start, start + AHEAD)
        at = float(data.at[mine[start]])
        yield (at, user, start), Visit(at, user, data.films[mine][ahead], liked[ahead], start == 0)


def _film_order(ids: list[str]) -> NDArray[np.int64]:
    """(n,) each film's place by its id, in the order of numbers where all ids are numbers."""
    numbers = all(item_id.isdecimal() for item_id in ids)
    ranked = sorted(range(len(ids)), key=lambda row: (int(ids[row]) if numbers else 0, ids[row]))
    order = np.empty(len(ids), dtype=np.int64)
    order[ranked] = np.arange(len(ids))
    return order
