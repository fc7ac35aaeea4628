"""The mixed posterior against brute-force inference over all its effects at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, InputError
from equipoise.policies.base import Prior
from equipoise.policies.posteriors.mixed import MixedPosterior, MixedSettings


def brute_force(batch, prior, *, item_variances, user_variance, columns, query):
    """Joint normal inference over (theta, every b_i, every u_j), in units of the noise.

    Returns: mean and variance of the mean reward of each queried (item_id, user_id, x), users' doubt left out.
    """
    start, stop = columns
    items = sorted(set(batch.item_ids) | {item for item, _, _ in query})
    users = sorted({user for user in batch.user_ids if user} | {user for _, user, _ in query if user})
    d, q = batch.features.shape[1], len(item_variances)
    size = d + q * len(items) + len(users)

    def row(item, user, x, *, with_user=True):
        full = np.zeros(size)
        full[:d] = x
        at = d + q * items.index(item)
        full[at : at + q] = np.concatenate([[1.0], x[start:stop]])
        if user and with_user:
            full[d + q * len(items) + users.index(user)] = 1.0
        return full

    precision = np.diag(
        np.concatenate(
            [prior.precision, np.tile(1 / item_variances, len(items)), np.full(len(users), 1 / user_variance)]
        )
    )
    information = np.zeros(size)
    information[:d] = prior.precision * prior.mean
    rows = zip(batch.item_ids, batch.user_ids, batch.features.astype(np.float64), batch.rewards, strict=True)
    for item, user, x, reward in rows:
        # A stranger's offset is a fresh one each time: so much more noise.
        noise = 1.0 if user else 1.0 + user_variance
        full = row(item, user, x)
        precision += np.outer(full, full) / noise
        information += full * reward / noise
    covariance = np.linalg.inv(precision)
    mean = covariance @ information
    means = [row(*one) @ mean for one in query]
    alone = [row(*one, with_user=False) for one in query]
    return np.array(means), np.array([one @ covariance @ one for one in alone])


PRIOR = Prior(np.array([0.3, -0.2, 0.0, 0.1]), np.array([1.0, 2.0, 4.0, 0.5]))


@pytest.mark.parametrize("columns", [(0, 0), (0, 2), (1, 4)])
def test_items_are_exact(columns, space, batch, candidates):
    rows = replace(batch(80, items=5), user_ids=(None,) * 80)
    settings = MixedSettings(
        item_rows=3.0, slope_rows=5.0, user_rows=np.inf, item_columns=columns, noise=1.0, learn_noise=False
    )
    posterior = MixedPosterior(space, settings=settings, prior=PRIOR)
    posterior.update(rows)
    asked = candidates(9)  # i0 to i4 have been seen, i5 to i8 never
    belief = posterior.believe(asked, rng=np.random.default_rng(0), spread=True)
    variances = np.array([1 / 3] + [1 / 5] * (columns[1] - columns[0]))
    mean, variance = brute_force(
        rows,
        PRIOR,
        item_variances=variances,
        user_variance=1e-12,
        columns=columns,
        query=[(item, None, x) for item, x in zip(asked.item_ids, asked.features.astype(float), strict=True)],
    )
    np.testing.assert_allclose(belief.mean, mean, atol=1e-9)
    np.testing.assert_allclose(belief.spread, np.sqrt(variance), atol=1e-9)


def test_a_users_first_row_is_exact(space, batch, candidates):
    # The factor that filtering assumes is the true one until a second row of the same user.
    rows = replace(batch(40, items=5), user_ids=tuple(f"u{number}" for number in range(40)))
    settings = MixedSettings(item_rows=3.0, user_rows=2.0, noise=1.0, learn_noise=False)
    posterior = MixedPosterior(space, settings=settings, prior=PRIOR)
    posterior.update(rows)
    asked = candidates(7, user_id="new")
    belief = posterior.believe(asked, rng=np.random.default_rng(0), spread=True)
    query = [(item, "new", x) for item, x in zip(asked.item_ids, asked.features.astype(float), strict=True)]
    mean, variance = brute_force(
        rows, PRIOR, item_variances=np.array([1 / 3]), user_variance=0.5, columns=(0, 0), query=query
    )
    np.testing.assert_allclose(belief.mean, mean, atol=1e-9)
    np.testing.assert_allclose(belief.spread, np.sqrt(variance), atol=1e-9)


def test_users_by_filtering_stay_close_to_the_joint_posterior(space, batch, candidates):
    rows = batch(300, items=8, users=6, seed=4)
    settings = MixedSettings(item_rows=5.0, user_rows=5.0, noise=1.0, learn_noise=False)
    posterior = MixedPosterior(space, settings=settings, prior=PRIOR)
    posterior.update(rows)
    asked = candidates(8, user_id="u2")
    belief = posterior.believe(asked, rng=np.random.default_rng(0), spread=True)
    query = [(item, "u2", x) for item, x in zip(asked.item_ids, asked.features.astype(float), strict=True)]
    mean, variance = brute_force(
        rows, PRIOR, item_variances=np.array([0.2]), user_variance=0.2, columns=(0, 0), query=query
    )
    # Measured: means within .17 of the joint posterior's own standard deviation, spreads 14 % too small at
    # worst, since filtering forgets that seven users' common level and the items' level are confounded.
    assert (np.abs(belief.mean - mean) / np.sqrt(variance)).max() < 0.25
    assert np.abs(belief.spread / np.sqrt(variance) - 1.0).max() < 0.2


def test_offset_by_hand():
    # One weight known to be 0 (precision 1e12), one item, item_rows 3: after rewards 1, 1 the offset is
    # (1 + 1) / (3 + 2) = 0.4, and its variance is noise / (3 + 2) = 0.25 / 5 = 0.05.
    space = FeatureSpace("one", "1", 1)
    prior = Prior(np.zeros(1), np.full(1, 1e12))
    settings = MixedSettings(item_rows=3.0, user_rows=np.inf, learn_noise=False)
    posterior = MixedPosterior(space, settings=settings, prior=prior)
    ones = np.ones((2, 1), dtype=np.float32)
    posterior.update(Batch(("a", "a"), (None, None), ones, np.ones(2), np.ones(2), space))
    belief = posterior.believe(Candidates(("a", "b"), ones, space), rng=np.random.default_rng(0), spread=True)
    np.testing.assert_allclose(belief.mean, [0.4, 0.0], atol=1e-9)
    np.testing.assert_allclose(belief.spread**2, [0.05, 0.25 / 3], atol=1e-9)


def known_weights():
    """A world of one feature of weight 0, known for certain, in which only effects are to be learned."""
    return FeatureSpace("one", "1", 1), Prior(np.zeros(1), np.full(1, 1e12))


def rows(space, item_ids, user_ids, rewards):
    n = len(item_ids)
    ones = np.ones((n, 1), dtype=np.float32)
    return Batch(tuple(item_ids), tuple(user_ids), ones, np.array(rewards, float), np.ones(n), space)


def ask(space, item_id, *, user_id=None):
    return Candidates((item_id,), np.ones((1, 1), dtype=np.float32), space, user_id=user_id)


def test_an_item_forgets_by_every_row():
    # Prior worth 3, reward 1 of a two rows ago, worth .5^2: .25 / (3 + .25), and variance .25 / 3.25.
    space, prior = known_weights()
    settings = MixedSettings(item_rows=3.0, user_rows=np.inf, learn_noise=False, discount=0.5)
    posterior = MixedPosterior(space, settings=settings, prior=prior)
    posterior.update(rows(space, "abb", [None] * 3, [1.0, 0.0, 0.0]))
    belief = posterior.believe(ask(space, "a"), spread=True)
    assert belief.mean[0] == pytest.approx(0.25 / 3.25)
    assert belief.spread[0] ** 2 == pytest.approx(0.25 / 3.25)
    # Another reward of 1: the two older rows have weights .125 and 1.
    posterior.update(rows(space, "a", [None], [1.0]))
    assert posterior.believe(ask(space, "a")).mean[0] == pytest.approx(1.125 / 4.125)


def test_forgetting_leaves_an_effect_that_is_switched_off_at_zero():
    space, prior = known_weights()
    settings = MixedSettings(item_rows=np.inf, user_rows=np.inf, learn_noise=False, discount=0.5)
    posterior = MixedPosterior(space, settings=settings, prior=prior)
    posterior.update(rows(space, "aab", [None] * 3, [1.0, 1.0, 1.0]))
    belief = posterior.believe(ask(space, "a"), spread=True)
    assert belief.mean[0] == pytest.approx(0.0, abs=1e-9)
    assert belief.spread[0] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("discount", "kept"), [(1.0, 1.0), (0.5, 0.25)])
def test_a_users_offset_by_hand(discount, kept):
    # Prior worth 4, one reward of 1, two rows ago: kept / (4 + kept).
    space, prior = known_weights()
    settings = MixedSettings(item_rows=np.inf, user_rows=4.0, learn_noise=False, discount=discount)
    posterior = MixedPosterior(space, settings=settings, prior=prior)
    posterior.update(rows(space, "abb", ["u", "w", None], [1.0, 0.0, 0.0]))
    assert posterior.believe(ask(space, "a", user_id="u")).mean[0] == pytest.approx(kept / (4 + kept))
    assert posterior.believe(ask(space, "a")).mean[0] == pytest.approx(0.0, abs=1e-9)


def test_an_item_converges_to_its_own_mean_and_text_serves_the_new_one():
    space = FeatureSpace("one", "1", 1)
    posterior = MixedPosterior(space, settings=MixedSettings(user_rows=np.inf))
    rng = np.random.default_rng(0)
    ids = [f"i{number}" for number in rng.integers(0, 20, 4_000)]
    rewards = [0.9 if item_id == "i3" else 0.4 for item_id in ids]
    posterior.update(rows(space, ids, [None] * 4_000, rewards))
    # i3 has about 200 rows against a prior worth 10: within 1/20 of the .5 by which it beats the others.
    assert posterior.believe(ask(space, "i3")).mean[0] == pytest.approx(0.9, abs=0.03)
    assert posterior.believe(ask(space, "new")).mean[0] == pytest.approx(0.425, abs=0.01)


def test_draws_have_the_posteriors_moments(space, batch, candidates):
    posterior = MixedPosterior(space, settings=MixedSettings(learn_noise=False))
    posterior.update(batch(60))
    asked = candidates(9)
    belief = posterior.believe(asked, rng=np.random.default_rng(5), draws=20_000, spread=True)
    assert belief.samples.shape == (20_000, 9)
    assert belief.samples.dtype == np.float32
    np.testing.assert_allclose(belief.samples.mean(axis=0), belief.mean, atol=1e-5)  # pairs cancel
    # 10,000 independent pairs: a standard deviation errs by 1/sqrt(20,000) = .7 %; 3.5 % is five of those,
    # a false alarm in 2 million for each of nine.
    np.testing.assert_allclose(belief.samples.std(axis=0), belief.spread, rtol=0.035)


@pytest.mark.parametrize("setting", ["item_rows", "user_rows", "slope_rows"])
def test_a_prior_worth_nothing_is_refused(setting):
    with pytest.raises(ConfigurationError, match=setting):
        MixedSettings(**{setting: 0.0})


def test_columns_outside_the_features_are_refused(space):
    with pytest.raises(InputError, match="item_columns"):
        MixedPosterior(space, settings=MixedSettings(item_columns=(2, 9)))
