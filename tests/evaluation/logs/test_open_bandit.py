"""Open Bandit's folders: the target is another policy's distribution by place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import InputError
from equipoise.evaluation.logs import Log
from equipoise.evaluation.logs.open_bandit import read_folder, read_open_bandit
from equipoise.evaluation.logs.parameters import Beta, published
from equipoise.evaluation.logs.placed import placed_target, simulated

HEAD = "timestamp,item_id,position,click,propensity_score"


def write(folder: Path, rows: Sequence[tuple[int, int, int, float]], *, campaign: str = "all") -> Path:
    """rows: item, place, click, propensity."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"2019-11-24 00:00:{row:02d}.5+00:00,{i},{p},{c},{q}" for row, (i, p, c, q) in enumerate(rows)]
    (folder / f"{campaign}.csv").write_text("\n".join((HEAD, *lines)) + "\n")
    return folder


def test_counts_by_place(tmp_path: Path) -> None:
    """In place 1 the target shows item 0 three times of four; in place 2 items 0 and 1 once each."""
    other = write(
        tmp_path / "mine",
        [(0, 1, 0, 0.7), (0, 1, 0, 0.6), (0, 1, 0, 0.7), (1, 1, 0, 0.3), (0, 2, 0, 0.5), (1, 2, 0, 0.4)],
    )
    base = write(tmp_path / "base", [(0, 1, 1, 0.5), (1, 1, 0, 0.5), (1, 2, 1, 0.5)])
    log = read_open_bandit(base, other)
    assert log.name == "base"
    assert log.targets["mine"].tolist() == [0.75, 0.25, 0.5]
    assert log.on_policy["mine"].tolist() == [0.0] * 6
    assert log.decisions.tolist() == [0, 1, 2]


def test_constant_propensities_are_the_distribution_itself(tmp_path: Path) -> None:
    """Uniform over two items, though one of them was shown more often."""
    other = write(tmp_path / "random", [(0, 1, 0, 0.5), (0, 1, 0, 0.5), (0, 1, 0, 0.5), (1, 1, 0, 0.5)])
    base = write(tmp_path / "base", [(0, 1, 1, 0.9), (1, 1, 0, 0.1)])
    log = read_open_bandit(base, other)
    assert log.targets["random"].tolist() == [0.5, 0.5]
    assert "propensities" in log.notes[0]
    assert read_open_bandit(base, other, way="counts").targets["random"].tolist() == [0.75, 0.25]


def test_an_item_that_the_target_never_shows_has_no_chance(tmp_path: Path) -> None:
    other = write(tmp_path / "mine", [(0, 1, 0, 0.7), (0, 1, 0, 0.6)])
    base = write(tmp_path / "base", [(0, 1, 1, 0.5), (9, 1, 0, 0.5)])
    assert read_open_bandit(base, other).targets["mine"].tolist() == [1.0, 0.0]


def test_simulated_places_are_distributions() -> None:
    """With one sure winner it comes first; two equals share the places behind it, within 5 standard errors."""
    parameters = Beta(np.array([900.0, 5.0, 5.0]), np.array([100.0, 95.0, 95.0]))
    found = simulated(parameters, places=3, simulations=4_000)
    assert np.allclose(found.sum(axis=0), 1.0)
    assert np.allclose(found.sum(axis=1), 1.0)
    assert found[0].tolist() == [1.0, 0.0, 0.0]
    assert abs(found[1, 1] - 0.5) < 5 * 0.5 / np.sqrt(4_000)


def test_published_parameters_are_taken_where_they_fit(tmp_path: Path) -> None:
    file = tmp_path / "prior.yaml"
    file.write_text(
        "men:\n  alpha:\n    - 900.0\n    - 1.0\n  beta:\n    - 100.0\n    - 99.0\n"
        "women:\n  alpha:\n    - 1.0\n  beta:\n    - 2.0\n"
    )
    rows = [(0, 1, 0, 0.7), (1, 1, 0, 0.6), (1, 1, 0, 0.5), (0, 1, 1, 0.4)]
    base = write(tmp_path / "base", rows, campaign="men")
    other = write(tmp_path / "bts" / "men", rows, campaign="men")
    log = read_open_bandit(base, other, campaign="men", parameters=file)
    assert log.targets["bts"].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert "published" in log.notes[0]
    with pytest.raises(InputError, match="one propensity for each item"):
        read_open_bandit(base, other, campaign="men", way="propensities")
    with pytest.raises(InputError, match="did you mean 'counts'"):
        read_open_bandit(base, other, campaign="men", way="count")
    write(base, rows, campaign="women")
    write(tmp_path / "bts", rows, campaign="women")
    with pytest.raises(InputError, match="a pair for each of its items"):
        read_open_bandit(base, tmp_path / "bts", campaign="women", parameters=file, way="published")


@pytest.mark.parametrize(
    "text", ["men", "[men]\nalpha = 3", "[men]\nalpha = [1.0]\nbeta = [1.0, 2.0]", "[men]\nbeta = [1.0]"]
)
def test_parameters_that_cannot_be(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prior.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"prior\.toml"):
        published("men", file)
    with pytest.raises(InputError, match="no parameters"):
        published("men", tmp_path / "none.toml")


def test_a_missing_campaign_says_what_is_there(tmp_path: Path) -> None:
    base = write(tmp_path / "base", [(0, 1, 1, 0.5)])
    with pytest.raises(InputError, match=r"no file mem\.csv.*has all\.csv; did you mean 'men'"):
        read_folder(base, "mem")


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("EQUIPOISE_DATA", "")) / "open-bandit"
    if not (found / "bts").is_dir():
        pytest.skip("EQUIPOISE_DATA has no folder open-bandit with bts in it")
    return found


def values(log: Log) -> tuple[float, float]:
    """IPS and self-normalised IPS, written out."""
    (target,) = log.targets.values()
    assert log.propensities is not None
    weights = target / log.propensities
    return float((weights * log.rewards).mean()), float((weights * log.rewards).sum() / weights.sum())


def test_published_values_from_the_uniform_target(folder: Path) -> None:
    """The figures of the dataset's pipeline: .002360 and .002334, and the two plain means."""
    log = read_open_bandit(folder / "bts", folder / "random")
    ips, snips = values(log)
    assert round(ips, 6) == 0.002360
    assert round(snips, 6) == 0.002334
    assert log.rewards.mean() == pytest.approx(0.0042)
    assert log.on_policy["random"].mean() == pytest.approx(0.0038)


def test_published_values_of_thompson_sampling(folder: Path) -> None:
    """.004553 and .004776, by the parameters that the dataset's authors publish."""
    if published("all") is None:
        pytest.skip("the package holds no open_bandit_parameters.toml")
    ips, snips = values(read_open_bandit(folder / "random", folder / "bts"))
    assert round(ips, 6) == 0.004553
    assert round(snips, 6) == 0.004776


def test_thompson_sampling_by_counts(folder: Path) -> None:
    """Within 2 standard errors of what that policy's own log earned, .0042 +- .00065; the estimate's is .00128."""
    ips, _ = values(read_open_bandit(folder / "random", folder / "bts", way="counts"))
    seen = read_folder(folder / "bts", "all")
    target = placed_target(seen, seen, way="counts")
    assert target.probabilities.shape == (80, 3)
    assert np.allclose(target.probabilities.sum(axis=0), 1.0)
    assert abs(ips - 0.0042) < 2 * np.hypot(0.00128, 0.00065)
