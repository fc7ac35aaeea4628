"""The same lists, measured by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score
from sklearn.metrics.pairwise import cosine_distances

from equipoise.evaluation.metrics import (
    RankedLists,
    average_precision,
    gini,
    intra_list_diversity,
    judge,
    ndcg,
)

from .journeys import CATALOGUE, journeys


@pytest.mark.parametrize("seed", range(10))
def test_full_rankings_equal_scikit_learn(seed: int) -> None:
    """Where every item of the catalogue is listed, its gains are one row of truth and its places the scores."""
    rng = np.random.default_rng(seed)
    gains = rng.integers(0, 4, 60).astype(np.float64)
    order = rng.permutation(60)
    scores = np.empty(60)
    scores[order] = -np.arange(60.0)
    wanted = {CATALOGUE[row]: gains[row] for row in range(60)}
    full = RankedLists.of([[CATALOGUE[row] for row in order]], catalogue=CATALOGUE)
    assert ndcg(judge(full, [wanted]))[0] == pytest.approx(ndcg_score([gains], [scores]), rel=1e-12)
    for k in (1, 7, 30):
        ours = ndcg(judge(full.cut(k), [wanted]))[0]
        assert ours == pytest.approx(ndcg_score([gains], [scores], k=k), rel=1e-12)
    ours = average_precision(judge(full, [wanted]))[0]
    assert ours == pytest.approx(average_precision_score(gains > 0, scores), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_diversity_equals_the_mean_of_scikit_learns_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(60, 7))
    lists, _ = journeys(seed)
    ours = intra_list_diversity(RankedLists.of(lists, catalogue=CATALOGUE), vectors)
    for row, one in enumerate(lists):
        distances = cosine_distances(vectors[[CATALOGUE.index(item) for item in one]])
        pairs = np.triu_indices(len(one), k=1)
        if len(one) > 1:
            assert ours[row] == pytest.approx(distances[pairs].mean(), rel=1e-9)
        else:
            assert np.isnan(ours[row])


@pytest.mark.parametrize("seed", range(5))
def test_gini_equals_the_mean_difference_of_all_pairs(seed: int) -> None:
    amounts = np.random.default_rng(seed).gamma(0.5, size=50)
    differences = np.abs(amounts[:, None] - amounts[None, :]).mean()
    assert gini(amounts) == pytest.approx(differences / (2 * amounts.mean()), rel=1e-12)
