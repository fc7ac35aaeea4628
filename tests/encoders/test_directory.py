"""Directories and hub names: any transformer opens, and what does not open says why."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.core import EncoderError, MissingExtraError
from equipoise.encoders import open_directory, open_encoder, open_hub

TinyModel = Callable[..., Path]
RED, BLUE, CLS, SEP = (3, 4), (-3, 4), (4, 0), (0, 4)


def test_token_vectors_are_averaged_over_the_text_alone(tiny: TinyModel) -> None:
    # [CLS] red [SEP]: the mean of (4, 0), (3, 4), (0, 4) is (7, 8) / 3; the length of (7, 8) is sqrt(113)
    (row,) = open_directory(tiny()).encode(["red"])
    assert row == pytest.approx(np.array([7, 8]) / np.sqrt(113), abs=1e-6)


def test_the_files_own_truncation_is_replaced(tiny: TinyModel) -> None:
    # [CLS] red red red blue [SEP]: (4 + 9 - 3 + 0, 0 + 12 + 4 + 4) = (10, 20); the file would cut at 4 tokens
    (row,) = open_directory(tiny()).encode(["red red red blue"])
    assert row == pytest.approx(np.array([1, 2]) / np.sqrt(5), abs=1e-6)


@pytest.mark.parametrize(
    "limits",
    [
        {"sentence_bert_config.json": {"max_seq_length": 3}},
        {"config.json": {"max_position_embeddings": 3}},
        {"config.json": {"max_position_embeddings": 5}, "sentence_bert_config.json": {"max_seq_length": 3}},
    ],
)
def test_the_models_own_limit_of_tokens_holds(tiny: TinyModel, limits: dict[str, Any]) -> None:
    encoder = open_directory(tiny(files=limits))
    assert np.array_equal(*encoder.encode(["red", "red blue blue blue"]))


def test_a_limit_may_be_asked_for(tiny: TinyModel) -> None:
    encoder = open_directory(tiny(), max_tokens=3)
    assert np.array_equal(*encoder.encode(["red", "red blue blue blue"]))


@pytest.mark.parametrize("where", ["model.onnx", "onnx/model.onnx"])
@pytest.mark.parametrize(
    "inputs", [("input_ids",), ("input_ids", "attention_mask"), ("token_type_ids", "input_ids")]
)
def test_graphs_get_the_inputs_that_they_ask_for(
    tiny: TinyModel, where: str, inputs: tuple[str, ...]
) -> None:
    encoder = open_directory(tiny(where=where, inputs=inputs))
    assert (encoder.space.name, encoder.space.dim) == ("tiny", 2)
    assert encoder.encode(["red"])[0] == pytest.approx(np.array([7, 8]) / np.sqrt(113), abs=1e-6)


def test_a_pooled_output_is_taken_as_it_is(tiny: TinyModel) -> None:
    # the greatest of each column of (4, 0), (-3, 4), (0, 4) is (4, 4)
    for outputs in ({"vector": "pooled"}, {"token_embeddings": "tokens", "sentence_embedding": "pooled"}):
        (row,) = open_directory(tiny(outputs=outputs)).encode(["blue"])
        assert row == pytest.approx([np.sqrt(0.5)] * 2, abs=1e-6)


def test_token_vectors_are_preferred_to_an_unnamed_pooler(tiny: TinyModel) -> None:
    directory = tiny(outputs={"pooler_output": "pooled", "last_hidden_state": "tokens"})
    assert open_directory(directory).encode(["red"])[0] == pytest.approx(
        np.array([7, 8]) / np.sqrt(113), abs=1e-6
    )


@pytest.mark.parametrize(
    "config", [{"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, {"pooling_mode": "cls"}]
)
def test_the_first_token_is_taken_where_the_model_says_so(tiny: TinyModel, config: dict[str, Any]) -> None:
    # the first token is [CLS], (4, 0)
    encoder = open_directory(tiny(files={"1_Pooling/config.json": config}))
    assert np.array_equal(encoder.encode(["red"]), [[1.0, 0.0]])


def test_named_outputs_stand_side_by_side(tiny: TinyModel) -> None:
    directory = tiny(outputs={"low": "tokens", "last_hidden_state": "doubled"})
    encoder = open_directory(directory, outputs=("low", "last_hidden_state"))
    # both point along (7, 8); two parts of length 1 / sqrt(2) make length 1
    assert encoder.space.dim == 4
    assert encoder.encode(["red"])[0] == pytest.approx(np.array([7, 8, 7, 8]) / np.sqrt(226), abs=1e-6)


def test_the_version_follows_model_tokenizer_and_use(tiny: TinyModel) -> None:
    directory = tiny(outputs={"low": "tokens", "last_hidden_state": "doubled"})
    versions = [open_directory(directory).space.version]
    assert open_directory(directory).space.version == versions[0]
    versions.append(open_directory(directory, outputs=("low",)).space.version)
    versions.append(open_directory(directory, max_tokens=5).space.version)
    tokenizer = directory / "tokenizer.json"
    tokenizer.write_text(
        tokenizer.read_text().replace('"red": 4', '"red": 5').replace('"blue": 5', '"blue": 4')
    )
    versions.append(open_directory(directory).space.version)
    tiny(outputs={"last_hidden_state": "tokens"})
    versions.append(open_directory(directory).space.version)
    assert len(set(versions)) == 5


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"outputs": {"wide": "wide"}}, "no output of token or text vectors among wide"),
        ({"inputs": ("input_ids", "pixel_values")}, "takes the inputs input_ids, pixel_values; expected"),
        (
            {"files": {"modules.json": [{"type": "sentence_transformers.models.Dense"}]}},
            "a dense layer after pooling",
        ),
        (
            {"files": {"1_Pooling/config.json": {"pooling_mode_max_tokens": True}}},
            "pools by max_tokens: only mean",
        ),
        ({"files": {"config.json": [1]}}, "should hold a JSON dict"),
    ],
)
def test_what_is_not_understood_is_refused(tiny: TinyModel, made: dict[str, Any], told: str) -> None:
    with pytest.raises(EncoderError, match=told):
        open_directory(tiny(**made))


def test_outputs_that_cannot_be_joined_are_refused(tiny: TinyModel) -> None:
    directory = tiny(outputs={"low": "tokens", "vector": "pooled"})
    with pytest.raises(EncoderError, match="no output 'lo': choose among low, vector"):
        open_directory(directory, outputs=("lo",))
    with pytest.raises(EncoderError, match="differ in kind"):
        open_directory(directory, outputs=("low", "vector"))


def test_missing_and_damaged_files_are_named(tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"has no model\.onnx or onnx/model\.onnx"):
        open_directory(tmp_path / "nowhere")
    directory = tiny()
    tokenizer, model = directory / "tokenizer.json", directory / "model.onnx"
    tokenizer.write_text("{}")
    with pytest.raises(EncoderError, match=r"tokenizer\.json is no tokenizer"):
        open_directory(directory)
    tokenizer.unlink()
    with pytest.raises(EncoderError, match=r"has no tokenizer\.json"):
        open_directory(directory)
    directory = tiny(files={"config.json": {}})
    (directory / "config.json").write_text("{half")
    with pytest.raises(EncoderError, match=r"config\.json is not readable JSON"):
        open_directory(directory)
    model.write_bytes(b"half a model")
    with pytest.raises(EncoderError, match=r"onnxruntime cannot open .*model\.onnx"):
        open_directory(directory)


def test_a_tokenizer_of_another_model_is_found_out(tiny: TinyModel) -> None:
    directory = tiny()
    tokenizer = directory / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"[UNK]": 1', '"[UNK]": 999'))
    with pytest.raises(EncoderError, match=r"cannot encode a text.*is tokenizer\.json this model's"):
        open_directory(directory)


def test_a_hub_name_is_downloaded_and_opened(tiny: TinyModel, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def download(**settings: Any) -> str:
        asked.update(settings)
        return str(tiny())

    encoder = open_hub("org/name", cache=tmp_path, download=download)
    assert encoder.space.name == "org/name"
    assert encoder.encode(["red"]).shape == (1, 2)
    assert (asked["repo_id"], asked["cache_dir"]) == ("org/name", str(tmp_path / "hub"))
    assert {"model.onnx", "onnx/model.onnx", "tokenizer.json"} <= set(asked["allow_patterns"])


def test_an_unreachable_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")

    def unreachable(**_: Any) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "snapshot_download", unreachable)
    with pytest.raises(EncoderError, match=r"ConnectionError: no route to host.*the path of its directory"):
        open_encoder("org/name", cache=tmp_path)


def test_without_the_hubs_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hidden: Any = None
    monkeypatch.setitem(sys.modules, "huggingface_hub", hidden)
    with pytest.raises(MissingExtraError, match=r"pip install 'equipoise\[hub\]'"):
        open_hub("org/name", cache=tmp_path)
