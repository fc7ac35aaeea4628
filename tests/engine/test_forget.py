"""A user asks to be forgotten: nothing of them is left in any file, and what is left still replays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.core import Request
from equipoise.engine import Engine

from .shop import START, opened, visit

SECRETS = ("sekretuser", "zanzibarquery", "kryptophone")
ENCODINGS = ("utf-8", "utf-16-le", "utf-32-le")


def lived(path: Path) -> Engine:
    """Thirty visits, ten of which are the secret user's; checkpoints on the way."""
    journal = {"path": str(path), "window_seconds": 100.0, "checkpoint_every": 7}
    engine = opened(path, journal=journal)
    for number in range(30):
        visit(engine, number)
        if number % 3 == 0:
            request = Request(
                text="zanzibarquery",
                user_id="sekretuser",
                history=("i1",),
                attributes={"device": "kryptophone"},
            )
            decision = engine.recommend(request, slots=3, decision_id=f"s{number}", at=START + 10.0 * number)
            engine.feedback(decision.decision_id, slot=0, kind="like", at=START + 10.0 * number)
            engine.settle(decision.decision_id, at=START + 10.0 * number)
    return engine


def found(folder: Path) -> set[str]:
    """The secrets in any file, and in the arrays inside any archive of arrays."""
    needles = {secret: [secret.encode(encoding) for encoding in ENCODINGS] for secret in SECRETS}
    hay = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    for archive in folder.rglob("*.npz"):
        with np.load(archive) as arrays:
            hay += [arrays[name].tobytes() for name in arrays.files]
    return {secret for secret, forms in needles.items() for form in forms for data in hay if form in data}


def test_nothing_of_the_user_is_left_and_replay_is_identical(tmp_path: Path) -> None:
    engine = lived(tmp_path / "j.db")
    assert found(tmp_path) == set(SECRETS)  # else this test could not find what it looks for
    assert engine.forget("sekretuser") == 10
    assert found(tmp_path) == set()
    assert engine.parts.learner.statistics.liked("sekretuser") == ()
    assert engine.replay().identical
    decision = visit(engine, 40)
    assert engine.why(decision.decision_id).reproduced
    assert engine.forget("sekretuser") == 0
    engine.close()
    assert found(tmp_path) == set()
    with opened(tmp_path / "j.db") as again:
        assert again.replay().identical
        assert again.why(decision.decision_id).reproduced
        assert again.status()["decisions"] == 41


def test_a_process_killed_while_forgetting_does_not_bring_the_user_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal has forgotten, learning anew has not begun: the next start must not resume from what knew them."""
    engine = lived(tmp_path / "j.db")

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(engine.parts), "relearn", killed)
    with pytest.raises(KeyboardInterrupt):
        engine.forget("sekretuser")
    engine.parts.close()
    with opened(tmp_path / "j.db") as again:
        assert again.replay().identical
        assert again.parts.learner.statistics.liked("sekretuser") == ()
    assert found(tmp_path) == set()


def test_texts_of_requests_are_not_kept_beside_the_journal(tmp_path: Path) -> None:
    with opened(tmp_path / "j.db") as engine:
        engine.recommend(Request(text="zanzibarquery"), slots=1)
        encoded = engine.parts.stock.encoder.encoded
    assert encoded == 41  # forty items and the request
    with opened(tmp_path / "j.db") as again:
        again.recommend(Request(text="zanzibarquery"), slots=1)
        assert again.parts.stock.encoder.encoded == 1  # the items came from disk, the request did not
