"""Standard normals for posterior draws, taken from a bank that is filled once.

Drawing 20,000 normals costs more than all that a Thompson decision then does with them. The bank holds 2^20; a
decision reads a run of them from a random place, so each decision's draws are standard normal, while two
decisions may share some (common random numbers). What is thrown, and logged, are the frequencies that came
out, so a propensity is exact whichever normals were used.

Draws of shared weights take one of the bank's SIZE // (rows x columns) aligned blocks (128 for 64 x 128), so that what is
computed of a block can be kept. Decisions in one and the same state then have no more than so many sets of
normals between them, and the mean of their odds is that of 8,192 pairs of draws at d = 128, not the limit.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from equipoise.core import Vectors

SIZE = 1 << 20
SEED = 20
MOST = SIZE // 16
"""More than this at once, and the bank would be read over too few places: they are drawn afresh."""


def normals(rng: np.random.Generator, rows: int, columns: int) -> Vectors:
    """Returns: (rows, columns) float32 standard normals, not to be written into."""
    count = rows * columns
    if count > MOST:
        return rng.standard_normal((rows, columns), dtype=np.float32)
    start = int(rng.integers(SIZE - count))
    return _bank()[start : start + count].reshape(rows, columns)


def block(rng: np.random.Generator, count: int) -> int | None:
    """Returns: the number of one of the bank's SIZE // count blocks; None where `count` is more than `MOST`."""
    return None if count > MOST else int(rng.random() * (SIZE // count))


def numbered(block: int, rows: int, columns: int) -> Vectors:
    """Returns: (rows, columns) float32 standard normals, the same ones for a block, not to be written into."""
    count = rows * columns
    return _bank()[block * count : (block + 1) * count].reshape(rows, columns)


def beside(block: int) -> np.random.Generator:
    """A block's own generator, for what else its draws are made of: the same numbers whenever it is asked for."""
    return np.random.Generator(np.random.PCG64((SEED, block)))


def run(key: int, count: int) -> Vectors:
    """Returns: (count,) float32 standard normals that belong to `key`, not to be written into."""
    start = key % (SIZE - count)
    return _bank()[start : start + count]


@lru_cache(maxsize=1)
def _bank() -> Vectors:
    bank = np.random.Generator(np.random.PCG64(SEED)).standard_normal(SIZE, dtype=np.float32)
    bank.flags.writeable = False
    return bank
