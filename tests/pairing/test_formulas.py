"""The numbers of a feature row, by hand or by another way of computing them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core import Experience
from equipoise.encoders.pairing import Asked, Shown, history_vector
from equipoise.encoders.pairing.pairing import FIT_ROWS, HALF_LIFE, principal_axes
from equipoise.encoders.pairing.taste import NOISE, leaning, taste

from .worlds import ENCODER, NOW, SMALL, Catalogue, case, catalogue, unit

ITEMS = catalogue(20)
PAIRING = ITEMS.fit()
DAY = 86_400.0


def column(name: str) -> int:
    """Where the column of this name is."""
    names = [each for block in PAIRING.layout.blocks for each in block.columns]
    return names.index(name)


def row_of(experience: Experience, born: float = NOW) -> np.ndarray:
    """(d,) features of the first item for a request of nothing."""
    cards = ITEMS.cards(PAIRING)
    asked = Asked(at=NOW)
    outlook = PAIRING.outlook(asked, cards[:0])
    shown = Shown(cards[:1], np.array([born]))
    return PAIRING.pair(asked, outlook, shown, experience, cards[:0], similarity=None)[0]


def told(
    mean: float = 0.0,
    count: float = 0.0,
    user_mean: float = 0.0,
    user_count: float = 0.0,
    asked: float = 0.0,
    company: float = 0.0,
) -> Experience:
    return Experience(
        overall=0.2,
        item_means=np.array([mean]),
        item_counts=np.array([count]),
        item_asked=np.array([asked]),
        item_asked_lately=np.array([asked / 4.0]),
        item_company=np.array([company]),
        user_mean=user_mean,
        user_count=user_count,
        recent=(),
        residuals=np.zeros(0),
        recent_asked=np.zeros(0),
    )


def test_so_far_by_hand() -> None:
    # Item mean .1 after 7 shows, log(1 + 7) = 2.0794415; user mean .05 after 3 answers, log(1 + 3) = 1.3862944;
    # named in 31 requests, log(1 + 31) = 3.4657359, beside what had been taken better than all by .015.
    row = row_of(told(0.1, 7.0, 0.05, 3.0, 31.0, 0.015))
    expected = {
        "1": 1.0,
        "overall": 0.2,
        "item_mean": 0.1,
        "item_log_shows": 0.41588831,  # 2.0794415 / 5
        "item_mean_x_log_shows": 0.06931472,  # .1 x 2.0794415 / 3
        "item_company": 0.3,  # 20 x .015
        "item_log_asked_squared": 0.48045301,  # (3.4657359 / 5)^2
        "item_log_asked_lately": 0.43381074,  # log(1 + 31 / 4) = 2.1690537, / 5
        "user_mean": 0.05,
        "user_log_shows": 0.27725887,  # 1.3862944 / 5
        "user_mean_x_item_mean": 0.02,  # .1 x .05 x 4
    }
    found = {name: row[column(name)] for name in expected}
    assert found == pytest.approx(expected, abs=2e-7)


def test_before_any_show_only_the_level_is_known() -> None:
    row = row_of(told())
    assert row[column("1")] == 1.0
    assert row[column("overall")] == np.float32(0.2)
    others = ("item_mean", "item_log_shows", "item_mean_x_log_shows", "user_mean", "user_log_shows")
    assert [row[column(name)] for name in others] == [0.0] * 5


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0.0, [0.0, 1.0, 1.0, 0.0]),
        # log(31) / 10, e^-1, e^(-30 / 730), 30 / 15,000
        (30.0, [0.34339872, 0.36787944, 0.95973702, 0.002]),
        # log(731) / 10, e^(-730 / 30), e^-1, 730 / 15,000
        (730.0, [0.65944135, 2.708e-11, 0.36787944, 0.04866667]),
        (-5.0, [0.0, 1.0, 1.0, 0.0]),  # still to come: new
        (float("nan"), [0.0, 1.0, 1.0, 0.0]),  # unknown: new
    ],
)
def test_age_by_hand(days: float, expected: list[float]) -> None:
    row = row_of(told(), born=NOW - days * DAY)
    names = ("age_log", "age_month", "age_years", "age_linear")
    assert [row[column(name)] for name in names] == pytest.approx(expected, abs=2e-7)


# A history


def test_a_history_halves_by_hand() -> None:
    # `HALF_LIFE` items back a weight is .5: (.5, 1) has length sqrt(1.25), so (.4472136, .8944272).
    history = np.zeros((int(HALF_LIFE) + 1, 2), dtype=np.float32)
    history[0, 0] = 1.0
    history[-1, 1] = 1.0
    found = history_vector(history)
    assert found is not None
    np.testing.assert_allclose(found, [0.4472136, 0.8944272], atol=1e-7)


def test_one_item_is_its_own_history() -> None:
    found = history_vector(np.array([[3.0, 4.0]], dtype=np.float32))
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [0.6, 0.8], atol=1e-7)


@pytest.mark.parametrize("history", [None, np.zeros((0, 3)), np.zeros((4, 3)), np.zeros((4, 0))])
def test_no_history_and_one_of_zeros_give_nothing(history: np.ndarray | None) -> None:
    assert history_vector(None if history is None else history.astype(np.float32)) is None


def test_what_came_last_weighs_most() -> None:
    one, other = np.eye(2, dtype=np.float32)
    late = history_vector(np.stack([one, other]))
    assert late is not None
    assert late[1] > late[0] > 0.0


# Axes


def test_principal_axes_are_those_of_the_singular_value_decomposition() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(50, 8)) * np.arange(8, 0, -1) + 3.0).astype(np.float32)
    mean, axes = principal_axes(vectors, 5)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, singular, right = np.linalg.svd(centred, full_matrices=False)
    # A coordinate has variance s^2 / n along its axis, and is scaled to 1 / 5 of the mean square length 1.
    expected = right[:5].T / (singular[:5] / np.sqrt(50)) / np.sqrt(5)
    expected *= np.sign(expected[np.abs(expected).argmax(axis=0), range(5)])
    np.testing.assert_allclose(mean, vectors.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(axes, expected, rtol=1e-4, atol=1e-6)
    assert mean.dtype == axes.dtype == np.float32


def test_each_coordinate_carries_the_same_variance() -> None:
    coordinates = PAIRING.project(ITEMS.vectors).astype(np.float64)
    p = coordinates.shape[1]
    np.testing.assert_allclose(coordinates.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(coordinates.T @ coordinates / 20, np.eye(p) / p, atol=1e-5)
    assert np.square(coordinates).sum(axis=1).mean() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("distinct", "rank"), [(1, 0), (2, 1), (4, 3)])
def test_there_are_as_many_axes_as_the_rank(distinct: int, rank: int) -> None:
    vectors = np.repeat(ITEMS.vectors[:distinct], 12 // distinct, axis=0)
    assert principal_axes(vectors, 6)[1].shape == (12, rank)


def test_the_rounding_of_equal_vectors_is_no_axis() -> None:
    equal = np.repeat(ITEMS.vectors[:1], 30, axis=0)
    up = np.random.default_rng(0).random(equal.shape) < 0.5
    shaken = np.nextafter(equal, np.where(up, np.float32(2.0), np.float32(-2.0)))
    assert (shaken != equal).all()
    for vectors in (shaken, equal * np.float32(1e6), np.zeros_like(equal)):
        assert principal_axes(vectors, 6)[1].shape[1] == 0


def test_an_axis_far_from_zero_is_found() -> None:
    # Years 1990 to 2019: mean square 4e6, variance 75; rounding makes no more than 4e-7 of that.
    years = np.arange(1990, 2020, dtype=np.float32)[:, None]
    assert principal_axes(years, 3)[1].shape == (1, 1)


def test_a_large_catalogue_is_fitted_on_an_even_sample() -> None:
    rng = np.random.default_rng(0)
    n = FIT_ROWS + 5_000
    vectors = unit(rng.normal(size=(n, 12)) * np.arange(1, 13))
    items = Catalogue(vectors, [{}] * n, np.full(n, NOW))
    mean, axes = principal_axes(vectors[np.linspace(0, n - 1, FIT_ROWS).astype(int)], 6)
    fitted = items.fit().state()
    np.testing.assert_array_equal(fitted["projection"], axes)
    np.testing.assert_array_equal(fitted["mean"], mean)


# A taste


def test_one_answer_by_hand() -> None:
    # z = 1 for both: k = 1 + 1 x 1 = 2, so the mean is 2 / (2 + NOISE) of the residual and the certainty
    # 2^2 / (2 + NOISE) / 2 = 2 / (2 + NOISE): 1/6 each for a noise of 10.
    z = np.ones((1, 1), dtype=np.float32)
    mean, certainty = taste(z, z, np.array([0.6]))
    assert mean[0] == pytest.approx(0.6 * 2.0 / (2.0 + NOISE))
    assert certainty[0] == pytest.approx(2.0 / (2.0 + NOISE))


def test_an_item_unlike_the_answered_one_is_told_nothing() -> None:
    # k = 1 + 1 x -1 = 0.
    mean, certainty = taste(np.array([[-1.0]], np.float32), np.array([[1.0]], np.float32), np.array([0.6]))
    assert mean.tolist() == certainty.tolist() == [0.0]


@settings(max_examples=40, deadline=None)
@given(k=st.integers(0, 8), h=st.integers(1, 12), q=st.integers(1, 6), seed=st.integers(0, 1_000))
def test_a_taste_is_the_gaussian_process_of_the_book(k: int, h: int, q: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(k, q)).astype(np.float32)
    answered = rng.normal(size=(h, q)).astype(np.float32)
    residuals = rng.normal(size=h)
    x, y = items.astype(np.float64), answered.astype(np.float64)
    inverse = np.linalg.inv(1.0 + y @ y.T + NOISE * np.eye(h))
    cross, prior = 1.0 + x @ y.T, 1.0 + np.square(x).sum(axis=1)
    mean, certainty = taste(items, answered, residuals)
    np.testing.assert_allclose(mean, cross @ inverse @ residuals, atol=1e-10)
    np.testing.assert_allclose(certainty, np.einsum("kh,hg,kg->k", cross, inverse, cross) / prior, atol=1e-10)
    assert ((certainty >= 0.0) & (certainty < 1.0)).all()


def test_the_order_of_answers_is_no_matter_and_repeating_one_makes_it_surer() -> None:
    rng = np.random.default_rng(0)
    items, answered = (rng.normal(size=(n, 3)).astype(np.float32) for n in (4, 3))
    residuals = rng.normal(size=3)
    mean, certainty = taste(items, answered, residuals)
    turned = taste(items, answered[::-1], residuals[::-1])
    np.testing.assert_allclose(turned[0], mean, atol=1e-12)
    twice = taste(items, np.repeat(answered, 2, axis=0), np.repeat(residuals, 2))
    assert (twice[1] >= certainty).all()


def test_a_pair_carries_the_taste_of_the_remembered_answers() -> None:
    asked = case("past", PAIRING, ITEMS)
    mean, certainty = taste(asked.shown.cards, asked.remembered, asked.experience.residuals)
    features = asked.features()
    np.testing.assert_allclose(features[:, column("taste")], mean, rtol=1e-6)
    certain = features[:, column("taste_certain")]
    np.testing.assert_allclose(certain, 2.0 * mean * np.sqrt(certainty), rtol=1e-6)


def test_the_similarity_told_is_the_similarity_paired() -> None:
    asked = case("all", PAIRING, ITEMS)
    assert asked.similarity is not None
    features = asked.features()
    np.testing.assert_allclose(features[:, column("request_similarity")], asked.similarity, rtol=1e-6)
    assert asked.outlook.history is not None
    likeness = PAIRING.project(ITEMS.vectors) @ asked.outlook.history
    np.testing.assert_allclose(features[:, column("history_similarity")], likeness, atol=1e-6)


def test_a_product_by_hand() -> None:
    # Text coordinates f and item coordinates c: column j is c_j x f_j x sqrt(columns), here sqrt(4) = 2.
    asked = case("text", PAIRING, ITEMS)
    focus = asked.outlook.focus
    assert focus is not None
    assert SMALL.product == 4
    expected = asked.shown.cards[:, :4] * focus[:4] * 2.0
    np.testing.assert_allclose(
        asked.features()[:, PAIRING.layout.slices["request x item text"]], expected, rtol=1e-5, atol=1e-7
    )
    assert PAIRING.encoder == ENCODER


# What the user likes of one number


def test_a_leaning_by_hand() -> None:
    # Answers at 1, 2, 3 with residuals -1, 0, 1: apart (-1, 0, 1), slope (1 + 1) / (2 + 5) = 2 / 7 about the mean 2.
    found = leaning(np.array([2.0, 5.5]), np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.0, 1.0]))
    assert found == pytest.approx([0.0, 1.0])


def test_one_answer_or_equal_ones_say_nothing_of_a_leaning() -> None:
    assert leaning(np.array([4.0]), np.array([1.0]), np.array([0.7])).tolist() == [0.0]
    assert leaning(np.array([4.0]), np.array([2.0, 2.0]), np.array([0.7, -0.1])).tolist() == [0.0]
