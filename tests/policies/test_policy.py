"""Policies by name, floors, diversity and the settings that make them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from equipoise.core import ConfigurationError, InputError, NoCandidatesError
from equipoise.policies import Prior, build, settings_of
from equipoise.policies.diversity import Determinantal, MaximalMarginalRelevance
from equipoise.policies.explorers import SoftmaxSettings
from equipoise.policies.floors import floored
from equipoise.policies.policy import FLOOR
from equipoise.policies.registry import EXPLORERS, OWN, POSTERIORS


def rng():
    return np.random.default_rng(0)


@given(
    odds=arrays.arrays(np.float64, st.integers(1, 20), elements=st.floats(0.0, 1.0)),
    floor=st.floats(0.0, 1.0),
)
def test_the_floor_holds_and_the_sum_stays(odds, floor):
    odds = odds + 1e-3
    odds /= odds.sum()
    raised = floored(odds, floor)
    assert (raised >= min(floor, 1.0 / len(odds))).all()
    assert abs(raised.sum() - 1.0) < 1e-9


def test_the_floor_by_hand():
    # .1 + (1 - 3 x .1) odds on the three in play.
    np.testing.assert_allclose(floored(np.array([1.0, 0, 0, 0]), 0.1, [2]), [0.8, 0.1, 0.0, 0.1])


def test_a_floor_above_an_equal_share_is_uniform():
    assert floored(np.array([1.0, 0.0]), 0.9).tolist() == [0.5, 0.5]


def test_there_is_a_floor_unless_asked_otherwise(space, candidates, batch):
    policy = build("greedy", space)
    policy.update(batch(30))
    assert policy.distribution(candidates(9), rng()).min() == FLOOR
    bare = build("greedy", space, floor=0.0)
    bare.update(batch(30))
    assert bare.distribution(candidates(9), rng()).min() == 0.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"flor": 0.1}, "no setting 'flor': did you mean 'floor'"),
        ({"drawz": 3}, "no setting 'drawz': did you mean 'draws'"),
        ({"posterior": "mxed"}, "no posterior 'mxed': did you mean 'mixed'"),
        ({"diversity": "mrm"}, "no diversity 'mrm': did you mean 'mmr'"),
        ({"zzz": 1}, "choose one of"),
        ({"epsilon": 0.1}, "no setting 'epsilon'"),
        ({"floor": -0.1}, "setting 'floor' is -0.1"),
        ({"floor": float("nan")}, "setting 'floor' is nan"),
        ({"discount": 0.0}, "setting 'discount' is 0.0 but must lie in \\(0, 1\\]"),
        ({"noise": 0.0}, "setting 'noise' is 0.0"),
        ({"precision": -1.0}, "setting 'precision' is -1.0"),
        ({"floor": "much"}, "setting 'floor' is 'much' but must be a number, such as 0.0002"),
        ({"draws": 64.5}, "setting 'draws' is 64.5 but must be a whole number"),
        ({"learn_noise": 1}, "setting 'learn_noise' is 1 but must be true or false"),
        ({"similarity": "text"}, "setting 'similarity' is 'text' but must be the number"),
        ({"similarity": 4}, "setting 'similarity' is 4 but must be the number of a feature, 0 to 3"),
        ({"diversity": "mmr", "diversity_weight": -1.0}, "setting 'diversity_weight' is -1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words, space):
    with pytest.raises(ConfigurationError, match=words):
        build("thompson", space, **settings)


def test_a_misspelt_policy_is_named(space):
    with pytest.raises(ConfigurationError, match="no policy 'tompson': did you mean 'thompson'"):
        build("tompson", space)


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("name", EXPLORERS)
def test_every_setting_can_be_given_as_its_default(name, posterior, space):
    assert build(name, space, **settings_of(name, posterior=posterior)).name == name


def test_the_parts_of_a_policy_share_no_setting():
    # `build` takes them all flat, so that each name must have one meaning.
    explorers = {field.name for part in EXPLORERS.values() if is_dataclass(part) for field in fields(part)}
    explorers |= {field.name for field in fields(SoftmaxSettings)}
    posteriors = {field.name for _, options in POSTERIORS.values() for field in fields(options)}
    assert not explorers & posteriors
    assert not (explorers | posteriors) & set(OWN)


def test_fingerprints_follow_every_setting_and_the_prior(space):
    prior = Prior(np.zeros(4), np.ones(4))
    made = [
        build("thompson", space),
        build("thompson", space, draws=64),
        build("thompson", space, posterior="linear"),
        build("thompson", space, prior=prior),
        build("thompson", space, prior=replace(prior, mean=np.full(4, 0.1))),
        build("top_two", space),
    ]
    assert len({policy.fingerprint for policy in made}) == len(made)
    assert build("thompson", space, draws=128).fingerprint == made[0].fingerprint


def test_whole_numbers_and_lists_stand_for_what_they_mean(space):
    plain = build("thompson", space, precision=2.0, item_columns=(0, 2))
    assert build("thompson", space, precision=2, item_columns=[0, 2]).fingerprint == plain.fingerprint


def test_a_prior_is_where_belief_starts(space, candidates):
    prior = Prior(np.array([0.5, -0.5, 0.0, 0.25]), np.full(4, 10.0))
    belief = build("greedy", space, prior=prior).believe(candidates(5), rng())
    np.testing.assert_allclose(belief.mean, candidates(5).features @ prior.mean, atol=1e-6)


def test_similarity_is_the_feature_it_is_said_to_be(space, candidates):
    belief = build("softmax", space, similarity=2).believe(candidates(5), rng())
    np.testing.assert_array_equal(belief.similarity, candidates(5).features[:, 2])


def test_explanations_see_the_draws_of_the_decision(space, batch, candidates):
    policy = build("thompson", space, floor=0.0)
    policy.update(batch(30))
    belief = policy.believe(candidates(6), rng())
    counted = np.bincount(belief.samples.argmax(axis=1), minlength=6) / 128
    np.testing.assert_allclose(policy.distribution(candidates(6), rng()), counted, atol=1e-9)


def unit(*rows):
    made = np.array(rows, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_mmr_by_hand():
    # Cosines with the two above: 1 and 0 (itself), 0 and 1, .6 and .8: the greater times .5 is taken off.
    vectors = unit([1, 0], [0, 1], [3, 4])
    shift = MaximalMarginalRelevance(weight=0.5).shift(vectors, [0, 1])
    np.testing.assert_allclose(shift, [-0.5, -0.5, -0.4], atol=1e-6)


def test_dpp_by_hand():
    # Below (1, 0), the vector (3, 4) / 5 keeps 1 - .6^2 = .64 of itself, (0, 1) all, (1, 0) nothing.
    shift = Determinantal(weight=0.5).shift(unit([1, 0], [0, 1], [3, 4]), [0])
    np.testing.assert_allclose(shift[1:], [0.0, 0.5 * np.log(0.64)], atol=1e-5)
    assert shift[0] < -6.0


def test_dpp_is_a_ratio_of_determinants():
    vectors = unit(*np.random.default_rng(1).normal(size=(6, 8)))
    kernel = (vectors @ vectors.T).astype(np.float64)
    shift = Determinantal(weight=1.0).shift(vectors, [4, 2])
    for at in (0, 1, 3, 5):
        ratio = np.linalg.det(kernel[np.ix_([4, 2, at], [4, 2, at])]) / np.linalg.det(
            kernel[np.ix_([4, 2], [4, 2])]
        )
        assert shift[at] == pytest.approx(np.log(ratio), abs=1e-4)


@pytest.mark.parametrize("diversity", ["mmr", "dpp"])
@pytest.mark.parametrize("name", ["greedy", "thompson"])
def test_diversity_moves_the_odds_away_from_what_is_alike(name, diversity, space, candidates):
    # Six candidates: 0 to 2 nearly the same vector, 3 to 5 another. Below 0, the group of 3 must gain.
    asked = candidates(6)
    vectors = unit([1, 0.01], [1, 0.02], [1, 0.03], [0.01, 1], [0.02, 1], [0.03, 1])
    asked = replace(asked, vectors=vectors, features=np.full((6, 4), 0.1, dtype=np.float32))
    plain = build(name, space).slate(asked, rng())
    diverse = build(name, space, diversity=diversity, diversity_weight=1.0).slate(asked, rng())
    np.testing.assert_array_equal(plain.given(()), diverse.given(()))
    assert diverse.given((0,))[3:].sum() > plain.given((0,))[3:].sum() + 0.1


def test_diversity_without_vectors_is_refused(space, candidates):
    with pytest.raises(InputError, match="candidates carry none"):
        build("greedy", space, diversity="mmr").slate(replace(candidates(3), vectors=None), rng())


def test_a_whole_catalogue_weighed_by_means_is_the_distribution_over_its_candidates(
    batch, candidates, space
) -> None:
    policy = build("squarecb", space, posterior="linear", floor=0.001)
    policy.update(batch(30))
    shown = candidates(9)
    means = shown.features.astype(np.float64) @ policy.weights
    found = policy.over(shown.item_ids, means, rows=30)
    np.testing.assert_allclose(
        found, policy.distribution(shown, np.random.default_rng(0)), rtol=0, atol=1e-12
    )
    assert found.min() >= 0.001
    assert abs(found.sum() - 1.0) < 1e-12


def test_means_alone_are_refused_where_an_explorer_needs_more_and_where_they_are_none(space) -> None:
    with pytest.raises(ConfigurationError, match="needs more than means"):
        build("thompson", space, posterior="linear").over(("i1",), np.zeros(1), rows=0)
    policy = build("squarecb", space, posterior="linear")
    for means in (np.zeros(3), np.array([0.0, np.nan])):
        with pytest.raises(InputError, match="one finite mean each"):
            policy.over(("i1", "i2"), means, rows=0)
    with pytest.raises(NoCandidatesError):
        policy.over((), np.zeros(0), rows=0)
