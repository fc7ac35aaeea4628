"""Open Bandit's folders: the target is another policy's distribution by place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from equipoise.core import InputError, PropensityError
from equipoise.evaluation.logs import Log, Reading
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


def test_places_are_told_by_their_own_numbers(tmp_path: Path) -> None:
    """The log has rows of the places 2 and 3 alone; in place 2 the target shows item 1 three times of four."""
    seen = [(0, 1, 0, 0.7), (0, 1, 0, 0.6), (1, 2, 0, 0.7), (1, 2, 0, 0.6), (1, 2, 0, 0.5), (0, 2, 0, 0.5)]
    other = write(tmp_path / "mine", [*seen, (0, 3, 0, 0.3)])
    base = write(tmp_path / "base", [(0, 2, 1, 0.5), (1, 2, 0, 0.5), (0, 3, 1, 0.5)])
    log = read_open_bandit(base, other)
    assert log.slots.tolist() == [1, 1, 2]
    assert log.targets["mine"].tolist() == [0.25, 0.75, 1.0]
    with pytest.raises(InputError, match="at least one row in each place"):
        read_open_bandit(other, base, way="counts")


def test_a_place_that_no_row_shows_has_no_distribution(tmp_path: Path) -> None:
    """Item 0 at .75 twice in place 2, item 1 at .25 twice: one propensity each, but nothing is said of place 1."""
    other = write(tmp_path / "mine", [(0, 2, 0, 0.75), (1, 2, 0, 0.25)] * 2)
    base = write(tmp_path / "base", [(0, 2, 1, 0.5), (1, 1, 0, 0.5)])
    with pytest.raises(InputError, match="one propensity for each item in each place"):
        read_open_bandit(base, other, way="propensities")


GOOD = ("2019-11-24 00:00:01+00:00", "3", "1", "0", "0.5")
"""A row of `HEAD`."""
BAD = [
    ("propensity_score", "0", "is not above 0"),
    ("propensity_score", "-0.2", "is not above 0"),
    ("propensity_score", "1.2", "is above 1"),
    ("propensity_score", "nan", "is missing"),
    ("propensity_score", "often", "is no number"),
    ("click", "yes", "is no number"),
    ("position", "0", "is below 1, which is the topmost"),
    ("position", "99999", "is above 32,767"),
    ("position", "top", "is no number: expected a slot's number"),
    ("timestamp", "soon", "is no time"),
    ("timestamp", "2018-01-01 00:00:00+00:00", "is earlier than the row before"),
    ("item_id", "", "is missing"),
    ("item_id", "99", "is an unknown item"),
]


def lines(folder: Path, rows: Sequence[Sequence[str]], *, head: str = HEAD) -> Path:
    folder.mkdir(parents=True)
    (folder / "all.csv").write_text("\n".join((head, *map(",".join, rows))) + "\n")
    return folder


@pytest.mark.parametrize(("column", "value", "words"), BAD)
def test_a_bad_row_is_told_and_the_others_are_read_when_asked(
    column: str, value: str, words: str, tmp_path: Path
) -> None:
    """Row 2, which is line 3; it is left out with the names that it alone has."""
    bad = [value if name == column else text for name, text in zip(HEAD.split(","), GOOD, strict=True)]
    if column != "item_id":
        bad[1] = "4"
    base = lines(tmp_path / "base", [GOOD, bad, GOOD])
    how = Reading(items=frozenset({"3", "4"}))
    with pytest.raises((InputError, PropensityError), match=words) as caught:
        read_open_bandit(base, how=how)
    assert f"row 2 (line 3), column '{column}': '{value}'" in str(caught.value)
    log = read_open_bandit(base, how=replace(how, skip_bad_rows=True))
    assert len(log) == 2 and log.left_out == 1
    assert log.items.names == ("3",)


@pytest.mark.parametrize("column", HEAD.split(","))
def test_a_missing_column_is_named(column: str, tmp_path: Path) -> None:
    base = lines(tmp_path / "base", [GOOD], head=HEAD.replace(column, "other"))
    with pytest.raises(InputError, match=f"has no column '{column}'"):
        read_open_bandit(base)


def test_files_that_end_too_early(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no usable row after its header"):
        read_open_bandit(lines(tmp_path / "none", []))
    (tmp_path / "none" / "all.csv").write_text("")
    with pytest.raises(InputError, match=r"all\.csv' is empty"):
        read_open_bandit(tmp_path / "none")
    cut = lines(tmp_path / "cut", [GOOD, GOOD[:2]])
    with pytest.raises(InputError, match=r"row 2 \(line 3\), column '\(whole row\)'"):
        read_open_bandit(cut)
    assert len(read_open_bandit(cut, how=Reading(skip_bad_rows=True))) == 1


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


def brute(rows: list[tuple[int, int, int, float]], chances: np.ndarray) -> tuple[float, float]:
    """IPS and self-normalised IPS, row by row. chances: (items, places)."""
    weights = [chances[item, place - 1] / odds for item, place, _, odds in rows]
    gains = sum(weight * click for weight, (_, _, click, _) in zip(weights, rows, strict=True))
    return gains / len(rows), gains / sum(weights)


def drawn(items: int, n: int, seed: int, chances: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Item, place from 1, click, propensity. chances: (items, 3)."""
    rng = np.random.default_rng(seed)
    places = rng.integers(3, size=n)
    shown = [int(rng.choice(items, p=chances[:, place])) for place in places]
    return [
        (item, int(place) + 1, int(rng.random() < 0.05), float(chances[item, place]))
        for item, place in zip(shown, places, strict=True)
    ]


def write_campaign(
    folder: Path, campaign: str, rows: list[tuple[int, int, int, float]], *, index: bool, items: int
) -> None:
    """As the dataset has it: an index without a name, timestamps, and a list of all items beside the log."""
    folder.mkdir(parents=True)
    head = "," if index else ""
    lines = [f"{head}timestamp,item_id,position,click,propensity_score,user_feature_0"]
    for number, (item, place, click, odds) in enumerate(rows):
        first = f"{number}," if index else ""
        lines.append(
            f"{first}2019-11-24 00:00:{number // 1000:02d}.{number % 1000:03d}+00:00,{item},{place},{click},{odds!r},x"
        )
    (folder / f"{campaign}.csv").write_text("\n".join(lines) + "\n")
    listed = "".join(f"{row},{row},0.1\n" for row in range(items))
    (folder / "item_context.csv").write_text(",item_id,item_feature_0\n" + listed)


@pytest.mark.parametrize(("campaign", "items", "index"), [("men", 34, True), ("women", 46, False)])
def test_other_campaigns_by_the_definition(tmp_path: Path, campaign: str, items: int, index: bool) -> None:
    """34 and 46 items: uniform by its propensities, Thompson by its published parameters, counts if asked for."""
    rng = np.random.default_rng(items)
    uniform, peaked = np.full((items, 3), 1.0 / items), rng.dirichlet(np.full(items, 0.5), 3).T + 1e-3
    peaked /= peaked.sum(axis=0)
    random, thompson = drawn(items, 3_000, 1, uniform), drawn(items, 3_000, 2, peaked)
    for row, (item, place, click, odds) in enumerate(thompson):  # it was learning: its propensities move
        thompson[row] = (item, place, click, min(1.0, odds * (0.8 + 0.4 * row / 3_000)))
    write_campaign(tmp_path / "random", campaign, random, index=index, items=items)
    write_campaign(tmp_path / "bts", campaign, thompson, index=index, items=items)
    back = read_open_bandit(tmp_path / "bts", tmp_path / "random", campaign=campaign)
    assert values(back) == pytest.approx(brute(thompson, uniform), abs=1e-12)
    counts = np.zeros((items, 3))
    for item, place, *_ in thompson:
        counts[item, place - 1] += 1
    forth = read_open_bandit(tmp_path / "random", tmp_path / "bts", campaign=campaign, way="counts")
    assert values(forth) == pytest.approx(brute(random, counts / counts.sum(axis=0)), abs=1e-12)
    parameters = published(campaign)
    assert parameters is not None and len(parameters.alpha) == items
    forth = read_open_bandit(tmp_path / "random", tmp_path / "bts", campaign=campaign)
    assert values(forth) == pytest.approx(brute(random, simulated(parameters, places=3)), abs=1e-12)


def test_a_short_log_is_told_by_the_same_definition(tmp_path: Path) -> None:
    """40 rows show half of the 34 items: parameters go by number, and a uniform policy stays uniform."""
    uniform = np.full((34, 3), 1.0 / 34)
    random, thompson = drawn(34, 40, 1, uniform), drawn(34, 40, 2, np.eye(34, 3) * 0.9 + 0.1 / 34)
    thompson = [
        (item, place, click, 0.3 + 0.001 * row) for row, (item, place, click, _) in enumerate(thompson)
    ]
    write_campaign(tmp_path / "random", "men", random, index=True, items=34)
    write_campaign(tmp_path / "bts", "men", thompson, index=True, items=34)
    parameters = published("men")
    assert parameters is not None
    forth = read_open_bandit(tmp_path / "random", tmp_path / "bts", campaign="men")
    assert values(forth) == pytest.approx(brute(random, simulated(parameters, places=3)), abs=1e-12)
    back = read_open_bandit(tmp_path / "bts", tmp_path / "random", campaign="men")
    assert values(back) == pytest.approx(brute(thompson, uniform), abs=1e-12)
    assert "propensities" in back.notes[-1]


def test_other_data_than_the_campaigns_is_never_given_their_parameters(tmp_path: Path) -> None:
    """20 items called men: no published policy of 34 fits, so the target is what its log shows."""
    uniform = np.full((20, 3), 0.05)
    random, other = drawn(20, 400, 1, uniform), drawn(20, 400, 2, np.eye(20, 3) * 0.5 + 0.025)
    other = [(item, place, click, 0.3 + 0.001 * row) for row, (item, place, click, _) in enumerate(other)]
    write_campaign(tmp_path / "random", "men", random, index=False, items=20)
    write_campaign(tmp_path / "bts", "men", other, index=False, items=20)
    log = read_open_bandit(tmp_path / "random", tmp_path / "bts", campaign="men")
    assert "how often its log shows" in log.notes[-1]
