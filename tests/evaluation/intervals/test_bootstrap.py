"""The bootstrap by bins is the plain bootstrap: same standard error, same percentiles, for any shape of terms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.core import InputError
from equipoise.evaluation.estimators import Snips
from equipoise.evaluation.intervals import bootstrap, bootstrap_means

N, SAMPLES = 5_000, 4_000


def shapes():
    rng = np.random.default_rng(0)
    clicks = (rng.random(N) < 0.05).astype(float)
    return {
        "weighted clicks": clicks * rng.uniform(0.0, 30.0, N),
        "one wild row": np.append(clicks[1:], 300.0),
        "heavy tail": rng.lognormal(0.0, 2.0, N),
        "even": rng.random(N) + 1e6,
        "two values": clicks,
    }


def plain_means(terms, samples, seed):
    """Row by row, as the textbook says."""
    rng = np.random.default_rng(seed)
    return np.array([terms[rng.integers(0, len(terms), len(terms))].mean() for _ in range(samples)])


@pytest.mark.parametrize("shape", shapes())
def test_mean_and_spread_are_those_of_the_plain_bootstrap(shape):
    """Known exactly: mean of the terms, variance over n. 4,000 samples know their mean within 4 standard errors
    (false alarm 6e-5), and their spread within 4 times its own, sqrt((kurtosis - 1) / 4 / samples), of kurtosis 4."""
    terms = shapes()[shape]
    means, stderr = bootstrap_means(terms, samples=SAMPLES, seed=1), terms.std() / np.sqrt(N)
    assert abs(means.mean() - terms.mean()) < 4 * stderr / np.sqrt(SAMPLES)
    assert means.std(ddof=1) == pytest.approx(stderr, rel=4 * np.sqrt(3 / 4 / SAMPLES))


@pytest.mark.parametrize("shape", ["weighted clicks", "one wild row", "heavy tail"])
def test_the_distribution_is_that_of_the_plain_bootstrap(shape):
    """Kolmogorov and Smirnov find no difference between 4,000 samples by bins and 1,500 by rows (false alarm 1e-4)."""
    terms = shapes()[shape]
    ours, plain = bootstrap_means(terms, samples=SAMPLES, seed=2), plain_means(terms, 1_500, seed=3)
    assert stats.ks_2samp(ours, plain).pvalue > 1e-4


def test_the_percentile_interval_is_that_of_the_plain_bootstrap():
    """Each end within 5 standard errors of a percentile: sqrt(p (1 - p) / s) / density, normal; s = 1,500."""
    terms = shapes()["weighted clicks"]
    stderr = terms.std() / np.sqrt(N)
    plain = np.quantile(plain_means(terms, 1_500, seed=4), [0.025, 0.975])
    allowed = 5 * np.sqrt(0.025 * 0.975 * (1 / 1_500 + 1 / SAMPLES)) / stats.norm.pdf(1.96) * stderr
    assert bootstrap(terms, samples=SAMPLES, seed=5) == pytest.approx(plain, abs=allowed)


def test_linearised_terms_stand_for_a_ratio():
    """Resampling rows of a self-normalised estimate anew, ratio and all, gives the same spread within 10 %."""
    rng = np.random.default_rng(6)
    weights, rewards = rng.uniform(0.0, 2.0, N) ** 2, (rng.random(N) < 0.3).astype(float)
    propensities = np.full(N, 0.1)
    target = np.minimum(weights * propensities, 1.0)
    rows = [rng.integers(0, N, N) for _ in range(500)]
    ratios = [(weights[r] * rewards[r]).sum() / weights[r].sum() for r in rows]
    means = bootstrap_means(Snips().terms(rewards, propensities, target), seed=7)
    # Both spreads are known within 1 / sqrt(2 x 500) = 3 %: three of those.
    assert means.std() == pytest.approx(np.std(ratios), rel=0.10)


def test_short_logs_go_row_by_row_and_constants_have_no_spread():
    assert bootstrap(np.full(100, 2.0)) == (2.0, 2.0)
    assert bootstrap(np.full(10_000, 2.0)) == pytest.approx((2.0, 2.0))
    low, high = bootstrap(np.array([0.0, 1.0, 1.0]), seed=8)
    assert 0.0 <= low < 2 / 3 < high <= 1.0


def test_a_seed_decides_it_all():
    terms = shapes()["even"]
    assert bootstrap(terms, seed=9) == bootstrap(terms, seed=9) != bootstrap(terms, seed=10)


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="at least 20"):
        bootstrap(np.ones(5), samples=10)
