"""The laws of an Encoder: texts to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import Encoder
from equipoise.lab.contracts.law import Law, check_all, law, require

TEXTS = (
    "shoes for wet trails",
    "A quiet film about two brothers and a lighthouse.",
    "shoes",
    "Größe 42, naß: ça va? 雨の日の靴",
    "news " * 300,
    "rain jacket, light, packs small",
    "shoes for wet trails!",
)
"""Short and very long, with marks, other alphabets and near doubles."""


@dataclass(frozen=True, slots=True)
class EncoderCase:
    """An encoder and texts for it.

    unit: the space's vectors have length 1. tolerance: how far a row may move with the batch it is encoded in;
    0 asks for equal bits.
    """

    encoder: Encoder
    texts: tuple[str, ...] = TEXTS
    unit: bool = True
    tolerance: float = 1e-6


@law
def an_encoder_gives_one_row_a_text(case: EncoderCase) -> None:
    """encode(texts) is (n, d) float32, d of the encoder's space."""
    rows = case.encoder.encode(case.texts)
    expected = (len(case.texts), case.encoder.space.dim)
    require(
        isinstance(rows, np.ndarray) and rows.shape == expected and rows.dtype == np.float32,
        given=f"{len(case.texts)} texts in {case.encoder.space}",
        seen=f"{getattr(rows, 'shape', type(rows))} {getattr(rows, 'dtype', '')}",
        remedy=f"return a float32 array of shape {expected}",
    )


@law
def no_texts_give_no_rows(case: EncoderCase) -> None:
    """encode([]) is (0, d) float32."""
    rows = case.encoder.encode([])
    require(
        rows.shape == (0, case.encoder.space.dim) and rows.dtype == np.float32,
        given="an empty list",
        seen=f"{rows.shape} {rows.dtype}",
        remedy=f"return np.zeros((0, {case.encoder.space.dim}), np.float32) before the model is asked",
    )


@law
def rows_are_finite(case: EncoderCase) -> None:
    """No vector has NaN or infinity in it."""
    rows = case.encoder.encode(case.texts)
    for text, row in zip(case.texts, rows, strict=False):
        require(
            np.isfinite(row).all(),
            given=f"the text {text[:60]!r}",
            seen=row[~np.isfinite(row)][:3],
            remedy="look for a division by a length or a count of 0",
        )


@law
def rows_have_unit_length(case: EncoderCase) -> None:
    """Every vector has length 1 within 1e-4, where the space says so."""
    if not case.unit:
        return
    for text, row in zip(case.texts, case.encoder.encode(case.texts), strict=False):
        length = float(np.linalg.norm(row.astype(np.float64)))
        require(
            not np.isfinite(length) or abs(length - 1.0) <= 1e-4,
            given=f"the text {text[:60]!r}",
            seen=f"length {length:.6f}",
            remedy="divide each row by its length, after the last projection",
        )


@law
def same_text_same_row(case: EncoderCase) -> None:
    """A text's vector does not depend on the batch that it is encoded in, nor on what was encoded before."""
    together = case.encoder.encode(case.texts)
    reversed_ = case.encoder.encode(case.texts[::-1])[::-1]
    doubled = case.encoder.encode([case.texts[0], *case.texts])[1:]
    alone = np.concatenate([case.encoder.encode([text]) for text in case.texts])
    others = (("in reversed order", reversed_), ("after a double", doubled), ("each alone", alone))
    for how, rows in others:
        moved = np.abs(np.nan_to_num(rows) - np.nan_to_num(together)).max(axis=1)
        worst = int(np.argmax(moved))
        require(
            moved[worst] <= case.tolerance,
            given=f"{case.texts[worst][:60]!r} in a batch of {len(together)} and {how}",
            seen=f"numbers that differ by up to {moved[worst]:.3g}, more than {case.tolerance:g}",
            remedy="mask the padding when pooling, and quantise activations a row at a time (or encode one by one)",
        )


ENCODER_LAWS: tuple[Law[EncoderCase], ...] = (
    an_encoder_gives_one_row_a_text,
    no_texts_give_no_rows,
    rows_are_finite,
    rows_have_unit_length,
    same_text_same_row,
)


def check_encoder(
    encoder: Encoder, texts: Sequence[str] = TEXTS, *, unit: bool = True, tolerance: float = 1e-6
) -> None:
    """Every law of an encoder. Raises: ContractError."""
    check_all(ENCODER_LAWS, EncoderCase(encoder, tuple(texts), unit, tolerance))
