"""The stream of visitors, the score, and that the product's policy is what is played."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, FeatureSpace, InputError
from equipoise.lab.headlines.baselines import BASELINES, BetaStream, FixedPlayer, Past, forecast
from equipoise.lab.headlines.data import HeadlineTest
from equipoise.lab.headlines.ours import OURS, CampaignPlayer, Style
from equipoise.lab.headlines.score import over_tests, table
from equipoise.lab.headlines.world import BATCH, play, serve, throws
from equipoise.policies import PastTest, RelatedArms, RelatedSettings, campaign
from equipoise.policies.explorers.horizon import logit_odds

SPACE = FeatureSpace("toy", "1", 2)


def test_of(*clicks, test_id="t", impressions=1000.0):
    return HeadlineTest(
        test_id,
        tuple(f"{test_id}{at}" for at in range(len(clicks))),
        np.full(len(clicks), impressions),
        np.array(clicks, dtype=float),
    )


test_of.__test__ = False  # it makes tests, it is none

TESTS = [test_of(10, 30, test_id="a"), test_of(20, 20, 50, test_id="b"), test_of(5, 8, 9, 0, test_id="c")]


def fixed(odds, *, seeds=3):
    return FixedPlayer([np.array(each, dtype=float) for each in odds], seeds)


# The world


def test_the_oracle_captures_everything_and_the_worst_what_it_loses():
    oracle = fixed([np.eye(len(test))[np.argmax(test.rates)] for test in TESTS])
    score = play(TESTS, oracle, policy="oracle", visitors=90, seeds=3)
    np.testing.assert_allclose(score.captured, 1.0)
    worst = play(TESTS[:1], fixed([[1, 0]]), policy="worst", visitors=90, seeds=3)
    # Always .01 where the mean is .02 and the best .03: (90 x .01 - 90 x .02) / (90 x .03 - 90 x .02) = -1.
    np.testing.assert_allclose(worst.captured, -1.0)


def test_uniform_captures_nothing_on_average():
    uniform = fixed([np.full(len(test), 1 / len(test)) for test in TESTS], seeds=200)
    captured = play(TESTS, uniform, policy="uniform", visitors=100, seeds=200).captured
    # Five standard errors of its own spread: a false alarm of 6e-7.
    assert abs(captured.mean()) < 5 * captured.std(ddof=1) / np.sqrt(200)


def test_everybody_meets_the_same_visitors():
    one, other = (throws("a", visitors=50, seeds=seeds) for seeds in (2, 4))
    np.testing.assert_array_equal(one, other[:2])
    assert not np.array_equal(one[0], one[1])


def test_a_batch_is_served_by_the_odds_and_clicks_by_the_rates():
    coins = np.array([[[0.10, 0.5], [0.49, 0.1], [0.50, 0.3], [0.99, 0.0]]])
    shown, clicked = serve(np.array([[0.5, 0.5]]), np.array([0.2, 0.2]), coins)
    # .10 and .49 fall to the first, of whom .1 < .2 clicks; .50 and .99 to the second, of whom 0 < .2 clicks.
    assert shown.tolist() == [[2, 2]]
    assert clicked.tolist() == [[1, 1]]


def test_every_visitor_is_served_also_in_a_last_batch_that_is_short():
    seen = []

    class Watching(FixedPlayer):
        def close(self, test, shown, clicks):
            seen.append((shown.sum(axis=1).tolist(), bool((clicks <= shown).all())))

    play(TESTS, Watching([np.full(len(t), 1 / len(t)) for t in TESTS], 2), policy="w", visitors=47, seeds=2)
    assert seen == [([47, 47], True)] * 3


def test_a_test_of_equal_rates_counts_for_nothing_and_only_such_tests_are_refused():
    flat = test_of(7, 7, test_id="flat")
    with pytest.raises(InputError, match="nothing to gain"):
        play([flat], fixed([[1, 0]], seeds=1), policy="x", visitors=20, seeds=1)
    both = play([flat, TESTS[0]], fixed([[1, 0], [0, 1]], seeds=1), policy="x", visitors=20, seeds=1)
    np.testing.assert_allclose(both.captured, 1.0)


# The score


def test_the_error_over_tests_against_the_delta_method():
    rng = np.random.default_rng(0)
    possible = rng.uniform(1, 3, 400)
    gained = 0.4 * possible + rng.normal(0, 0.5, 400)
    ratio = gained.sum() / possible.sum()
    delta = np.std(gained - ratio * possible, ddof=1) / np.sqrt(400) / possible.mean()
    # 2,000 resamples know a standard error to 1 / sqrt(4,000) = 1.6 %; six of those.
    assert over_tests(gained, possible) == pytest.approx(delta, rel=0.1)


def test_the_table_has_both_errors_and_paired_differences():
    rows = table(
        [
            play(TESTS, fixed([[0, 1], [0, 0, 1], [0, 0, 1, 0]]), policy="campaign", visitors=40, seeds=3),
            play(TESTS, fixed([[1, 0], [0, 0, 1], [0, 0, 1, 0]]), policy="text", visitors=40, seeds=3),
        ],
        ("text",),
    )
    told = {(row.policy, row.metric): row for row in rows}
    assert told["campaign", "captured"].value == pytest.approx(1.0)
    assert told["campaign", "captured_by_seed"].stderr == pytest.approx(0.0, abs=1e-12)
    # They differ in the first test alone: there by .02 a visitor, of .01 + .02 + .0035 that was possible.
    assert told["campaign", "captured-text"].value == pytest.approx(0.02 / 0.0335)
    assert ("text", "captured-text") not in told
    assert {row.visitors for row in rows} == {40}


# Players


def related() -> RelatedArms:
    rng = np.random.default_rng(1)
    past = [
        PastTest(
            rng.normal(size=(3, 2)).astype(np.float32), np.full(3, 2000.0), rng.integers(10, 60, 3) * 1.0
        )
        for _ in range(12)
    ]
    return RelatedArms.of(SPACE, past, settings=RelatedSettings(parts=1))


def test_the_stream_has_the_odds_of_the_policy_itself():
    """The world works on arrays; fed the same rows one by one, `equipoise.policies.campaign` gives the same odds."""
    past, features = related(), np.random.default_rng(2).normal(size=(4, 2)).astype(np.float32)
    arms = Candidates(tuple("abcd"), features, SPACE)
    stream = CampaignPlayer(past.upcoming([features]), Style(), seeds=2).open(0, visitors=400)
    policies = [campaign(past, visitors=400, batch=BATCH) for _ in range(2)]
    coins = throws("x", visitors=400, seeds=2)
    for start in range(0, 400, BATCH):
        odds = stream.odds()
        for seed, policy in enumerate(policies):
            own = policy.distribution(arms, np.random.default_rng(0))
            np.testing.assert_allclose(odds[seed], own, atol=1e-9)
        shown, clicks = serve(odds, np.array([0.02, 0.05, 0.01, 0.03]), coins[:, start : start + BATCH])
        stream.learn(shown, clicks)
        for seed, policy in enumerate(policies):
            policy.update(rows(arms, shown[seed], clicks[seed], odds[seed]))


def test_a_finished_test_joins_the_past_of_its_own_seed():
    """As `RelatedArms.with_test` tells a newsroom, and not at all where each test starts from the same past."""
    past, rng = related(), np.random.default_rng(5)
    features = [rng.normal(size=(k, 2)).astype(np.float32) for k in (3, 4)]
    shown, clicks = (
        np.array([[60.0, 20.0, 0.0], [10.0, 0.0, 70.0]]),
        np.array([[3.0, 0.0, 0.0], [1.0, 0.0, 5.0]]),
    )
    for style in (Style(), Style(keeps=False)):
        player = CampaignPlayer(past.upcoming(features), style, seeds=2)
        player.close(0, shown, clicks)
        odds = player.open(1, visitors=200).odds()
        for seed in range(2):
            known = past.with_test(PastTest(features[0], shown[seed], clicks[seed]))
            prior = known.prior(features[1]) if style.keeps else past.prior(features[1], later=1)
            expected = 0.005 + 0.98 * logit_odds(prior, left=200, batch=BATCH)
            np.testing.assert_allclose(odds[seed], expected, atol=1e-9)


def rows(arms, shown, clicks, odds):
    at = np.repeat(np.arange(len(arms)), shown.astype(int))
    rewards = np.concatenate([np.arange(n) < c for n, c in zip(shown, clicks, strict=True)]).astype(float)
    return Batch(
        tuple(arms.item_ids[i] for i in at), (None,) * len(at), arms.features[at], rewards, odds[at], SPACE
    )


@pytest.mark.parametrize("name", OURS)
def test_our_odds_sum_to_one_above_the_floor(name):
    features = np.random.default_rng(2).normal(size=(5, 2)).astype(np.float32)
    stream = CampaignPlayer(related().upcoming([features]), OURS[name], seeds=3).open(0, visitors=200)
    for _ in range(5):
        odds = stream.odds()
        np.testing.assert_allclose(odds.sum(axis=1), 1.0, atol=1e-9)
        assert odds.min() >= OURS[name].floor(5) - 1e-12
        stream.learn(np.full((3, 5), 4.0), np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (3, 1)))


def test_a_floor_is_of_each_arm_or_of_all_together():
    assert [Style().floor(5), Style(shared=True).floor(5)] == [0.005, 0.001]


def test_beta_means_by_hand():
    stream = BetaStream(np.array([0.02, 0.03]), worth=100.0, seeds=1, rng=None)
    assert stream.odds().tolist() == [[0.0, 1.0]]
    stream.learn(np.array([[0.0, 100.0]]), np.array([[0.0, 0.0]]))
    # The second falls from 3 / 100 to 3 / 200 = .015, below the first's .02.
    assert stream.odds().tolist() == [[1.0, 0.0]]


def test_thompson_shows_equal_arms_alike():
    stream = BetaStream(np.full(2, 0.02), worth=50.0, seeds=400, rng=np.random.default_rng(0))
    share = stream.odds()[:, 0].mean()
    # 400 x 20 fair draws: a standard error of .0056; five of them, a false alarm of 6e-7.
    assert abs(share - 0.5) < 5 * 0.0056


def test_the_ridge_learns_what_is_clicked_within_a_test():
    rng = np.random.default_rng(3)
    past, vectors = [], []
    for number in range(60):
        x = rng.normal(size=(4, 6))
        rate = 1 / (1 + np.exp(4 - x[:, 0]))
        past.append(
            HeadlineTest(
                str(number), tuple("abcd"), np.full(4, 1e4), rng.binomial(10_000, rate).astype(float)
            )
        )
        vectors.append(x.astype(np.float32))
    (told,) = forecast(Past(past, vectors), [np.eye(6, dtype=np.float32)[:2] * 3.0])
    assert told[0] > 2.0 * told[1]


def test_every_baseline_plays():
    past = Past(TESTS, ())
    told = [np.maximum(test.rates, 1e-4) for test in TESTS]
    for name, make in BASELINES.items():
        score = play(TESTS, make(TESTS, past, told, 2), policy=name, visitors=60, seeds=2)
        assert np.isfinite(score.captured).all(), name
    # Told the true rates, the text alone is the oracle.
    knowing = BASELINES["text"](TESTS, past, told, 2)
    np.testing.assert_allclose(play(TESTS, knowing, policy="t", visitors=60, seeds=2).captured, 1.0)
