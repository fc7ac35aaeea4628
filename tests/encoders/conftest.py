"""MiniLM opened once, and a transformer so small that its vectors can be checked by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.encoders import TransformerEncoder, open_minilm

WORDS = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "red": 4, "blue": 5}
TABLE = np.array([[9, 9], [1, 1], [4, 0], [0, 4], [3, 4], [-3, 4]], np.float32)
"""(6, 2), the token vectors of the tiny model, in the order of WORDS."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def minilm(cache: Path) -> TransformerEncoder:
    return open_minilm(cache=cache, threads=2)


def tiny_graph(*, inputs: tuple[str, ...], outputs: dict[str, str]) -> Any:
    """outputs: name to kind: `tokens` (1, t, 2), `doubled` (twice that), `pooled` (1, 2), `wide` (1, t, 2, 1)."""
    from onnx import TensorProto, helper, numpy_helper

    kinds = {
        "tokens": ("Identity", ["rows"], [1, "t", 2]),
        "doubled": ("Add", ["rows", "rows"], [1, "t", 2]),
        "pooled": ("ReduceMax", ["rows", "axis"], [1, 2]),
        "wide": ("Unsqueeze", ["rows", "last"], [1, "t", 2, 1]),
    }
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["rows"])]
    declared = []
    for name, kind in outputs.items():
        op, given, shape = kinds[kind]
        settings = {"keepdims": 0} if op == "ReduceMax" else {}
        nodes.append(helper.make_node(op, given, [name], **settings))
        declared.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    constants = [
        numpy_helper.from_array(TABLE, "table"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
        numpy_helper.from_array(np.array([-1], np.int64), "last"),
    ]
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, [1, "t"]) for name in inputs]
    graph = helper.make_graph(nodes, "tiny", given, declared, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def tiny_tokenizer() -> Any:
    """[CLS] and [SEP] around; and, as real files do, it asks for padding and truncation of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    pieces.enable_padding(length=16)
    pieces.enable_truncation(4)
    return pieces


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    """Makes a model directory; `where` is the file's place, other files are given as name to JSON content."""

    def make(
        *,
        where: str = "model.onnx",
        inputs: tuple[str, ...] = ("input_ids",),
        outputs: dict[str, str] | None = None,
        files: dict[str, Any] | None = None,
    ) -> Path:
        directory = tmp_path / "tiny"
        model = directory / where
        model.parent.mkdir(parents=True, exist_ok=True)
        graph = tiny_graph(inputs=inputs, outputs=outputs or {"last_hidden_state": "tokens"})
        model.write_bytes(graph.SerializeToString())
        tiny_tokenizer().save(str(directory / "tokenizer.json"))
        for name, content in (files or {}).items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(json.dumps(content), encoding="utf-8")
        return directory

    return make
