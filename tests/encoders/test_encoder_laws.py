"""Every encoder keeps the encoders' contract, equal bits whatever the batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.core import Encoder, InputError
from equipoise.encoders import (
    CachedEncoder,
    HashingEncoder,
    NumericEncoder,
    TransformerEncoder,
    open_directory,
    open_minilm,
)
from equipoise.lab.contracts import EncoderCase, laws

KINDS = ("minilm", "layers", "shipped", "hashing", "numeric", "directory", "cached")
NUMBERS = ("[1.0, 2.0]", "[0.0, 0.0]", "[-3.5, 1e30]")


@pytest.fixture(scope="session")
def opened(minilm: TransformerEncoder, cache: Path) -> dict[str, Encoder]:
    return {
        "minilm": minilm,
        "layers": open_minilm(cache=cache, layers=(0, 3, 6), threads=2),
        "shipped": open_minilm(cache=cache, compact=False, threads=2),
        "hashing": HashingEncoder(),
        "cached": CachedEncoder(minilm, cache / "vectors", recent=3),
    }


@pytest.fixture(params=KINDS)
def case(request: Any, opened: dict[str, Encoder], tiny: Callable[..., Path]) -> EncoderCase:
    if request.param == "numeric":
        return EncoderCase(NumericEncoder(("a", "b")), texts=NUMBERS, unit=NumericEncoder.unit, tolerance=0)
    encoder = open_directory(tiny()) if request.param == "directory" else opened[request.param]
    return EncoderCase(encoder, tolerance=0)


@pytest.mark.parametrize("law", laws("encoder"), ids=str)
def test_contract(law: Any, case: EncoderCase) -> None:
    law(case)


@pytest.mark.parametrize("kind", ["minilm", "layers", "hashing", "cached"])
def test_hard_texts_have_finite_unit_rows(kind: str, opened: dict[str, Encoder]) -> None:
    texts = ["", " \n\t", "\x00", "\ud800", "🙂" * 50, "a" * 5_000, "word " * 200_000, "[SEP] [PAD]", "…"]
    rows = opened[kind].encode(texts)
    assert rows.shape == (len(texts), opened[kind].space.dim)
    assert np.linalg.norm(rows.astype(np.float64), axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-6)


@pytest.mark.parametrize("kind", ["minilm", "hashing", "cached"])
def test_what_is_no_list_of_texts_is_refused(kind: str, opened: dict[str, Encoder]) -> None:
    with pytest.raises(InputError, match=r"single text 'shoes'.*\[text\]"):
        opened[kind].encode("shoes")
    with pytest.raises(InputError, match=r"text 1 is 3\.5 \(float\), expected a string"):
        opened[kind].encode(["shoes", 3.5])  # type: ignore[list-item]
