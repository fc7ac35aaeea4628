"""`equipoise demo`, shortened to 30 visits: the whole way from the films to an explained answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from equipoise.cli import main


def test_the_demo_plays_draws_answers_and_stays_to_be_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EQUIPOISE_ENCODER__NAME", "hashing")
    assert main(["demo", "--visits", "30", "--text", "a film about trains"]) == 0
    told = capsys.readouterr().out
    assert "9,066 films, 30 visits of" in told
    assert "request: a film about trains" in told
    assert "made again from the journal: the same, bit for bit" in told
    picture = tmp_path / "demo-out" / "reward.png"
    assert f"picture: {picture.relative_to(tmp_path)}" in told
    assert picture.read_bytes()[:4] == b"\x89PNG"
    config = ["--config", "demo-out/equipoise.toml", "--json"]
    assert main(["recommend", "--text", "trains", *config]) == 0
    assert len(json.loads(capsys.readouterr().out)["slots"]) == 10
    assert main(["status", *config]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["items"], status["decisions"], status["settled"], status["bad_rows"]) == (9_066, 32, 30, 0)
    assert main(["replay", *config]) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True


@pytest.mark.parametrize("visits", ["0", "-5"])
def test_no_visits_are_no_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str], visits: str) -> None:
    assert main(["demo", "--visits", visits, "--folder", str(tmp_path / "out")]) == 1
    assert f"visits is {visits}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
