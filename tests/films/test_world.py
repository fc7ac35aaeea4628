"""Visits by hand: every 20th rating, 50 candidates, 5 slots, and nothing learned but what was shown."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import InputError
from equipoise.lab.films import FilmsWorld, Visit, play
from equipoise.lab.films.world import Positions

from .tiny import visit, watching, world_of


@pytest.mark.parametrize(
    ("ratings", "visits"),
    [(19, []), (20, [20]), (39, [39]), (40, [40, 20]), (69, [50, 49, 29]), (100, [50, 50, 50, 40, 20])],
)
def test_a_visit_at_every_20th_while_20_are_left(ratings: int, visits: list[int]) -> None:
    """69 ratings: at 0 candidates 0 to 49; at 20, 20 to 68; at 40, 40 to 68, which are 29; at 60 only 9 are left."""
    world = world_of(100, watching(1, ratings))
    assert [len(one.films) for one in world.visits] == visits
    assert [one.films[0] for one in world.visits] == [20 * number for number in range(len(visits))]
    assert [one.first for one in world.visits] == [number == 0 for number in range(len(visits))]


def test_ratings_stand_in_time_order_and_ties_by_film_as_a_number() -> None:
    """Films 19 down to 0, all at one time: 2 stands before 10, although "10" comes before "2" as text."""
    world = world_of(20, [(1, j, 3.0, 5.0) for j in reversed(range(20))])
    assert world.visits[0].films.tolist() == list(range(20))
    late = world_of(21, [(1, 20, 3.0, 1.0), *((1, j, 3.0, 5.0) for j in reversed(range(20)))])
    assert late.visits[0].films.tolist() == [20, *range(20)]


def test_visits_of_all_users_stand_in_time_order() -> None:
    world = world_of(40, [*watching(2, 40, start=100.0), *watching(1, 20, start=110.0)])
    assert [(one.user, one.at, one.first) for one in world.visits] == [
        (2, 100.0, True),
        (1, 110.0, True),
        (2, 120.0, False),
    ]


def test_four_stars_are_liked() -> None:
    stars = [0.5, 3.5, 4.0, 4.5, 5.0] * 4
    world = world_of(20, [(1, j, star, float(j)) for j, star in enumerate(stars)])
    assert world.visits[0].liked.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0] * 4


class Spy:
    """Shows the last five films, and writes down all it is told."""

    def __init__(self) -> None:
        self.offered: list[Visit] = []
        self.told: list[tuple[int, list[int], list[float]]] = []

    def choose(self, visit: Visit, slots: int) -> Positions:
        self.offered.append(visit)
        return np.arange(len(visit.films))[-slots:]

    def learn(self, visit: Visit, positions: Positions) -> None:
        self.told.append((visit.user, visit.films[positions].tolist(), visit.liked[positions].tolist()))


def test_what_was_shown_is_offered_to_that_user_no_more() -> None:
    """Visit 0 offers 0 to 49 and shows 45 to 49; visit 1 offers 20 to 59 without those, and shows 55 to 59."""
    ratings = [*watching(1, 60, liked=[46, 57]), *watching(2, 20, first=40, start=0.5, liked=[45])]
    spy = Spy()
    played = play(world_of(60, ratings), spy)
    mine = [one.films.tolist() for one in spy.offered if one.user == 1]
    assert mine[0] == list(range(50))
    assert mine[1] == [*range(20, 45), *range(50, 60)]
    assert spy.offered[1].films.tolist() == list(range(40, 60))  # the other user's are all there
    assert spy.told[:3] == [
        (1, [45, 46, 47, 48, 49], [0.0, 1.0, 0.0, 0.0, 0.0]),
        (2, [55, 56, 57, 58, 59], [0.0] * 5),
        (1, [55, 56, 57, 58, 59], [0.0, 0.0, 1.0, 0.0, 0.0]),
    ]
    assert played.rewards[:3].tolist() == [0.2, 0.0, 0.2]
    assert played.mean == pytest.approx(played.rewards.mean())
    assert played.users.tolist() == [1, 2, 1, 1]
    assert played.first.tolist() == [True, True, False, False]


def test_a_short_visit_has_a_short_slate() -> None:
    world = FilmsWorld((), (visit([3, 4], [1.0, 0.0]),))
    spy = Spy()
    assert play(world, spy).rewards.tolist() == [0.5]
    assert spy.told == [(1, [3, 4], [1.0, 0.0])]


def test_progress_is_told_after_every_visit() -> None:
    told: list[tuple[int, float]] = []
    play(world_of(40, watching(1, 40, liked=range(45))), Spy(), progress=lambda *one: told.append(one))
    assert told == [(1, 1.0), (2, 1.0)]


def test_a_world_without_visits_cannot_be_played() -> None:
    with pytest.raises(InputError, match="20 ratings"):
        play(world_of(40, watching(1, 19)), Spy())
