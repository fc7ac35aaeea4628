"""Free attributes of items and requests as a few numeric columns: scaled, one-hot, or hashed.

Hashing: Weinberger et al. 2009, with signed buckets; the hash is CRC-32, the same on every machine.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.core import Floats, State, Vectors

HASHED = 8
CLIP = 3.0
LARGEST = float(np.finfo(np.float32).max)


def tokens(attributes: Mapping[str, Any]) -> Iterator[str]:
    """`name=value` of every attribute that is not a number; a list gives one token a value."""
    for name, value in attributes.items():
        if isinstance(value, (tuple, list)):
            yield from (f"{name}={entry}" for entry in value)
        elif isinstance(value, (bool, str)):
            yield f"{name}={value}"


def numbers(attributes: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Name and value of every numeric attribute; NaN, infinity and what float32 cannot hold count as missing."""
    for name, value in attributes.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST:
            yield name, float(value)


def bucket(token: str, size: int) -> tuple[int, float]:
    """A column below `size`, and a sign, that depend on the token alone."""
    code = zlib.crc32(token.encode())
    return (code >> 1) % size, 1.0 if code & 1 else -1.0


class AttributeCode:
    """Item attributes to (k, size) columns, fitted once on a catalogue.

    Numbers come first, scaled to mean 0 and deviation 1 and clipped to 3; then the most frequent values get a
    column each; where not all fit, the last 8 columns take the rest, hashed. An item's values together have
    length 1, so that a film with six genres weighs no more than one with one.
    """

    def __init__(self, size: int, numeric: Mapping[str, tuple[float, float]], values: Sequence[str]) -> None:
        self.size = size
        self.numeric = dict(numeric)
        self.values = {value: len(self.numeric) + j for j, value in enumerate(values)}
        self._hashed = size - len(self.numeric) - len(self.values)

    @classmethod
    def fit(cls, catalogue: Sequence[Mapping[str, Any]], size: int) -> AttributeCode:
        """Choose the columns. At most half of them go to numbers."""
        counts: Counter[str] = Counter()
        seen: dict[str, list[float]] = {}
        for attributes in catalogue:
            counts.update(set(tokens(attributes)))
            for name, value in numbers(attributes):
                seen.setdefault(name, []).append(value)
        ranked = sorted(seen, key=lambda name: (-len(seen[name]), name))[: size // 2]
        numeric = {name: _scale(seen[name]) for name in ranked}
        room = size - len(numeric)
        if len(counts) > room:
            room = max(0, room - HASHED)
        values = [
            value for value, _ in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:room]
        ]
        return cls(size, numeric, values)

    @property
    def names(self) -> tuple[str, ...]:
        """(size,) what each column stands for, in words."""
        known = [*self.numeric, *self.values]
        return tuple(known + [f"other {j}" for j in range(self.size - len(known))])

    def encode(self, catalogue: Sequence[Mapping[str, Any]]) -> Vectors:
        """Returns: (k, size) float32."""
        out = np.zeros((len(catalogue), self.size), dtype=np.float32)
        for row, attributes in zip(out, catalogue, strict=True):
            self._numbers(row, attributes)
            self._values(row, attributes)
        return out

    def _numbers(self, row: Vectors, attributes: Mapping[str, Any]) -> None:
        known = dict(numbers(attributes))
        for column, (name, (mean, deviation)) in enumerate(self.numeric.items()):
            if name in known:
                row[column] = min(CLIP, max(-CLIP, (known[name] - mean) / deviation))

    def _values(self, row: Vectors, attributes: Mapping[str, Any]) -> None:
        found = dict.fromkeys(tokens(attributes))
        for token in found:
            column, weight = self.values.get(token, -1), 1.0
            if column < 0 and self._hashed > 0:
                offset, weight = bucket(token, self._hashed)
                column = self.size - self._hashed + offset
            if column >= 0:
                row[column] += weight / float(np.sqrt(len(found)))

    def state(self) -> State:
        return {
            "attributes.size": np.array(self.size),
            "attributes.numeric": np.array(list(self.numeric), dtype=np.str_),
            "attributes.scale": np.array(list(self.numeric.values()), dtype=np.float64).reshape(-1, 2),
            "attributes.values": np.array(list(self.values), dtype=np.str_),
        }

    @classmethod
    def restored(cls, state: State) -> AttributeCode:
        scale = [(float(mean), float(deviation)) for mean, deviation in state["attributes.scale"]]
        numeric = dict(zip(state["attributes.numeric"].tolist(), scale, strict=True))
        return cls(int(state["attributes.size"]), numeric, state["attributes.values"].tolist())


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """Mean and deviation; a deviation that only rounding made, such as of three times 0.1, counts as none: 1."""
    mean, deviation = float(np.mean(values)), float(np.std(values))
    return mean, deviation if deviation > 1e-9 * abs(mean) else 1.0


def request_columns(attributes: Mapping[str, Any], size: int) -> Floats:
    """A request's own attributes, hashed to (size,); numbers enter as signed log(1 + |x|)."""
    out = np.zeros(size)
    if size:
        for token in tokens(attributes):
            column, sign = bucket(f"request {token}", size)
            out[column] += sign
        for name, value in numbers(attributes):
            column, sign = bucket(f"request {name}", size)
            out[column] += sign * float(np.sign(value) * np.log1p(abs(value)))
    return out


def cross_matrix(attributes: Mapping[str, Any], rows: int, size: int) -> Vectors:
    """(rows, size) matrix that turns an item's `rows` columns into hashed crosses with this request's attributes.

    Every attribute of the request, numbers included, counts as a value: `hour=21` crosses as such.
    """
    out = np.zeros((rows, size), dtype=np.float32)
    asked = list(tokens(attributes)) + [f"{name}={value:g}" for name, value in numbers(attributes)]
    if not asked or not size:
        return out
    scale = 1.0 / float(np.sqrt(len(asked)))
    for token in asked:
        for row in range(rows):
            column, sign = bucket(f"{token} x {row}", size)
            out[row, column] += sign * scale
    return out
