"""The doctor looks at everything, and what it finds comes with a remedy."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from equipoise.core import Request
from equipoise.engine import Engine, Finding, examine, load_settings, write_config

QUIET = {"OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "items.csv").write_text("item_id,title,kind\na,wet shoes,x\nb,dry boots,y\nc,soft socks,x\n")
    path = tmp_path / "equipoise.toml"
    path.write_text('[catalog]\npath = "items.csv"\n[encoder]\nname = "hashing"\n')
    return path


def of(findings: list[Finding], what: str) -> list[Finding]:
    return [finding for finding in findings if finding.what == what]


def test_every_finding_that_is_not_fine_has_a_remedy(config: Path) -> None:
    findings = examine(config, environment={})
    assert {"machine", "packages", "threads", "sqlite", "configuration", "catalogue", "journal"} <= {
        finding.what for finding in findings
    }
    for finding in findings:
        assert finding.level in ("fine", "note", "fault")
        assert finding.detail
        assert bool(finding.remedy) == (finding.level != "fine"), finding


def test_a_fresh_configuration_has_no_fault(config: Path) -> None:
    assert [finding for finding in examine(config, environment=QUIET) if finding.level == "fault"] == []


def test_threads_are_noted_unless_one_is_set(config: Path) -> None:
    (one,) = of(examine(config, environment={}), "threads")
    config.write_text("blas_threads = 0\n" + config.read_text())
    (many,) = of(examine(config, environment={}), "threads")
    (told,) = of(examine(config, environment=QUIET), "threads")
    assert (one.level, many.level, told.level) == ("fine", "note", "fine")
    assert many.remedy == "set blas_threads = 1 where you serve"


def test_sqlites_fault_is_known() -> None:
    (finding,) = of(examine(Path("nowhere.toml"), environment=QUIET), "sqlite")
    faulty = (3, 7, 0) <= sqlite3.sqlite_version_info < (3, 51, 3)
    assert finding.level == ("note" if faulty else "fine")


def test_no_configuration_is_a_note_and_a_broken_one_a_fault(config: Path) -> None:
    (none,) = of(examine(Path("nowhere.toml"), environment=QUIET), "configuration")
    config.write_text("[polcy]\n")
    (broken,) = of(examine(config, environment=QUIET), "configuration")
    assert (none.level, broken.level) == ("note", "fault")
    assert "did you mean 'policy'" in broken.detail


def test_a_missing_catalogue_is_a_fault(config: Path) -> None:
    (config.parent / "items.csv").unlink()
    (finding,) = of(examine(config, environment=QUIET), "catalogue")
    assert finding.level == "fault"


def test_the_encoders_files_have_their_hashes(config: Path) -> None:
    config.write_text('[catalog]\npath = "items.csv"\n')
    findings = of(examine(config, environment=QUIET), "encoder")
    assert len(findings) >= 2
    assert {finding.level for finding in findings} == {"fine"}
    assert all("sha256" in finding.detail for finding in findings)


def test_a_used_journal_is_counted_and_a_damaged_one_is_a_fault(config: Path) -> None:
    with Engine.open(config) as engine:
        for number in range(40):
            engine.recommend(Request(text="wet"), slots=3, decision_id=f"d{number}")
        engine.settle("d0")
        (finding,) = of(examine(config, environment=QUIET), "journal")  # beside the one who writes
        assert "40 decisions, 1 settled" in finding.detail
    path = config.parent / "equipoise.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    findings = of(examine(config, environment=QUIET), "journal")
    assert {finding.level for finding in findings} == {"fault"}
    path.write_bytes(os.urandom(8192))
    assert {finding.level for finding in of(examine(config, environment=QUIET), "journal")} == {"fault"}


@pytest.mark.parametrize(
    ("text", "encoder"),
    [
        ("item_id,title\na,wet shoes for trails\nb,dry boots for work\n", '"minilm"'),
        ("item_id,size,weight\na,1,2\nb,2,3.5\n", '"numeric"'),
    ],
)
def test_init_writes_a_configuration_that_opens(tmp_path: Path, text: str, encoder: str) -> None:
    (tmp_path / "my items.csv").write_text(text)
    found = write_config(tmp_path / "my items.csv", tmp_path / "equipoise.toml")
    assert found.reasons
    written = (tmp_path / "equipoise.toml").read_text()
    assert f"name = {encoder}" in written
    if encoder == '"minilm"':
        written = written.replace('"minilm"', '"hashing"', 1)
        (tmp_path / "equipoise.toml").write_text(written)
    with Engine.open(tmp_path / "equipoise.toml") as engine:
        decision = engine.recommend(Request(), slots=2)
        engine.feedback(decision.decision_id, slot=0, kind="like")
        assert set(engine.item_ids) == {"a", "b"}


def test_every_default_that_init_writes_is_the_default(tmp_path: Path) -> None:
    """Uncommenting everything changes nothing."""
    (tmp_path / "items.csv").write_text("item_id,title\na,wet shoes for trails\nb,dry boots for work\n")
    path = tmp_path / "equipoise.toml"
    write_config(tmp_path / "items.csv", path)
    before = load_settings(path, environment={})
    lines = path.read_text().splitlines()
    bare = [line[2:] if line.startswith("# ") and " = " in line else line for line in lines]
    assert bare != lines
    path.write_text("\n".join(bare))
    assert load_settings(path, environment={}) == before
