"""MiniLM's shipped graph, folded into a compact one that multiplies in int8.

The shipped file keeps int8 weights but casts them to float32 before every product. Here the same int8
weights, unchanged, go into `DynamicQuantizeMatMul`, which quantises the activations to 8 bits and multiplies
integers; query, key and value share one product, attention and layer norms are onnxruntime's fused kernels,
and only the looked-up rows of the word table become floats.

Each token's activations are divided by their own largest magnitude before they are quantised, and multiplied
by it afterwards: one scale per token instead of one per text. On 254 film titles this raised the mean cosine
to the shipped graph from .9943 to .9980 and the shared part of the ten nearest from .89 to .94, at no cost.

The weights are stored as uint8 with zero point 128, because int8 weights saturate in the 16-bit sums of
processors without VNNI instructions: so every processor multiplies the same integers to the same sums.

The graph takes one text, `input_ids` (1, tokens), and gives `block0` (the embedding layer) to `block6`, each
(1, tokens, 384).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCKS = 6
HEADS = 12
WIDTH = 384
_MICROSOFT = "com.microsoft"
_OPSET, _IR = 18, 10
_EPSILON = 1e-12
"""Of every layer norm, as in the shipped graph."""

Weights = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Draft:
    """A graph in the making: nodes in order, and constants by name."""

    nodes: list[Any] = field(default_factory=list)
    constants: Weights = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = np.ascontiguousarray(value)
        return name

    def node(self, op: str, inputs: list[str], *outputs: str, domain: str = "", **settings: Any) -> str:
        """Add a node; returns the name of its first output."""
        from onnx import helper

        self.nodes.append(helper.make_node(op, inputs, list(outputs), domain=domain, **settings))
        return outputs[0]


def compact_graph(shipped: Path) -> bytes:
    """The folded graph of the shipped file, as a serialised ONNX model; the same bytes every time."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(shipped)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    draft = _Draft()
    layer = _embeddings(draft, weights)
    for block, matrices in enumerate(_matrices(weights)):
        layer = _block(draft, weights, matrices, block, layer)
    return _serialised(draft)


def _matrices(weights: Weights) -> list[list[str]]:
    """The names of each block's six matrices: query, key, value, attention output, up, down."""
    names = sorted((n[:-2] for n in weights if n.startswith("val_") and n.endswith("_q")), key=_number)
    return [names[6 * block : 6 * block + 6] for block in range(BLOCKS)]


def _number(name: str) -> int:
    return int(name.removeprefix("val_"))


def _embeddings(draft: _Draft, weights: Weights) -> str:
    prefix = "inner.embeddings."
    table = draft.constant("words", weights[f"{prefix}word_embeddings.weight_q"])
    scales = draft.constant("word_scales", weights[f"{prefix}word_embeddings.weight_scale"])
    rows = draft.node("Cast", [draft.node("Gather", [table, "input_ids"], "word_rows")], "word_floats", to=1)
    words = draft.node(
        "Mul", [rows, draft.node("Gather", [scales, "input_ids"], "row_scales")], "word_vectors"
    )
    length = draft.node("Shape", ["input_ids"], "length", start=1, end=2)
    start = draft.constant("start", np.zeros(1, np.int64))
    places = draft.node("Slice", [draft.constant("places", _places(weights)), start, length], "place_vectors")
    total = draft.node("Add", [words, places], "embedded")
    gain = draft.constant("gain", weights[f"{prefix}LayerNorm.weight"])
    shift = draft.constant("shift", weights[f"{prefix}LayerNorm.bias"])
    return draft.node("LayerNormalization", [total, gain, shift], "block0", axis=-1, epsilon=_EPSILON)


def _places(weights: Weights) -> NDArray[Any]:
    """(512, 384) position vectors; every token is of type 0, whose vector is added once and for all."""
    prefix = "inner.embeddings."
    quantised = weights[f"{prefix}position_embeddings.weight_q"].astype(np.float32)
    vectors = quantised * weights[f"{prefix}position_embeddings.weight_scale"]
    return np.asarray(vectors + weights[f"{prefix}token_type_embeddings.weight"][0], np.float32)


def _block(draft: _Draft, weights: Weights, matrices: list[str], block: int, layer: str) -> str:
    """One transformer block: attention, then the feed-forward part, each added to its input and normed."""
    prefix = f"inner.encoder.layer.{block}."
    biases = [weights[f"{prefix}attention.self.{part}.bias"] for part in ("query", "key", "value")]
    asked = _product(draft, weights, matrices[:3], np.concatenate(biases), layer, f"asked{block}")
    parts = [f"query{block}", f"key{block}", f"value{block}"]
    draft.node("Split", [asked], *parts, axis=-1, num_outputs=3)
    seen = draft.node("MultiHeadAttention", parts, f"seen{block}", domain=_MICROSOFT, num_heads=HEADS)
    part = "attention.output"
    told = _product(
        draft, weights, matrices[3:4], weights[f"{prefix}{part}.dense.bias"], seen, f"told{block}"
    )
    middle = _normed(draft, weights, f"{prefix}{part}", told, layer, f"middle{block}")
    bias = weights[f"{prefix}intermediate.dense.bias"]
    up = _product(draft, weights, matrices[4:5], bias, middle, f"up{block}")
    bent = draft.node("Gelu", [up], f"bent{block}", domain=_MICROSOFT)
    bias = weights[f"{prefix}output.dense.bias"]
    down = _product(draft, weights, matrices[5:], bias, bent, f"down{block}")
    return _normed(draft, weights, f"{prefix}output", down, middle, f"block{block + 1}")


def _product(
    draft: _Draft, weights: Weights, matrices: list[str], bias: NDArray[Any], rows: str, output: str
) -> str:
    """rows (1, tokens, a) times the matrices side by side (a, b), plus bias (b,)."""
    quantised = np.concatenate([weights[f"{name}_q"] for name in matrices], axis=1)
    scales = np.concatenate([weights[f"{name}_scale"].reshape(-1) for name in matrices])
    shifted = (quantised.astype(np.int16) + 128).astype(np.uint8)
    inputs = [
        _levelled(draft, rows, output),
        draft.constant(f"{output}_weights", shifted),
        draft.constant(f"{output}_scales", scales),
        draft.constant(f"{output}_zero", np.full(len(scales), 128, np.uint8)),
    ]
    product = draft.node("DynamicQuantizeMatMul", inputs, f"{output}_product", domain=_MICROSOFT)
    restored = draft.node("Mul", [product, f"{output}_peak"], f"{output}_restored")
    return draft.node("Add", [restored, draft.constant(f"{output}_bias", bias)], output)


def _levelled(draft: _Draft, rows: str, output: str) -> str:
    """Each token's row divided by its peak, which trained weights never bring to 0."""
    last = draft.constant("last_axis", np.array([-1], np.int64))
    sizes = draft.node("Abs", [rows], f"{output}_sizes")
    peak = draft.node("ReduceMax", [sizes, last], f"{output}_peak", keepdims=1)
    return draft.node("Div", [rows, peak], f"{output}_levelled")


def _normed(draft: _Draft, weights: Weights, prefix: str, rows: str, beside: str, output: str) -> str:
    gain = draft.constant(f"{output}_gain", weights[f"{prefix}.LayerNorm.weight"])
    shift = draft.constant(f"{output}_shift", weights[f"{prefix}.LayerNorm.bias"])
    inputs = [rows, beside, gain, shift]
    return draft.node("SkipLayerNormalization", inputs, output, domain=_MICROSOFT, epsilon=_EPSILON)


def _serialised(draft: _Draft) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
    shape: list[str | int | None] = [1, "tokens", WIDTH]
    outputs = [
        helper.make_tensor_value_info(f"block{b}", TensorProto.FLOAT, shape) for b in range(BLOCKS + 1)
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in draft.constants.items()]
    graph = helper.make_graph(draft.nodes, "minilm", [ids], outputs, constants)
    versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=_IR, producer_name="equipoise")
    return bytes(model.SerializeToString(deterministic=True))
