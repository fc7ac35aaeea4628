"""The same lists, judged by trec_eval (through pytrec_eval)."""

from __future__ import annotations

import pytest
import pytrec_eval

from equipoise.evaluation.metrics import RankedLists, average_precision, hit_rate, judge, ndcg, recall

from .journeys import CATALOGUE, journeys


@pytest.mark.parametrize("k", [1, 5, 10, 20])
@pytest.mark.parametrize("seed", range(5))
def test_accuracy_equals_trec_eval(seed: int, k: int) -> None:
    lists, wanted = journeys(seed)
    run = {str(row): {item: float(-place) for place, item in enumerate(one)} for row, one in enumerate(lists)}
    grades = {str(row): {item: int(gain) for item, gain in one.items()} for row, one in enumerate(wanted)}
    names = {f"ndcg_cut.{k}", f"map_cut.{k}", f"recall.{k}", f"success.{k}"}
    theirs = pytrec_eval.RelevanceEvaluator(grades, names).evaluate(run)
    judged = judge(RankedLists.of(lists, catalogue=CATALOGUE, k=k), wanted)
    for name, ours in (
        ("ndcg_cut", ndcg(judged)),
        ("map_cut", average_precision(judged)),
        ("recall", recall(judged)),
        ("success", hit_rate(judged)),
    ):
        assert ours == pytest.approx([theirs[str(row)][f"{name}_{k}"] for row in range(40)], abs=1e-9), name
