"""Lists and wishes at random."""

from __future__ import annotations

import numpy as np

CATALOGUE = [f"i{number}" for number in range(60)]


def journeys(seed: int) -> tuple[list[list[str]], list[dict[str, float]]]:
    """40 lists of 1 to 30 items, and for each 1 to 40 wanted items of grades 1 to 4, listed or not."""
    rng = np.random.default_rng(seed)
    lists = [rng.permutation(CATALOGUE)[: rng.integers(1, 31)].tolist() for _ in range(40)]
    wanted = [
        {
            item: float(rng.integers(1, 5))
            for item in rng.permutation(CATALOGUE)[: rng.integers(1, 41)].tolist()
        }
        for _ in range(40)
    ]
    return lists, wanted
