"""Encoders that break one law each, and one that breaks none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .space import SPACE


class Letters:
    """Counts of letters, by their number modulo 5, at unit length."""

    space = SPACE

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 5), np.float32)
        for row, text in enumerate(texts):
            rows[row] = self.one(text)
        return rows

    def one(self, text: str) -> np.ndarray:
        counts = np.bincount([ord(letter) % 5 for letter in text], minlength=5).astype(np.float64)
        return (counts / np.linalg.norm(counts)).astype(np.float32)


class DoubleNumbers(Letters):
    def encode(self, texts):
        return super().encode(texts).astype(np.float64 if texts else np.float32)


class NothingForNothing(Letters):
    def encode(self, texts):
        return super().encode(texts) if texts else np.zeros(0, np.float32)


class NoNumber(Letters):
    def one(self, text):
        return super().one(text) if len(text) < 1000 else np.full(5, np.nan, np.float32)


class AnyLength(Letters):
    def one(self, text):
        return super().one(text) * np.float32(1.001)


class PaddedPooling(Letters):
    """Turns each row a little, by how long the longest text of the batch is."""

    def encode(self, texts):
        rows = super().encode(texts)
        if texts:
            rows[:, 0] += 1e-9 * max(map(len, texts)) ** 2
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows
