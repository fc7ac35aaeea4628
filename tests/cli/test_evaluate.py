"""`equipoise evaluate`: from a log or the journal to a table, JSON or a page; and when it must not answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from equipoise import Engine, Request

from .conftest import Said

Say = Callable[..., Said]

HEAD = "session,when,item,chance,clicked,country,p_new"
MAP = """
decision_id = "session"
at = "when"
item_id = "item"
propensity = "chance"
reward = "clicked"
attributes = ["country"]
target_probability = { new = "p_new" }
"""
KEYS = {"policy", "estimator", "value", "stderr", "low", "high", "n", "n_effective", "warnings"}


@pytest.fixture
def log(folder: Path) -> Path:
    """400 rows of four items that were shown alike; `new` prefers c and d, which pay better."""
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 4, 400)
    clicked = rng.random(400) < np.array([0.2, 0.3, 0.5, 0.7])[shown]
    target = np.array([0.1, 0.1, 0.4, 0.4])[shown]
    rows = [
        f"s{row},{1.7e9 + row},{'abcd'[item]},0.25,{int(click)},{'DE' if row % 3 else 'FR'},{chance}"
        for row, (item, click, chance) in enumerate(zip(shown, clicked, target, strict=True))
    ]
    (folder / "log.csv").write_text("\n".join((HEAD, *rows)) + "\n")
    (folder / "map.toml").write_text(MAP)
    return folder / "log.csv"


def spoilt(log: Path, row: int, old: str, new: str) -> None:
    lines = log.read_text().splitlines()
    assert old in lines[row]
    lines[row] = lines[row].replace(old, new)
    log.write_text("\n".join(lines) + "\n")


THEIRS = ("evaluate", "--log", "log.csv", "--columns", "map.toml")


def test_a_log_with_target_probabilities_needs_no_policy(log: Path, say: Say) -> None:
    """The mean by hand: sum of weight (target / .25) times reward over 400."""
    said = say(*THEIRS, "--json")
    assert (said.code, said.err) == (0, "")
    rows = {(row["policy"], row["estimator"]): row for row in said.json}
    assert all(set(row) == KEYS for row in said.json)
    table = [line.split(",") for line in log.read_text().splitlines()[1:]]
    expected = sum(float(row[6]) / 0.25 * float(row[4]) for row in table) / 400
    assert rows["new", "ips"]["value"] == pytest.approx(expected)
    assert rows["logged", "on_policy"]["value"] == pytest.approx(sum(float(row[4]) for row in table) / 400)
    assert rows["new - logged", "ips"]["low"] > 0.0


def test_the_table_begins_with_support(log: Path, say: Say) -> None:
    said = say(*THEIRS, "--policy", "new", "uniform", "--by", "country", "--over-time")
    assert said.code == 0
    places = [
        said.out.index(words)
        for words in ("can this log speak", "reward of a row", "differences", "by country", "over time")
    ]
    assert places == sorted(places)
    for words in ("effective sample size", "snips", "new - uniform", "FR: new"):
        assert words in said.out


def test_policies_of_ours_learn_from_the_log(log: Path, say: Say) -> None:
    (log.parent / "mine.toml").write_text(
        '[policy]\nname = "epsilon_greedy"\nposterior = "beta"\nfloor = 0.02\n'
    )
    said = say(*THEIRS, "--policy", "thompson", "mine.toml", "--estimator", "ips", "dr", "--json")
    assert said.code == 0
    rows = {(row["policy"], row["estimator"]): row for row in said.json}
    for policy in ("thompson", "mine"):
        assert rows[policy, "ips"]["value"] > rows["logged", "on_policy"]["value"]
    told = say(*THEIRS, "--policy", "thompson")
    assert "candidates are all 4 items of the log" in told.out


def test_intervals_level_and_cores(log: Path, say: Say) -> None:
    def width(*words: str) -> float:
        row = next(row for row in say(*THEIRS, "--json", *words).json if row["policy"] == "new")
        return float(row["high"] - row["low"])

    assert width("--level", "0.8") < width() < width("--interval", "confidence_sequence")
    assert width("--cores", "2") == width()


def test_the_page(log: Path, say: Say) -> None:
    said = say(*THEIRS, "--by", "country", "--report", "out/report.html", "--json")
    assert said.code == 0
    assert not any("from =" in row["policy"] for row in said.json)
    page = (log.parent / "out" / "report.html").read_text()
    assert "Over time" in page
    assert "By country" in page
    assert "http" not in page


def test_a_log_that_cannot_answer_exits_with_3(log: Path, say: Say) -> None:
    lines = log.read_text().splitlines()
    never = [line.rpartition(",")[0] + ",0" for line in lines[1:]]
    log.write_text("\n".join((lines[0], *never)) + "\n")
    said = say(*THEIRS)
    assert said.code == 3
    assert "this log cannot answer that" in said.err
    assert "hopeless" in said.out
    spoken = say(*THEIRS, "--json")
    assert (spoken.code, spoken.out) == (3, "")
    assert json.loads(spoken.err)["error"]["kind"] == "NoSupportError"


def test_forced_numbers_are_stamped_everywhere(log: Path, say: Say) -> None:
    lines = log.read_text().splitlines()
    rare = [line.rpartition(",")[0] + (",0.25" if row == 5 else ",0") for row, line in enumerate(lines[1:])]
    log.write_text("\n".join((lines[0], *rare)) + "\n")
    assert say(*THEIRS).code == 3
    said = say(*THEIRS, "--force", "--json", "--report", "forced.html")
    assert said.code == 0
    stamped = [row for row in said.json if row["policy"] != "logged"]
    assert stamped
    assert all("this log cannot answer that" in row["warnings"][0] for row in stamped)
    assert "this log cannot answer that" in say(*THEIRS, "--force").out
    assert 'class="stamp"' in (log.parent / "forced.html").read_text()


BAD = [
    ("0.25,", "0,", "chance"),
    ("0.25,", "-0.5,", "chance"),
    ("0.25,", "1.5,", "chance"),
    ("0.25,", "nan,", "chance"),
    (",0,", ",no,", "clicked"),
    (",1,", ",no,", "clicked"),
    ("17000000", "16000000", "when"),
]


@pytest.mark.parametrize(("old", "new", "column"), BAD, ids=[f"{entry[2]} {entry[1]}" for entry in BAD])
def test_bad_rows_are_told_and_skipped_when_asked(
    old: str, new: str, column: str, log: Path, say: Say
) -> None:
    row = next(n for n, line in enumerate(log.read_text().splitlines()) if n > 20 and old in line)
    spoilt(log, row, old, new)
    said = say(*THEIRS, "--json")
    assert (said.code, said.out) == (1, "")
    message = json.loads(said.err)["error"]["message"]
    assert f"row {row} (line {row + 1}), column '{column}'" in message
    skipped = say(*THEIRS, "--json", "--skip-bad-rows")
    assert skipped.code == 0
    assert skipped.json[0]["n"] == 399
    (kept,) = map(json.loads, (log.parent / "log.csv.rejects.jsonl").read_text().splitlines())
    assert (kept["row"], kept["column"]) == (row, column)
    assert "1 bad row left out" in say(*THEIRS, "--skip-bad-rows").out


def test_known_items(log: Path, say: Say) -> None:
    (log.parent / "items.txt").write_text("a\nb\nc\n")
    assert "'d' is an unknown item" in say(*THEIRS, "--items", "items.txt").err
    (log.parent / "items.txt").write_text("a\nb\nc\nd\ne\n")
    assert "4 of 5 items are shown" in say(*THEIRS, "--items", "items.txt").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name one log"),
        (("--log", "log.csv", "--journal", "shop.db"), "name one log"),
        (("--log", "log.csv"), "--columns"),
        (("--log", "none.csv", "--columns", "map.toml"), "no file"),
        (("--log", "log.csv", "--columns", "none.toml"), "no columns file"),
        (("--log", "log.csv", "--columns", "map.toml", "--policy", "nwe"), "did you mean 'new'"),
        (("--log", "log.csv", "--columns", "map.toml", "--estimator", "isp"), "no estimator 'isp'"),
        (("--log", "log.csv", "--columns", "map.toml", "--estimator", "mips"), "--vectors"),
        (("--log", "log.csv", "--columns", "map.toml", "--estimator", "ips,mrdr"), "of every candidate"),
        (("--log", "log.csv", "--columns", "map.toml", "--estimator", "dr"), "of every candidate"),
        (("--log", "log.csv", "--columns", "map.toml", "--vectors", "none.npz"), "no vectors of items"),
        (("--log", "log.csv", "--columns", "map.toml", "--by", "county"), "no attribute 'county'"),
        (("--log", "log.csv", "--columns", "map.toml", "--format", "excel"), "no format 'excel'"),
        (("--log", "log.csv", "--columns", "map.toml", "--items", "none.txt"), "no list of items"),
    ],
)
def test_what_cannot_be_is_said(words: tuple[str, ...], told: str, log: Path, say: Say) -> None:
    said = say("evaluate", *words)
    assert (said.code, said.out) == (1, "")
    assert told in said.err


def test_a_misspelt_key_of_the_columns_file(log: Path, say: Say) -> None:
    (log.parent / "map.toml").write_text(MAP.replace("propensity", "propensty"))
    assert "did you mean 'propensity'" in say(*THEIRS).err


LOGGERS = """
reward = "got"
item_id = "item"
propensity = "p"
logger = "by"
attributes = ["country"]
target_probability = "new"
"""


def test_several_loggers_in_one_log(folder: Path, say: Say) -> None:
    """Half by `old` (.8, .2), half by `even`: the mixture shows a with .65 and b with .35."""
    lines = ["item,p,got,by,country,new,p_old,p_even"]
    for row in range(400):
        logger, item = ("old", "even")[row % 2], "aaaab"[row % 5] if row % 2 == 0 else "ab"[row // 2 % 2]
        odds = {"old": {"a": 0.8, "b": 0.2}[item], "even": 0.5}
        new, got = {"a": 0.3, "b": 0.7}[item], int(item == "b" or row % 3 == 0)
        country = "DE" if row else "FR"
        lines.append(f"{item},{odds[logger]},{got},{logger},{country},{new},{odds['old']},{odds['even']}")
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    (folder / "map.toml").write_text(LOGGERS)
    assert "logger_probability = { old" in say(*THEIRS, "--estimator", "balanced_ips").err
    (folder / "map.toml").write_text(LOGGERS + 'logger_probability = { old = "p_old", even = "p_even" }\n')
    rows = {(row["policy"], row["estimator"]): row for row in say(*THEIRS, "--json").json}
    table = [line.split(",") for line in lines[1:]]
    expected = sum({"a": 0.3 / 0.65, "b": 0.7 / 0.35}[row[0]] * float(row[2]) for row in table) / 400
    assert rows["new", "balanced_ips"]["value"] == pytest.approx(expected)
    assert ("new", "weighted_ips") in rows
    single = say(*THEIRS, "--json", "--estimator", "weighted_ips", "--by", "country").json
    (part,) = [row for row in single if row["policy"] == "new [country = FR]"]
    assert part["value"] is None
    assert "wrote 1 row" in part["warnings"][0]


def test_open_bandit(say: Say) -> None:
    data = Path(os.environ.get("EQUIPOISE_DATA", "")) / "open-bandit"
    if not (data / "bts").is_dir():
        pytest.skip("EQUIPOISE_DATA has no folder open-bandit with bts in it")
    said = say(
        *("evaluate", "--format", "open-bandit", "--json"),
        *("--log", str(data / "bts"), "--target-log", str(data / "random")),
    )
    assert said.code == 0
    rows = {(row["policy"], row["estimator"]): row["value"] for row in said.json}
    assert round(rows["random", "ips"], 6) == 0.002360
    assert round(rows["random", "snips"], 6) == 0.002334
    assert rows["bts", "on_policy"] == pytest.approx(0.0042)
    assert rows["random", "on_policy"] == pytest.approx(0.0038)


@pytest.fixture
def journal(shop: Say, folder: Path) -> Say:
    """60 settled decisions of two slots, half of them by phone; i0 and i5 are always clicked."""
    with Engine.open(folder / "equipoise.toml") as engine:
        for number in range(60):
            device = "phone" if number % 2 else "desk"
            shown = engine.recommend(Request(text="shoe", attributes={"device": device}), slots=2)
            for slot in shown.slots:
                if slot.item_id in ("i0", "i5"):
                    engine.feedback(shown.decision_id, slot=slot.slot, kind="click")
            engine.settle(shown.decision_id)
    (folder / "same.toml").write_text("")
    (folder / "challenger.toml").write_text('[policy]\nname = "epsilon_greedy"\nfloor = 0.01\n')
    return shop


def test_a_challenger_on_the_journal(journal: Say, folder: Path) -> None:
    said = journal(
        "evaluate", "--journal", "equipoise.db", "--policy", "challenger.toml", "--force", "--json"
    )
    assert said.code == 0
    rows = {(row["policy"], row["estimator"]): row for row in said.json}
    assert rows["thompson", "on_policy"]["n"] == 60
    assert {estimator for policy, estimator in rows if policy == "challenger"} == {
        "reward_interaction_ips",
        "reward_interaction_snips",
        "independent_ips",
        "cascade_dr",
    }


def test_the_incumbent_beside_itself_earns_the_same(journal: Say) -> None:
    said = journal(
        "evaluate", "--journal", "equipoise.db", "--policy", "same.toml", "--by", "device", "--json"
    )
    rows = {(row["policy"], row["estimator"]): row for row in said.json}
    plain = rows["thompson", "on_policy"]["value"]
    assert abs(rows["same", "reward_interaction_ips"]["value"] - plain) < 1e-12
    assert (
        abs(
            rows["same [device = phone]", "reward_interaction_ips"]["value"]
            - rows["thompson [device = phone]", "on_policy"]["value"]
        )
        < 1e-12
    )
    told = journal("evaluate", "--journal", "equipoise.db", "--policy", "same.toml").out
    assert "0 decisions have not settled yet" in told
    assert "of 20 items are shown" in told


def test_policies_by_name_on_the_journal(journal: Say) -> None:
    said = journal("evaluate", "--journal", "equipoise.db", "--policy", "uniform", "--force", "--json")
    assert {row["policy"] for row in said.json} == {"thompson", "uniform", "uniform - thompson"}
    assert (
        "did you mean 'thompson'"
        in journal("evaluate", "--journal", "equipoise.db", "--policy", "thomson").err
    )
    assert "--policy challenger.toml" in journal("evaluate", "--journal", "equipoise.db").err
    assert "no journal 'none.db'" in journal("evaluate", "--journal", "none.db", "--policy", "uniform").err


def test_imported_decisions_are_learned_from_but_not_judged(journal: Say, folder: Path) -> None:
    """They list what was shown as their only candidates, so every policy would seem to have shown just that."""
    plain = journal("evaluate", "--journal", "equipoise.db", "--policy", "same.toml", "--json").json
    (folder / "theirs.csv").write_text("item,p,got\n" + "i0,0.05,1\ni1,0.05,0\n" * 20)
    (folder / "theirs.toml").write_text('item_id = "item"\npropensity = "p"\nreward = "got"\n')
    assert journal("warm-start", "--log", "theirs.csv", "--columns", "theirs.toml").code == 0
    said = journal("evaluate", "--journal", "equipoise.db", "--policy", "same.toml", "--json")
    assert said.json == plain
    told = journal("evaluate", "--journal", "equipoise.db", "--policy", "same.toml").out
    assert "40 imported decisions are left out" in " ".join(told.split())


def test_a_journal_with_nothing_but_imported_decisions(shop: Say, folder: Path) -> None:
    (folder / "theirs.csv").write_text("item,got\ni0,1\ni1,0\n")
    (folder / "theirs.toml").write_text('item_id = "item"\nreward = "got"\n')
    assert shop("warm-start", "--log", "theirs.csv", "--columns", "theirs.toml").code == 0
    said = shop("evaluate", "--journal", "equipoise.db", "--policy", "uniform")
    assert said.code == 1
    assert "no settled decision of our own" in said.err


def test_slate_estimators_need_no_columns_beyond_the_journal(journal: Say) -> None:
    """The incumbent beside itself: every weight is 1, so each that does not lean on a model is the plain mean."""
    names = [
        f"{kind}_{form}"
        for kind in ("slate", "independent", "reward_interaction")
        for form in ("ips", "snips")
    ]
    names += ["cascade_dr", "pseudo_inverse"]
    said = journal(
        "evaluate", "--journal", "equipoise.db", "--policy", "same.toml", "--json", "--estimator", *names
    )
    rows = {(row["policy"], row["estimator"]): row for row in said.json}
    plain = rows["thompson", "on_policy"]["value"]
    for name in names:
        off = abs(rows["same", name]["value"] - plain)
        assert off < (0.2 if name == "cascade_dr" else 1e-12), name


def test_metrics_of_what_was_shown(folder: Path, say: Say, journal: Say) -> None:
    """Lists ab, ba and ac; b alone earns, at place 2, at place 1 and never. Three of four items are shown."""
    lines = ["id,at,item,got", "s1,0,a,0", "s1,1,b,1", "s2,0,b,1", "s2,1,a,0", "s3,0,a,0", "s3,1,c,0"]
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    (folder / "map.toml").write_text('decision_id = "id"\nslot = "at"\nitem_id = "item"\nreward = "got"\n')
    (folder / "items.txt").write_text("a\nb\nc\nd\n")
    said = say("evaluate", "--metrics", *THEIRS[1:], "--items", "items.txt", "--json")
    assert said.code == 0, said.err
    rows = {row["estimator"]: row for row in said.json}
    assert all(set(row) == KEYS for row in said.json)
    assert rows["ndcg"]["value"] == pytest.approx((1 / np.log2(3) + 1) / 2)
    assert rows["average_precision"]["value"] == pytest.approx(0.75)
    assert rows["hit_rate"]["value"] == pytest.approx(2 / 3)
    assert rows["coverage"]["value"] == 0.75
    assert rows["coverage"]["stderr"] is None
    bits = {"a": 0.0, "b": -np.log2(2 / 3), "c": -np.log2(1 / 3)}
    assert rows["novelty"]["value"] == pytest.approx((bits["b"] + bits["c"] / 2) / 3)
    (folder / "map.toml").write_text('decision_id = "id"\nreward = "got"\n' + 'slot = "place"\n')
    (folder / "log.csv").write_text("id,place,got\ns1,1,0\n")
    assert "does not say what was shown" in say("evaluate", "--metrics", *THEIRS[1:]).err
    told = journal("evaluate", "--metrics", "--journal", "equipoise.db")
    assert told.code == 0
    assert "gini" in told.out
    assert "exact" in told.out
    assert "inf" not in told.out


def test_a_journal_without_anything_settled(shop: Say) -> None:
    shop("recommend", "--text", "shoe")
    said = shop("evaluate", "--journal", "equipoise.db", "--policy", "uniform")
    assert said.code == 1
    assert "no settled decision" in said.err


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_item_vectors_for_mips(form: str, log: Path, folder: Path, say: Say) -> None:
    """Four clusters of four items: mips is ips then, as every item has a weight of its own."""
    names, vectors = list("abcd"), np.eye(4)
    (folder / "items.txt").write_text("a\nb\nc\nd\n")
    if form == "npz":
        np.savez(folder / "items.npz", item_ids=names, vectors=vectors)
    else:
        np.save(folder / "items.npy", vectors)
    words = ("--vectors", f"items.{form}", *(("--items", "items.txt") if form == "npy" else ()))
    estimators = ("--estimator", "mips", "ips", "adaptive_dr", "--clusters", "4")
    said = say(*THEIRS, *words, *estimators, "--json")
    assert (said.code, said.err) == (0, "")
    rows = {row["estimator"]: row for row in said.json if row["policy"] == "new"}
    assert rows["mips"]["value"] == pytest.approx(rows["ips"]["value"])
    # Every weight is that of its item throughout, so nothing is learned by weighing rows.
    assert abs(rows["adaptive_dr"]["value"] - rows["ips"]["value"]) < rows["ips"]["stderr"]
    assert "4 items in 4 clusters" in say(*THEIRS, *words, *estimators).out


def test_a_model_made_for_mrdr(log: Path, say: Say) -> None:
    said = say(*THEIRS, "--policy", "uniform", "thompson", "--estimator", "dr", "mrdr", "--json")
    assert (said.code, said.err) == (0, "")
    for policy in ("uniform", "thompson"):
        rows = {row["estimator"]: row for row in said.json if row["policy"] == policy}
        # Uniform weighs every row of this log alike, so both models are one.
        assert (rows["mrdr"]["value"] == rows["dr"]["value"]) == (policy == "uniform")
        assert abs(rows["mrdr"]["value"] - rows["dr"]["value"]) < 3.0 * rows["dr"]["stderr"]


def test_our_own_journal_has_what_every_estimator_needs(shop: Say, folder: Path) -> None:
    """One slot a decision: the incumbent's own settings give its propensities, so every estimator gives its mean."""
    with Engine.open(folder / "equipoise.toml") as engine:
        for number in range(60):
            made = engine.recommend(
                Request(text="shoe"), slots=1, decision_id=f"d{number}", at=1.7e9 + number
            )
            if number % 3 == 0:
                engine.feedback(made.decision_id, slot=0, kind="like", at=1.7e9 + number)
            engine.settle(made.decision_id, at=1.7e9 + number)
    (folder / "same.toml").write_text("[retrieval]\n")
    words = ("evaluate", "--journal", "equipoise.db", "--force", "--policy", "same.toml")
    estimators = ("ips", "mips", "mrdr", "dr", "adaptive_dr")
    said = shop(*words, "--estimator", *estimators, "--clusters", "2", "--json")
    assert (said.code, said.err) == (0, "")
    rows = {row["estimator"]: row for row in said.json if row["policy"] == "same"}
    mean = next(row["value"] for row in said.json if row["estimator"] == "on_policy")
    assert set(rows) == set(estimators)
    for name in ("ips", "mips"):
        assert rows[name]["value"] == pytest.approx(mean, abs=1e-9), name
    said = shop(*words, "--estimator", "ips", "--interval", "confidence_sequence", "--json")
    assert not [line for row in said.json for line in row["warnings"] if "is not guaranteed" in line]
