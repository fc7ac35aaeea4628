"""The world's rules on made questions, and its players on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Batch, ConfigurationError
from equipoise.lab.questions.players import KNOWN, PLAYERS, PolicyPlayer, check_names, played
from equipoise.lab.questions.references import full_labels
from equipoise.lab.questions.views import SHARED, products, projected, whole
from equipoise.lab.questions.world import play
from equipoise.policies import build
from equipoise.policies.registry import EXPLORERS

from .tiny import world


def silent(_done, _mean):
    """Nobody watches."""


class Recorder:
    """Shows answer 0 to everyone with odds of its own, and remembers what it was told."""

    def __init__(self, answers):
        self.told = []
        self._odds = np.full(answers, 0.5 / (answers - 1))
        self._odds[0] = 0.5

    def choose(self, question, rng):
        return 0, 0.5

    def learn(self, question, answer, *, reward, propensity):
        self.told.append((question, answer, reward, propensity))

    def odds(self, question, rng):
        return self._odds


def test_a_pass_tells_only_whether_what_was_shown_was_right():
    made, player = world(), Recorder(4)
    result = play(made, player, seed=1, name="recorder", watch=silent)
    stream = made.stream(1)
    assert len(player.told) == len(stream) == 300
    for (question, answer, reward, propensity), vector, right in zip(
        player.told, stream.vectors, stream.right, strict=True
    ):
        assert (question == vector).all()
        assert (answer, reward, propensity) == (0, float(right == 0), 0.5)
    np.testing.assert_array_equal(result.wrong, stream.right != 0)
    assert (result.propensities == 0.5).all()


def test_the_test_is_scored_by_odds_and_teaches_nothing():
    made, player = world(), Recorder(4)
    result = play(made, player, seed=1, name="recorder", watch=silent)
    # The right answer is 0, shown with odds .5, or another, shown with .5 / 3.
    np.testing.assert_allclose(result.test_wrong, np.where(made.test.right == 0, 0.5, 1 - 0.5 / 3))
    assert len(player.told) == 300


def test_the_last_fifth_is_the_last_fifth():
    result = played(world(), "oracle", seed=0, watch=silent)
    wrong = np.zeros(300)
    wrong[:240] = 1.0
    assert replace(result, wrong=wrong).last_fifth == 0.0
    wrong[239:243] = 1.0
    assert replace(result, wrong=wrong).last_fifth == pytest.approx(3 / 60)


def test_orders_are_by_seed_and_the_same_for_every_player():
    made = world()
    one, again, other = made.stream(0), made.stream(0), made.stream(1)
    assert (one.right == again.right).all()
    assert (one.right != other.right).any()
    assert sorted(one.right) == sorted(other.right)
    assert (made.stream(0, 50).right == one.right[:50]).all()


@pytest.mark.parametrize("make", [whole, projected, products])
def test_every_view_begins_with_one_and_the_similarity(make):
    made = world()
    view = make(made)
    features = view.features(made.train.vectors[0])
    assert features.shape == (4, view.space.dim)
    assert features.dtype == np.float32
    assert (features[:, 0] == 1.0).all()
    np.testing.assert_allclose(features[:, 1], made.answer_vectors @ made.train.vectors[0], atol=1e-6)


def test_whole_and_projected_questions_are_the_same_for_every_answer():
    made = world()
    for view in (whole(made), projected(made)):
        own = view.features(made.train.vectors[5])[:, SHARED:]
        assert (own == own[0]).all()
    # All six directions of six are a rotation: lengths stay, times sqrt(6 / 6).
    np.testing.assert_allclose(np.linalg.norm(own[0]), 1.0, atol=1e-5)


def test_products_sum_to_the_similarity_times_the_scale():
    made = world()
    view = products(made)
    own = view.features(made.train.vectors[2])[:, SHARED:]
    # Four answers span four directions: sum_j q_j a_j = q'a for answers within them, times sqrt(4).
    np.testing.assert_allclose(own.sum(axis=1), 2.0 * made.answer_vectors @ made.train.vectors[2], atol=1e-5)


@pytest.mark.parametrize("name", [*EXPLORERS, "random-effects", "disjoint-linucb"])
def test_those_who_learn_an_answers_own_questions_beat_its_text(name):
    made = world()
    learned = played(made, name, seed=0, watch=silent)
    # Guessing errs on .75. Uniform never gets better; all others must: sd of the last 60 is below .065.
    # Guessing errs on .75, and so does uniform for ever; top-two shows its second choice half the time. All others must
    # get well below: the sd of a share of 60 is at most .065.
    most = {"uniform": 0.95, "top_two": 0.7}.get(name, 0.5)
    assert learned.last_fifth < most
    assert learned.test_wrong.mean() < most
    assert (learned.propensities > 0.0).all()


def test_the_kernel_answers_nearly_all_of_it_and_similarity_does_not():
    made = world()
    ours, text = (played(made, name, seed=0, watch=silent) for name in ("greedy", "similarity"))
    assert ours.last_fifth < 0.1
    assert text.last_fifth > 0.4


def test_propensities_are_what_the_dice_had():
    # Epsilon-greedy with epsilon .02 and four answers shows the best with .98 + .02 / 4, others with .02 / 4; two best at
    # the start share.
    result = played(world(), "epsilon_greedy", seed=0, watch=silent)
    kinds = np.unique(result.propensities.round(3))
    assert set(kinds.tolist()) <= {0.005, 0.985, 0.495}
    # 300 throws at .015: 4.5 expected; 18 or more is a false alarm in 600,000.
    assert np.count_nonzero(result.propensities < 0.1) < 18


def test_a_player_teaches_its_policy_the_row_that_was_shown():
    made = world()
    view = whole(made)
    policy, twin = (build("greedy", view.space, posterior="linear") for _ in range(2))
    player = PolicyPlayer(policy, view, made.answers)
    question = made.train.vectors[0]
    player.learn(question, 2, reward=1.0, propensity=0.25)
    row = view.features(question)[2:3]
    twin.update(Batch((made.answers[2],), (None,), row, np.ones(1), np.full(1, 0.25), view.space))
    for key, array in policy.state().items():
        np.testing.assert_array_equal(array, twin.state()[key], err_msg=key)


def test_full_labels_learn_what_no_reward_told():
    made = world()
    wrong, test_wrong = full_labels(made, made.stream(0))
    assert wrong.shape == (300,)
    assert wrong[60:].mean() < 0.05
    assert test_wrong.mean() < 0.05


def test_the_oracle_is_never_wrong():
    result = played(world(), "oracle", seed=0, watch=silent)
    assert result.wrong.sum() == result.test_wrong.sum() == 0.0


def test_names_that_nobody_has_are_refused_with_the_nearest():
    check_names(KNOWN)
    assert {"greedy", "similarity"} <= set(PLAYERS)
    with pytest.raises(ConfigurationError, match="did you mean 'random-effects'"):
        check_names(["random-efects"])
