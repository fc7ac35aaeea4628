"""Numbers that a reader can check, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import (
    Decision,
    FeatureSpace,
    Floats,
    InputError,
    Logged,
    PropensityError,
    Request,
    Slot,
    Versions,
)
from equipoise.evaluation.evidence import Evidence, one_name
from equipoise.evaluation.slates import (
    SLATE_ESTIMATORS,
    SlateEstimator,
    SlateLog,
    chances_of,
    slate_log,
    slates_of,
    with_baseline,
)
from equipoise.policies import draw

# Row 0 has ratios 2 and 0.5, rewards 1 and 1; row 1 has ratios 0.5 and 3, rewards 0 and 2.
LOG = SlateLog(
    rewards=np.array([[1.0, 1.0], [0.0, 2.0]]),
    propensities=np.array([[0.25, 0.5], [0.5, 0.25]]),
    target=np.array([[0.5, 0.25], [0.25, 0.75]]),
)

BY_HAND = {
    # whole slates weigh 2 x 0.5 = 1 and 0.5 x 3 = 1.5: (1 x 2 + 1.5 x 2) / 2
    "slate_ips": 2.5,
    # slot 0: (1 x 1 + 1.5 x 0) / 2.5 = 0.4; slot 1: (1 x 1 + 1.5 x 2) / 2.5 = 1.6
    "slate_snips": 2.0,
    # (2 x 1 + 0.5 x 1 + 0.5 x 0 + 3 x 2) / 2
    "independent_ips": 4.25,
    # slot 0: 2 / 2.5 = 0.8; slot 1: (0.5 + 6) / 3.5 = 13 / 7
    "independent_snips": 0.8 + 13 / 7,
    # weights 2, 1 and 0.5, 1.5: (2 x 1 + 1 x 1 + 0 + 1.5 x 2) / 2
    "reward_interaction_ips": 3.0,
    # slot 0: 2 / 2.5 = 0.8; slot 1: (1 + 3) / 2.5 = 1.6
    "reward_interaction_snips": 2.4,
    # no baseline: reward-interaction IPS
    "cascade_dr": 3.0,
    # weights 1 - 2 + 2.5 = 1.5 and 1 - 2 + 3.5 = 2.5: (1.5 x 2 + 2.5 x 2) / 2
    "pseudo_inverse": 4.0,
}


@pytest.mark.parametrize("name", sorted(SLATE_ESTIMATORS))
def test_two_rows_by_hand(name: str) -> None:
    assert SLATE_ESTIMATORS[name].estimate(LOG).value == pytest.approx(BY_HAND[name], rel=1e-14)


def test_cascade_dr_by_hand() -> None:
    log = replace(LOG, q_shown=np.full((2, 2), 0.5), q_expected=np.array([[0.6, 0.2], [0.4, 0.3]]))
    # row 0: 2 (1 - 0.5) + 0.6 + 1 (1 - 0.5) + 2 x 0.2   = 2.5
    # row 1: 0.5 (0 - 0.5) + 0.4 + 1.5 (2 - 0.5) + 0.5 x 0.3 = 2.55
    assert SLATE_ESTIMATORS["cascade_dr"].terms(log) == pytest.approx([2.5, 2.55], rel=1e-14)


def test_slot_weights_count_each_slots_reward() -> None:
    """Only slot 0 counts: the slots below it then change nothing for estimators that do not look down."""
    first = replace(LOG, slot_weights=np.array([1.0, 0.0]))
    assert SLATE_ESTIMATORS["reward_interaction_ips"].estimate(first).value == pytest.approx(1.0)
    assert SLATE_ESTIMATORS["slate_ips"].estimate(first).value == pytest.approx(0.5)


def test_a_short_slate_is_one_without_the_lower_slots() -> None:
    """Row 0 has one slot only; what stands behind it does not enter: (2 x 1 + 0.5 x 0 + 1.5 x 2) / 2."""
    short = replace(LOG, lengths=np.array([1, 2]))
    assert SLATE_ESTIMATORS["reward_interaction_ips"].estimate(short).value == pytest.approx(2.5)
    # pseudo-inverse: weights 2 and 2.5: (2 x 1 + 2.5 x 2) / 2
    assert SLATE_ESTIMATORS["pseudo_inverse"].estimate(short).value == pytest.approx(3.5)
    # slot 1 is known from row 1 alone: worth 2, in half of the slates; slot 0: 2 / 2.5
    assert SLATE_ESTIMATORS["reward_interaction_snips"].estimate(short).value == pytest.approx(0.8 + 1.0)


def test_worth_is_that_of_the_weakest_slot() -> None:
    """Reward interaction: slot 0 weighs 2, 0.5: 6.25 / 4.25; slot 1 weighs 1, 1.5: 6.25 / 3.25. The least counts."""
    assert SLATE_ESTIMATORS["reward_interaction_ips"].estimate(LOG).n_effective == pytest.approx(6.25 / 4.25)


def test_a_target_that_never_shows_this_is_worth_nothing() -> None:
    gone = replace(LOG, target=np.zeros((2, 2)))
    for name in ("slate_ips", "slate_snips", "reward_interaction_snips"):
        found = SLATE_ESTIMATORS[name].estimate(gone)
        assert (found.value, found.n_effective) == (0.0, 0.0)


def test_one_row_has_no_known_spread() -> None:
    found = SLATE_ESTIMATORS["slate_ips"].estimate(LOG.take(np.array([0])))
    assert found.value == 2.0 and found.stderr == np.inf and found.low == -np.inf


def test_the_interval_follows_its_level() -> None:
    """Half width is 1.6449 standard errors at 90 %."""
    ips = SLATE_ESTIMATORS["slate_ips"]
    found = replace(ips, level=0.9).estimate(LOG)
    assert found.high - found.value == pytest.approx(1.6448536 * found.stderr)
    with pytest.raises(InputError, match=r"level is 1\.0"):
        SlateEstimator("x", "nothing", ips.compute, ips.weigh, level=1.0)


def _logged(propensities: list[float], rewards: list[float]) -> Logged:
    space = FeatureSpace("hand", "1", 1)
    slots = tuple(Slot(j, f"i{j}", p, p, "all") for j, p in enumerate(propensities))
    versions = Versions(space, space, catalog=1, policy="linear#1", learned=0, seed=0)
    features = np.zeros((len(slots), 1), dtype=np.float32)
    decision = Decision(
        "d", 0.0, Request(), versions, ("i0", "i1", "i2"), ("all",) * 3, np.ones(3) / 3, slots, features, 1.0
    )
    return Logged(decision, np.array(rewards))


def test_the_journals_own_propensities_are_enough() -> None:
    """Slates of two lengths: weights 0.2 / 0.4 and, below it, x 0.5 / 0.5; then 0.3 / 0.5."""
    settled = [_logged([0.4, 0.5], [1.0, 1.0]), _logged([0.5], [2.0])]
    log = slate_log(settled, [np.array([0.2, 0.5]), np.array([0.3])])
    assert log.lengths is not None and log.lengths.tolist() == [2, 1]
    assert SLATE_ESTIMATORS["reward_interaction_ips"].terms(log) == pytest.approx([0.5 + 0.5, 1.2])
    with pytest.raises(InputError, match="1 decisions but 2 targets"):
        slate_log(settled[:1], [np.ones(2), np.ones(1)])
    with pytest.raises(InputError, match="'d' has 2 slots but 1 target"):
        slate_log(settled[:1], [np.ones(1)])


def test_rows_of_one_decision_become_one_slate() -> None:
    """Two decisions, of two rows and one: as in the log of the journal above."""
    rows = Evidence(
        rewards=np.array([1.0, 1.0, 2.0]),
        propensities=np.array([0.4, 0.5, 0.5]),
        target=np.array([0.2, 0.5, 0.3]),
        decisions=np.array([0, 0, 1]),
        slots=np.array([0, 1, 0]),
        at=np.full(3, np.nan),
        items=one_name("a", 3),
        loggers=one_name("logged", 3),
    )
    log = slates_of(rows)
    assert log.lengths is not None and log.lengths.tolist() == [2, 1]
    assert SLATE_ESTIMATORS["reward_interaction_ips"].terms(log) == pytest.approx([0.5 + 0.5, 1.2])
    with pytest.raises(InputError, match="no row"):
        slates_of(rows.where(np.zeros(3, dtype=np.bool_)))


class _Plain:
    """Renormalises what is left of fixed probabilities."""

    def __init__(self, probabilities: Floats) -> None:
        self.probabilities = probabilities

    def given(self, above: tuple[int, ...]) -> Floats:
        left = self.probabilities.copy()
        left[list(above)] = 0.0
        return left / left.sum()


def test_chances_are_what_the_dice_would_report() -> None:
    """For the policy that drew, the chances of its own slate equal the propensities that `draw` returned."""
    slate = _Plain(np.array([0.5, 0.3, 0.2]))
    choice = draw(slate, 3, np.random.default_rng(1))
    assert chances_of(slate, choice.positions.tolist()) == pytest.approx(
        choice.propensities.tolist(), rel=1e-15
    )
    # Slot 0 pinned: its chance is 1 and it takes no candidate away; then 0.3, then 0.5 of the 0.7 that is left.
    assert chances_of(slate, [-1, 1, 0]) == pytest.approx([1.0, 0.3, 0.5 / 0.7])


def test_a_learned_baseline_takes_spread_away() -> None:
    """Rewards that are the features exactly: the forecast is almost the reward, and so are the terms' spread."""
    rng = np.random.default_rng(5)
    shown = rng.integers(0, 2, (400, 2)).astype(np.float64)
    log = SlateLog(shown, np.full((400, 2), 0.5), np.where(shown == 1.0, 0.8, 0.2))
    better = with_baseline(log, shown[:, :, None], np.full((400, 2, 1), 0.8), rng=rng, ridge=1e-6)
    # The target's value is 0.8 + 0.8, known without error.
    assert SLATE_ESTIMATORS["cascade_dr"].terms(better) == pytest.approx(np.full(400, 1.6), abs=1e-6)
    with pytest.raises(InputError, match="features for every slot"):
        with_baseline(log, shown, shown, rng=rng)
    with pytest.raises(InputError, match="folds is 1"):
        with_baseline(log, shown[:, :, None], shown[:, :, None], rng=rng, folds=1)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (
            {"propensities": [[0.0, 0.5], [0.5, 0.25]]},
            PropensityError,
            "propensities of row 0, slot 0 is 0.0",
        ),
        ({"propensities": [[0.5, 0.5], [0.5, np.nan]]}, PropensityError, "row 1, slot 1 is nan"),
        ({"propensities": [[0.5, 1.5], [0.5, 0.5]]}, PropensityError, "row 0, slot 1 is 1.5"),
        ({"target": [[0.5, -0.1], [0.5, 0.5]]}, PropensityError, "target of row 0, slot 1 is -0.1"),
        ({"rewards": [[0.5, np.inf], [0.5, 0.5]]}, InputError, "rewards of row 0, slot 1 is inf"),
        ({"rewards": [["yes", 1], [0, 0]]}, InputError, "rewards must hold numbers only"),
        ({"rewards": [1.0, 2.0]}, InputError, r"must be \(n, m\)"),
        ({"target": [[0.5], [0.5]]}, InputError, r"target has shape \(2, 1\)"),
        ({"lengths": np.array([0, 2])}, InputError, "row 0 has 0 slots"),
        ({"lengths": np.array([2.0, 2.0])}, InputError, "whole numbers"),
        ({"slot_weights": [1.0]}, InputError, "must be 2 finite numbers"),
        ({"q_shown": np.zeros((2, 2))}, InputError, "a baseline needs both"),
        (
            {"q_shown": np.full((2, 2), np.nan), "q_expected": np.zeros((2, 2))},
            InputError,
            "q_shown of row 0, slot 0 is nan",
        ),
    ],
)
def test_what_cannot_be_a_log_is_refused(
    changes: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        replace(LOG, **changes)
