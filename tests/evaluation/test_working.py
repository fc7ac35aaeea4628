"""Work in several processes: the same results in the same order, and the same errors."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from equipoise.core import InputError
from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.working import each

from .test_evaluation import slates, world


@pytest.mark.parametrize("cores", [0, 1, 2, 5])
def test_pieces_come_in_their_order(cores: int) -> None:
    assert list(each(7, lambda piece: piece**2, cores=cores)) == [0, 1, 4, 9, 16, 25, 36]
    assert list(each(0, lambda piece: piece, cores=cores)) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked on Linux only")
def test_they_are_processes_of_their_own() -> None:
    assert os.getpid() not in set(each(4, lambda _: os.getpid(), cores=2))
    assert set(each(4, lambda _: os.getpid(), cores=1)) == {os.getpid()}


@pytest.mark.parametrize("cores", [1, 2])
def test_an_error_is_told_as_it_was(cores: int) -> None:
    def work(piece: int) -> int:
        if piece == 1:
            raise InputError(f"piece {piece} cannot be")
        return piece

    with pytest.raises(InputError, match="piece 1 cannot be"):
        list(each(3, work, cores=cores))


@pytest.mark.parametrize("interval", ["normal", "bootstrap", "confidence_sequence"])
def test_numbers_do_not_depend_on_the_number_of_cores(interval: str) -> None:
    """Rows, warnings, support and pictures, to the last bit."""

    def found(cores: int) -> tuple[str, object]:
        options = Options(cores=cores, interval=interval, by=("country",), over_time=True)
        made = Evaluation(world(500), options=options).compare(["new", "same"])
        shown = [(entry.policy, entry.counts, entry.edges) for entry in made.weights]
        return made.json(), (shown, [[check.shown for check in one.checks] for one in made.supports])

    assert found(1) == found(2) == found(0)


def test_slates_too() -> None:
    log = slates(200)
    target = np.full(len(log), 0.25)
    one, two = (
        Evaluation(log, options=Options(cores=cores)).compare([("even", target)]).json() for cores in (1, 2)
    )
    assert one == two
