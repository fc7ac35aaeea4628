"""Campaigns: the laws of every policy, then each part against brute force, then numbers to check by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, InputError
from equipoise.lab.contracts import check_policy
from equipoise.policies import (
    CampaignPosterior,
    LogitNormal,
    PastTest,
    Programme,
    RelatedArms,
    RelatedSettings,
    campaign,
    learned,
)
from equipoise.policies.campaigns.likeness import likeness, placed, typical_distances
from equipoise.policies.campaigns.related import _learned

SPACE = FeatureSpace("toy", "1", 4)
SETTINGS = RelatedSettings(text=0.3, own=0.05, level=0.2, fade=30.0, parts=2, chance=0.02)


def past_of(tests: int, *, seed: int = 0) -> list[PastTest]:
    """Tests of 2 to 4 arms; the first feature is clicked."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(tests):
        k = int(rng.integers(2, 5))
        features = rng.normal(size=(k, SPACE.dim)).astype(np.float32)
        shown = rng.integers(500, 3000, k).astype(float)
        clicks = rng.binomial(shown.astype(int), expit(-4.0 + 0.5 * features[:, 0])).astype(float)
        made.append(PastTest(features, shown, clicks))
    return made


RELATED = RelatedArms.of(SPACE, past_of(25), settings=SETTINGS)


def candidates_of(k: int, *, seed: int = 3) -> Candidates:
    rng = np.random.default_rng(seed)
    return Candidates(
        tuple(f"i{at}" for at in rng.permutation(k)), rng.normal(size=(k, 4)).astype(np.float32), SPACE
    )


def rows_of(candidates: Candidates, shown: list[int], clicks: list[int]) -> Batch:
    """The first of an arm's rows click."""
    at = np.repeat(np.arange(len(candidates)), shown)
    rewards = np.concatenate([np.arange(n) < c for n, c in zip(shown, clicks, strict=True)]).astype(float)
    return Batch(
        tuple(candidates.item_ids[i] for i in at),
        (None,) * len(at),
        candidates.features[at],
        rewards,
        np.full(len(at), 0.5),
        SPACE,
    )


# Laws


@pytest.mark.parametrize("past", [RELATED, RelatedArms.of(SPACE, settings=SETTINGS)], ids=["past", "no past"])
def test_a_campaign_keeps_the_laws_of_a_policy(past):
    check_policy(lambda: campaign(past, visitors=400), SPACE, floor=0.005)


def test_permuting_the_candidates_permutes_the_belief():
    posterior, asked = CampaignPosterior(RELATED), candidates_of(5)
    posterior.update(rows_of(asked, [30, 0, 10, 5, 60], [1, 0, 2, 0, 1]))
    order = np.array([3, 0, 4, 1, 2])
    turned = replace(asked, item_ids=tuple(asked.item_ids[i] for i in order), features=asked.features[order])
    straight = posterior.believe(asked, draws=7, spread=True, rng=np.random.default_rng(1))
    shuffled = posterior.believe(turned, draws=7, spread=True, rng=np.random.default_rng(1))
    np.testing.assert_allclose(straight.mean[order], shuffled.mean, rtol=1e-12)
    np.testing.assert_allclose(straight.spread[order], shuffled.spread, rtol=1e-12)
    np.testing.assert_array_equal(straight.samples[:, order], shuffled.samples)


def test_every_arm_keeps_the_floor():
    policy, asked = campaign(RELATED, visitors=200), candidates_of(6)
    odds = policy.distribution(asked, np.random.default_rng(0))
    assert sorted(odds)[:5] == pytest.approx([0.005] * 5)
    assert odds.max() == pytest.approx(1 - 5 * 0.005)  # the other five keep .005 each


# Logits against brute force


def log_posterior(theta, prior, shown, clicks):
    away = theta - prior.mean
    return (
        -0.5 * away @ np.linalg.solve(prior.covariance, away)
        + clicks @ theta
        - shown @ np.logaddexp(0.0, theta)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_belief_sits_at_the_mode_with_its_curvature(seed, k):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, k))
    prior = LogitNormal(rng.normal(-4, 1, k), 0.3 * root @ root.T + 0.05 * np.eye(k))
    shown = rng.integers(0, 3000, k).astype(float)
    clicks = np.floor(shown * rng.random(k) ** 4)
    belief = learned(prior, shown, clicks)
    found = minimize(
        lambda theta: -log_posterior(theta, prior, shown, clicks), belief.mean + 0.1, method="BFGS"
    )
    # A quadratic minimum: a value within 1e-6 of the best, and no lower one found.
    assert log_posterior(belief.mean, prior, shown, clicks) >= -found.fun - 1e-6
    chance = expit(belief.mean)
    np.testing.assert_allclose(
        np.linalg.inv(belief.covariance),
        np.linalg.inv(prior.covariance) + np.diag(shown * chance * (1 - chance)),
        rtol=1e-6,
        atol=1e-8,
    )


def test_the_mean_chance_of_two_arms_against_a_grid():
    prior = LogitNormal(np.array([-4.0, -4.2]), np.array([[0.4, 0.3], [0.3, 0.4]]))
    shown, clicks = np.array([600.0, 200.0]), np.array([15.0, 2.0])
    axis = np.linspace(-8, 0, 401)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    away = grid - prior.mean
    height = (
        -0.5 * np.einsum("gi,ij,gj->g", away, np.linalg.inv(prior.covariance), away)
        + grid @ clicks
        - np.logaddexp(0.0, grid) @ shown
    )
    weight = np.exp(height - height.max())
    exact = weight @ expit(grid) / weight.sum()
    # Laplace's approximation: with 17 clicks it is within 5 % of the exact posterior mean, too high for both arms alike.
    np.testing.assert_allclose(learned(prior, shown, clicks).chances(), exact, rtol=0.05)


def test_the_start_changes_nothing_and_seeds_side_by_side_are_the_same_as_alone():
    prior = LogitNormal(np.array([-4.0, -4.5, -5.0]), 0.3 * np.eye(3) + 0.3)
    shown = np.array([[10.0, 0.0, 500.0], [2000.0, 5.0, 0.0]])
    clicks = np.array([[0.0, 0.0, 12.0], [90.0, 1.0, 0.0]])
    both = learned(prior, shown, clicks)
    for row in range(2):
        alone = learned(prior, shown[row], clicks[row], start=np.zeros(3))
        np.testing.assert_allclose(both.mean[row], alone.mean, atol=1e-7)
        np.testing.assert_allclose(both.covariance[row], alone.covariance, atol=1e-7)


def test_a_level_that_all_share_is_learned_from_any_arm():
    # Arms differ by nothing (covariance 1 everywhere, and a little of their own), prior logit -4. Arm 0 gets 100 clicks
    # of 1,000: its own logit, log(.1 / .9) = -2.2, has variance about 1/90, so nearly all of the way is gone by both.
    prior = LogitNormal(np.array([-4.0, -4.0]), np.ones((2, 2)) + 1e-3 * np.eye(2))
    belief = learned(prior, np.array([1000.0, 0.0]), np.array([100.0, 0.0]))
    assert belief.mean == pytest.approx([-2.2, -2.2], abs=0.05)


def test_chances_against_a_dense_sum():
    logits = LogitNormal(np.array([-4.5, 0.0, 2.0]), np.diag([0.4, 1.0, 2.0]))
    z = np.linspace(-9, 9, 20_001)
    density = np.exp(-0.5 * z**2)
    exact = [
        density @ expit(m + np.sqrt(v) * z) / density.sum()
        for m, v in zip(logits.mean, logits.variance, strict=True)
    ]
    np.testing.assert_allclose(logits.chances(), exact, rtol=1e-3)


# Related arms against brute force


def test_the_prior_is_the_joint_normal_conditioned_on_the_past():
    past, new = past_of(8), past_of(1, seed=9)[0].features
    related = RelatedArms.of(SPACE, past, settings=SETTINGS)
    raw = np.concatenate([*(test.features for test in past), new]).astype(float)
    number = np.concatenate(
        [np.full(len(test.shown), at) for at, test in enumerate(past)] + [np.full(len(new), 10)]
    )
    at = placed(raw, related.scales)
    distance = np.linalg.norm(at[:, np.newaxis] - at, axis=2)
    apart = np.abs(number[:, np.newaxis] - number)
    joint = 0.3 * np.exp(-distance - apart / 30.0) + 0.2 * (apart == 0) + 0.05 * np.eye(len(raw))
    n = len(raw) - len(new)
    good = np.concatenate([test.clicks for test in past]) + 0.5
    bad = np.concatenate([test.shown - test.clicks for test in past]) + 0.5
    noisy = joint[:n, :n] + np.diag(1 / good + 1 / bad)
    y = np.log(good / bad)
    gain = joint[n:, :n] @ np.linalg.inv(noisy)
    told = related.prior(new, later=2)
    np.testing.assert_allclose(told.mean, y.mean() + gain @ (y - y.mean()), atol=1e-8)
    np.testing.assert_allclose(told.covariance, joint[n:, n:] - gain @ joint[:n, n:], atol=1e-8)


def test_several_tests_at_once_are_each_on_its_own():
    features = [test.features for test in past_of(3, seed=5)]
    together = RELATED.priors(features)
    for later, rows in enumerate(features):
        alone = RELATED.prior(rows, later=later)
        np.testing.assert_allclose(together[later].mean, alone.mean, atol=1e-10)
        np.testing.assert_allclose(together[later].covariance, alone.covariance, atol=1e-10)


def dense(past: list[PastTest], later: list[PastTest], asked: np.ndarray) -> LogitNormal:
    """Brute force: `later` tests, one at a time, each by one joint normal over all arms and the arms asked about."""
    first = RelatedArms.of(SPACE, past, settings=SETTINGS)
    numbers = [np.full(len(rows), float(u)) for u, rows in enumerate([*(t.features for t in later), asked])]
    number = np.concatenate(numbers)
    positions = placed(np.concatenate([*(t.features for t in later), asked]).astype(float), first.scales)
    mean, told = first._told(positions, number)
    apart = np.abs(number[:, None] - number) / SETTINGS.fade
    covariance = SETTINGS.text * likeness(positions, positions, apart) - told.T @ told
    covariance += SETTINGS.own * np.eye(len(positions)) + SETTINGS.level * (number[:, None] == number)
    for u, test in enumerate(later):
        at = number == u
        mode = learned(LogitNormal(mean[at], covariance[np.ix_(at, at)]), test.shown, test.clicks).mean
        precision = np.linalg.inv(covariance)
        weight = test.shown * expit(mode) * (1 - expit(mode))
        target = mode + np.divide(
            test.clicks - test.shown * expit(mode), weight, out=np.zeros(at.sum()), where=weight > 0
        )
        noise, told = np.zeros(len(number)), np.zeros(len(number))
        noise[at], told[at] = weight, weight * target
        covariance = np.linalg.inv(precision + np.diag(noise))
        mean = covariance @ (precision @ mean + told)
    at = number == len(later)
    return LogitNormal(mean[at], covariance[np.ix_(at, at)])


def played_of(tests: int) -> list[PastTest]:
    """Few visitors, unevenly: some arms one, some none."""
    rng = np.random.default_rng(11)
    made = []
    for test in past_of(tests, seed=12):
        shown = rng.choice([0.0, 1.0, 30.0, 400.0], len(test.shown))
        shown[0] = 50.0
        made.append(PastTest(test.features, shown, np.minimum(shown, rng.integers(0, 6, len(shown)) * 1.0)))
    return made


def test_played_tests_are_learned_as_by_brute_force():
    later, asked = played_of(6), np.random.default_rng(4).normal(size=(3, 4)).astype(np.float32)
    related = RelatedArms.of(SPACE, past_of(15), settings=SETTINGS)
    for test in later:
        related = related.with_test(test)
    told, expected = related.prior(asked), dense(past_of(15), later, asked)
    np.testing.assert_allclose(told.mean, expected.mean, atol=1e-8)
    np.testing.assert_allclose(told.covariance, expected.covariance, atol=1e-8)


def test_a_programme_believes_what_one_test_after_the_other_teaches():
    """Arms never shown, and a whole test that is left out, teach nothing; tests still come in their order."""
    later, asked = played_of(6), np.random.default_rng(4).normal(size=(3, 4)).astype(np.float32)
    first = RelatedArms.of(SPACE, past_of(15), settings=SETTINGS)
    programme = Programme(first.upcoming([*(test.features for test in later), asked]))
    related = first
    for number, test in enumerate(later):
        told, expected = programme.prior(number), related.prior(test.features)
        np.testing.assert_allclose(told.mean, expected.mean, atol=1e-8)
        np.testing.assert_allclose(told.covariance, expected.covariance, atol=1e-8)
        programme.learn(number, test.shown, test.clicks)
        related = related.with_test(test)
    told, expected = programme.prior(6), related.prior(asked)
    np.testing.assert_allclose(told.mean, expected.mean, atol=1e-8)
    np.testing.assert_allclose(told.covariance, expected.covariance, atol=1e-8)


def test_programmes_of_the_same_tests_do_not_meet():
    upcoming = RELATED.upcoming([test.features for test in played_of(3)])
    one, other = Programme(upcoming), Programme(upcoming)
    before = other.prior(2)
    one.learn(0, np.full(len(played_of(1)[0].shown), 90.0), np.full(len(played_of(1)[0].shown), 9.0))
    assert (one.prior(2).mean != before.mean).any()
    np.testing.assert_array_equal(other.prior(2).mean, before.mean)


def test_a_programme_goes_forward_only():
    later = played_of(3)
    programme = Programme(RELATED.upcoming([test.features for test in later]))
    programme.learn(1, later[1].shown, later[1].clicks)
    for number in (0, 1, 3):
        with pytest.raises(InputError, match="ask about 2 to 2"):
            programme.prior(number)
    with pytest.raises(InputError, match="counts of shape"):
        programme.learn(2, np.ones(9), np.ones(9))


def test_after_many_clicks_a_played_test_is_worth_what_a_past_one_is():
    """The clicks' noise is 1 / (30,000) here, so the two ways to count them differ by less than that."""
    rng, past = np.random.default_rng(8), past_of(15)
    features = rng.normal(size=(3, 4)).astype(np.float32)
    test = PastTest(features, np.full(3, 2e6), np.array([3e4, 5e4, 4e4]))
    before = RelatedArms.of(SPACE, past, settings=SETTINGS)
    after, asked = before.with_test(test), features[:2]
    together = _learned([*past, test], placed(_rows([*past, test]), before.scales), SETTINGS)
    refit = replace(before, evidence=together)
    # The mean of all logits differs between the two, and is taken out: it moves all arms alike.
    np.testing.assert_allclose(np.diff(after.prior(asked).mean), np.diff(refit.prior(asked).mean), atol=1e-3)
    np.testing.assert_allclose(after.prior(asked).covariance, refit.prior(asked).covariance, atol=1e-4)


def _rows(tests):
    return np.concatenate([test.features for test in tests]).astype(float)


def test_the_first_test_may_be_a_played_one():
    test = past_of(1)[0]
    empty = RelatedArms.of(SPACE, settings=SETTINGS)
    after = empty.with_test(test)
    assert after.scales.tolist() == typical_distances(test.features.astype(float), 2).tolist()
    assert (after.prior(test.features).variance < empty.prior(test.features).variance).all()


def test_one_visitor_who_does_not_click_is_bad_news():
    """The empirical logit would take a chance of 25 % from it: good news among chances of 2 %."""
    features = np.ones((1, 4), dtype=np.float32)
    after = RELATED.with_test(PastTest(features, np.ones(1), np.zeros(1)))
    assert after.prior(features).mean[0] < RELATED.prior(features, later=1).mean[0]


def test_a_test_without_visitors_says_nothing():
    assert RELATED.with_test(PastTest(np.ones((2, 4), np.float32), np.zeros(2), np.zeros(2))) is RELATED


def test_a_played_test_with_more_clicks_than_visitors_is_refused():
    with pytest.raises(InputError, match="past test 25"):
        RELATED.with_test(PastTest(np.ones((1, 4), np.float32), np.ones(1), np.full(1, 2.0)))


def test_without_a_past_all_arms_are_alike_but_for_their_texts():
    told = RelatedArms.of(SPACE, settings=SETTINGS).prior(np.eye(4, dtype=np.float32))
    np.testing.assert_allclose(told.mean, logit(0.02))
    # text + own + level on the diagonal
    np.testing.assert_allclose(told.variance, 0.3 + 0.05 + 0.2)


def test_the_same_text_is_wholly_alike_and_typical_texts_are_one_apart():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4))
    scales = typical_distances(features, 2)
    at = placed(features, scales)
    assert likeness(at[:1], at[:1])[0, 0] == 1.0
    # Each of two parts has median distance 1 / sqrt(2), so that the root of the sum of squares is about 1.
    distances = -np.log(likeness(at, at)[np.triu_indices(300, 1)])
    assert np.median(distances) == pytest.approx(1.0, abs=0.1)


def test_the_past_teaches_which_texts_are_clicked():
    # Feature 0 was clicked in the past (slope .5), so an arm with more of it is believed to be better.
    good, poor = np.array([[2.0, 0.1, 0.1, 0.1], [-2.0, 0.1, 0.1, 0.1]], dtype=np.float32)
    told = RelatedArms.of(SPACE, past_of(80), settings=SETTINGS).prior(np.stack([good, poor]))
    assert told.mean[0] > told.mean[1] + 0.3


# Bad input


def test_parts_must_divide_the_features():
    with pytest.raises(ConfigurationError, match="do not fall into 3 equal parts"):
        RelatedArms.of(SPACE, settings=RelatedSettings(parts=3))


@pytest.mark.parametrize(("name", "value"), [("text", -1.0), ("own", 0.0), ("fade", 0.0), ("chance", 1.0)])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ConfigurationError, match=name):
        RelatedSettings(**{name: value})


@pytest.mark.parametrize(
    ("shown", "clicks", "message"),
    [
        ([5.0, 5.0], [6.0, 0.0], "clicks outside"),
        ([5.0], [1.0], "expected"),
        ([5.0, 5.0], [np.nan, 0.0], "clicks"),
    ],
)
def test_a_past_test_that_cannot_be_is_refused(shown, clicks, message):
    features = np.ones((2, 4), dtype=np.float32)
    with pytest.raises(InputError, match=message):
        RelatedArms.of(SPACE, [PastTest(features, np.array(shown), np.array(clicks))], settings=SETTINGS)


def test_a_reward_outside_the_unit_is_refused_and_nothing_is_learned():
    policy, asked = campaign(RELATED, visitors=100), candidates_of(3)
    batch = rows_of(asked, [2, 2, 2], [1, 0, 0])
    with pytest.raises(InputError, match="reward"):
        policy.update(replace(batch, rewards=batch.rewards + 1.0))
    assert int(policy.state()["posterior/rows"]) == 0
