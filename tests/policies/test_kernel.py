"""The kernel posterior against brute-force inference over the shared weights and every curve at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.core import Batch, Candidates, ConfigurationError, FeatureSpace, InputError
from equipoise.policies import build
from equipoise.policies.base import Directed, Posterior, Prior
from equipoise.policies.posteriors.curves import Curve, Kernel
from equipoise.policies.posteriors.kernel import KernelPosterior, KernelSettings

PRIOR = Prior(np.array([0.3, -0.2, 0.0, 0.1]), np.array([1.0, 2.0, 4.0, 0.5]))
EXACT = KernelSettings(
    item_rows=3.0, curve_rows=0.5, length=0.8, user_rows=np.inf, noise=1.0, learn_noise=False
)


def learned(space, rows, settings, prior=PRIOR):
    posterior = KernelPosterior(space, settings=settings, prior=prior)
    posterior.update(rows)
    return posterior


def brute_force(batch, asked, settings, *, looks, shares, weights=None):
    """The process over (item, x, z) whose covariance is x'P0^-1 x' + [same item] k(z, z'), in units of the noise.

    weights: (n,) what each row counts; all 1 if None. Returns: mean and variance of the mean rewards asked for.
    """

    def covariance(ids, X, others, Y):
        linear = (X[:, shares] / PRIOR.precision[shares]) @ Y[:, shares].T
        apart = ((X[:, None, looks] - Y[None, :, looks]) ** 2).sum(axis=2)
        bend = np.exp(-apart / (2 * settings.length**2)) / settings.curve_rows
        same = np.array([[one == other for other in others] for one in ids])
        return linear + same * (1 / settings.item_rows + bend)

    X, Y = batch.features.astype(float), asked.features.astype(float)
    noise = np.eye(len(X)) if weights is None else np.diag(1 / weights)
    inverse = np.linalg.inv(covariance(batch.item_ids, X, batch.item_ids, X) + noise)
    cross = covariance(asked.item_ids, Y, batch.item_ids, X)
    start = PRIOR.mean[shares]
    mean = Y[:, shares] @ start + cross @ inverse @ (batch.rewards - X[:, shares] @ start)
    own = covariance(asked.item_ids, Y, asked.item_ids, Y)
    return mean, np.diag(own - cross @ inverse @ cross.T)


@pytest.mark.parametrize(
    ("curve", "shared"), [((0, 0), (0, 0)), ((2, 4), (0, 2)), ((1, 4), (0, 4)), ((3, 4), (0, 1))]
)
def test_it_is_the_joint_posterior_of_weights_and_curves(curve, shared, space, batch, candidates):
    rows = replace(batch(80, items=5), user_ids=(None,) * 80)
    settings = replace(EXACT, curve_columns=curve, shared_columns=shared)
    asked = candidates(9)  # i0 to i4 have been seen, i5 to i8 never
    belief = learned(space, rows, settings).believe(asked, spread=True)
    looks, shares = (slice(*columns) if columns[1] else slice(0, 4) for columns in (curve, shared))
    mean, variance = brute_force(rows, asked, settings, looks=looks, shares=shares)
    # Rows that the basis explains to within a thousandth of their variance do not join it: hence not 1e-9.
    np.testing.assert_allclose(belief.mean, mean, atol=2e-3)
    np.testing.assert_allclose(belief.spread, np.sqrt(variance), atol=2e-3)


def test_rows_that_lie_apart_are_exact_to_float32(space, batch, candidates):
    rows = replace(batch(60, items=5), user_ids=(None,) * 60)
    settings = replace(EXACT, length=0.3)  # short: nothing explains anything else to a thousandth
    asked = candidates(9)
    belief = learned(space, rows, settings).believe(asked, spread=True)
    mean, variance = brute_force(rows, asked, settings, looks=slice(0, 4), shares=slice(0, 4))
    np.testing.assert_allclose(belief.mean, mean, atol=1e-5)
    np.testing.assert_allclose(belief.spread, np.sqrt(variance), atol=1e-5)


def one_item(places, rewards):
    """Rows of the item "a" at places of a line, whose one shared column is known to weigh nothing."""
    space = FeatureSpace("line", "1", 2)
    n = len(places)
    features = np.column_stack([np.ones(n), places]).astype(np.float32)
    rows = Batch(("a",) * n, (None,) * n, features, np.array(rewards, float), np.ones(n), space)
    return space, rows, Prior(np.zeros(2), np.full(2, 1e12))


def on_the_line(settings, places, rewards, *, ask, item="a"):
    space, rows, prior = one_item(places, rewards)
    chosen = replace(settings, curve_columns=(1, 2), shared_columns=(0, 1))
    posterior = learned(space, rows, chosen, prior)
    asked = Candidates((item,), np.array([[1.0, ask]], dtype=np.float32), space)
    return posterior.believe(asked, spread=True)


def test_one_row_by_hand():
    # k(z, z) = 1/2 + 1/2 = 1, noise 1: at its own place the row moves the mean by 1 / (1 + 1) = .5, and leaves a
    # variance of 1 - 1/2 = .5. At distance 2 with length 1, k = 1/2 + exp(-2) / 2 = .56767: mean .28383, variance
    # 1 - .56767^2 / 2 = .83888.
    settings = replace(EXACT, item_rows=2.0, curve_rows=2.0, length=1.0)
    here = on_the_line(settings, [0.0], [1.0], ask=0.0)
    away = on_the_line(settings, [0.0], [1.0], ask=2.0)
    assert here.mean[0] == pytest.approx(0.5, abs=1e-9)
    assert here.spread[0] ** 2 == pytest.approx(0.5, abs=1e-9)
    assert away.mean[0] == pytest.approx(0.28383, abs=1e-5)
    assert away.spread[0] ** 2 == pytest.approx(0.83888, abs=1e-5)


def test_another_item_learns_nothing_from_it():
    settings = replace(EXACT, item_rows=2.0, curve_rows=2.0, length=1.0)
    other = on_the_line(settings, [0.0] * 5, [1.0] * 5, ask=0.0, item="b")
    assert other.mean[0] == pytest.approx(0.0, abs=1e-9)
    assert other.spread[0] == pytest.approx(1.0, abs=1e-9)


def test_a_place_that_is_known_takes_no_room_and_loses_nothing():
    # Five rows at one place: k = 1, so mean 5 / (5 + 1), variance 1 - 5/6, and a basis of one row.
    settings = replace(EXACT, item_rows=2.0, curve_rows=2.0, length=1.0)
    belief = on_the_line(settings, [0.3] * 5, [1.0] * 5, ask=0.3)
    assert belief.mean[0] == pytest.approx(5 / 6, abs=1e-6)
    assert belief.spread[0] ** 2 == pytest.approx(1 / 6, abs=1e-6)
    space, rows, prior = one_item([0.3] * 5, [1.0] * 5)
    state = learned(space, rows, replace(settings, curve_columns=(1, 2)), prior).state()
    assert state["items/sizes"].tolist() == [1]


def wave(n, *, seed=5):
    rng = np.random.default_rng(seed)
    places = rng.uniform(-3.0, 3.0, n)
    return places, np.sin(2.0 * places) + 0.1 * rng.standard_normal(n)


FULL = replace(EXACT, curve_rows=0.01, length=0.25, noise=0.01, most_rows=16)
"""Where 40 rows would join: a line of 6 units at length .25 has about two dozen degrees of freedom."""

ASKED = np.linspace(-2.5, 2.5, 11)


def off_the_wave(settings, places, heights):
    """The largest error of the mean curve at `ASKED`."""
    found = [on_the_line(settings, places, heights, ask=at).mean[0] for at in ASKED]
    return np.abs(np.array(found) - np.sin(2.0 * ASKED)).max()


def off_the_wave_at(settings, places, heights):
    """(5,) the mean curve between -1 and 1."""
    asked = np.linspace(-1.0, 1.0, 5)
    return np.array([on_the_line(settings, places, heights, ask=at).mean[0] for at in asked])


def sizes_of(settings, places, heights):
    space, rows, prior = one_item(places, heights)
    chosen = replace(settings, curve_columns=(1, 2), shared_columns=(0, 1))
    return learned(space, rows, chosen, prior).state()["items/sizes"].tolist()


def test_a_basis_that_is_full_stays_so_and_goes_on_learning():
    places, heights = wave(400)
    assert sizes_of(FULL, places, heights) == [16]
    assert sizes_of(replace(FULL, most_rows=400), places, heights)[0] > 30
    early = off_the_wave(FULL, places[:16], heights[:16])
    late = off_the_wave(FULL, places, heights)
    assert late < 0.5 * early


def test_what_leaves_is_handed_to_those_that_stay():
    # Three rows fewer than all 15, which lie as near to each other as half a length: measured .0011 apart at most.
    places = np.linspace(-1.0, 1.0, 15)
    kept, full = (
        off_the_wave_at(replace(FULL, most_rows=most), places, np.sin(2.0 * places)) for most in (12, 15)
    )
    assert np.abs(kept - full).max() < 0.005


def test_nothing_changes_where_the_rows_that_stay_lie():
    # A regression on the others is exact at the others' own places: mean, carried weights and variance stay there.
    rng = np.random.default_rng(2)
    kernel, curve = Kernel(0.5, 2.0, 0.6), Curve.empty(1, 2)
    for z in np.linspace(-1.0, 1.0, 6, dtype=np.float32)[:, None]:
        square = float(z[0]) ** 2
        e = curve.Q @ kernel.of(curve.apart(z, square))
        curve.join(z, square, e=e, gap=kernel.top - float(kernel.of(curve.apart(z, square)) @ e))
        curve.absorb(rng.standard_normal(len(curve)), 0.7, np.array([0.2, -1.0]), 3.0)
    before, C, M = curve.inputs, curve.C, curve.M
    curve.leave()
    for z in curve.inputs:
        old = kernel.of((before[:, 0].astype(float) - float(z[0])) ** 2)
        new = kernel.of((curve.inputs[:, 0].astype(float) - float(z[0])) ** 2)
        np.testing.assert_allclose(new @ curve.C, old @ C, atol=1e-5)
        assert new @ curve.M @ new == pytest.approx(old @ M @ old, abs=1e-5)


def test_an_item_forgets_by_every_row(space, batch, candidates):
    # With the shared weights known, each row of an item counts discount^(rows since, its own or not), as if its noise
    # were so much larger.
    known = Prior(PRIOR.mean, np.full(4, 1e12))
    rows = replace(batch(30, items=3), user_ids=(None,) * 30)
    settings = replace(EXACT, length=0.3, discount=0.9)
    asked = candidates(5)
    belief = learned(space, rows, settings, known).believe(asked, spread=True)
    flat = replace(rows, rewards=rows.rewards - rows.features.astype(float) @ PRIOR.mean)
    weights = 0.9 ** np.arange(29, -1, -1)
    mean, variance = brute_force(
        flat, asked, settings, looks=slice(0, 4), shares=slice(0, 0), weights=weights
    )
    np.testing.assert_allclose(belief.mean - asked.features.astype(float) @ PRIOR.mean, mean, atol=1e-6)
    np.testing.assert_allclose(belief.spread, np.sqrt(variance), atol=1e-6)


def test_draws_have_the_moments_of_the_belief(space, batch, candidates):
    posterior = learned(space, batch(60), EXACT)
    asked = candidates(5)
    belief = posterior.believe(asked, draws=4000, spread=True, rng=np.random.default_rng(3))
    # Antithetic pairs have the mean itself. The sd of 2000 normals has relative error 1 / sqrt(4000) = .016: 5 sd over
    # 5 candidates is a false alarm in 350,000.
    np.testing.assert_allclose(belief.samples.mean(axis=0), belief.mean, atol=1e-4)
    np.testing.assert_allclose(belief.samples.std(axis=0), belief.spread, rtol=0.08)


def test_users_move_the_mean_alike_for_all(space, batch, candidates):
    settings = replace(EXACT, user_rows=2.0)
    rows = replace(batch(50), user_ids=("glad",) * 50, rewards=batch(50).rewards + 1.0)
    posterior = learned(space, rows, settings)
    glad, stranger = (posterior.believe(candidates(6, user_id=user)).mean for user in ("glad", None))
    assert np.ptp(glad - stranger) < 1e-12
    assert (glad > stranger).all()


def test_shared_weights_can_be_searched_along(space, batch):
    posterior = learned(space, batch(40), replace(EXACT, shared_columns=(1, 3)))
    assert isinstance(posterior, Posterior)
    assert isinstance(posterior, Directed)
    assert posterior.weights.shape == (4,)
    assert (posterior.weights[[0, 3]] == 0.0).all()
    drawn = posterior.draw_weights(np.ones(4, dtype=np.float32))
    assert (drawn[[0, 3]] == 0.0).all()
    assert (drawn[[1, 2]] != posterior.weights[[1, 2]]).all()


def test_a_state_goes_on_to_the_same_bits_when_the_basis_is_full(space, batch):
    settings = replace(EXACT, most_rows=5)
    one = learned(space, batch(120, items=3), settings)
    twin = KernelPosterior(space, settings=settings, prior=PRIOR)
    twin.restore(one.state())
    for posterior in (one, twin):
        posterior.update(batch(50, items=4, seed=8))
    for key, array in one.state().items():
        np.testing.assert_array_equal(array, twin.state()[key], err_msg=key)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"length": 0.0}, "setting 'length' is 0.0 but must lie in \\(0, inf\\)"),
        ({"curve_rows": -1.0}, "setting 'curve_rows' is -1.0"),
        ({"most_rows": 0}, "setting 'most_rows' is 0"),
        (
            {"curve_columns": (2, 9)},
            "setting 'curve_columns' is \\[2, 9\\] but must be a start and a stop within the 4",
        ),
        ({"shared_columns": (3, 3)}, "setting 'shared_columns' is \\[3, 3\\]"),
        ({"shared_columns": ("a", "b")}, "setting 'shared_columns' is"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words, space):
    with pytest.raises(ConfigurationError, match=words):
        build("greedy", space, posterior="kernel", **settings)


def test_a_state_of_other_settings_is_refused(space, batch):
    state = learned(space, batch(20), EXACT).state()
    other = KernelPosterior(space, settings=replace(EXACT, curve_columns=(0, 2)), prior=PRIOR)
    with pytest.raises(InputError, match="'inputs' in the state has shape"):
        other.restore(state)
