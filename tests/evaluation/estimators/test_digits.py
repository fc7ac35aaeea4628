"""The digits as a bandit: the log is what its protocol says, and its table can be made."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from equipoise.core import MissingExtraError
from equipoise.lab.digits import contest, digits_log
from equipoise.lab.digits.__main__ import main


@pytest.fixture(scope="module")
def log():
    pytest.importorskip("sklearn")
    return digits_log(0)


def test_the_log_follows_the_protocol(log):
    """70 % of 1,797 images; the named digit gets .4 + .06 and any other .06; for the target .9 + .01 and .01."""
    assert len(log.rewards) == 1258 and log.context.shape == (1258, 64)
    for distribution, named, other in ((log.logging, 0.46, 0.06), (log.target, 0.91, 0.01)):
        assert np.allclose(distribution.sum(axis=1), 1.0)
        assert np.allclose(np.sort(distribution, axis=1), [other] * 9 + [named])
    assert 0.7 < log.truth < 0.92


def test_the_dice_were_thrown_as_logged(log):
    """Actions by their propensity: 1 / p adds up to 10 for each row, within 4 standard errors (false alarm 6e-5)."""
    inverse = 1.0 / log.propensities
    assert abs(inverse.mean() - 10.0) < 4 * inverse.std() / np.sqrt(len(inverse))


def test_the_table_has_a_row_for_each_estimator(log, capsys, monkeypatch):
    scores = contest(seeds=2, estimators=("dm", "ips", "dr"))
    assert [score.estimator for score in scores] == ["dm", "ips", "dr"]
    direct, weighted, robust = (score.relative_error for score in scores)
    assert direct > 5 * max(weighted, robust)  # published: .437 against .030 and .016
    monkeypatch.setattr(sys, "argv", ["digits", "--seeds", "1", "--json"])
    assert main() == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"estimator", "relative_error", "stderr", "seeds"} == set(rows[0])


def test_without_scikit_learn_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"equipoise\[sklearn\]"):
        digits_log(0)
    monkeypatch.setattr(sys, "argv", ["digits", "--seeds", "1"])
    assert main() == 1
    assert "equipoise[sklearn]" in capsys.readouterr().err
