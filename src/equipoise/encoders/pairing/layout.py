"""Which column of a feature row means what, and what is believed of its weight before any feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from equipoise.core import ConfigurationError, Floats

MAX_DIM = 128


@dataclass(frozen=True, slots=True)
class PairingSettings:
    """How many columns each learned part gets; together with the 20 fixed ones at most 128.

    item: dimensions of the projected item. product: dimensions of the request-item product.
    attributes: columns of item attributes. crosses: hashed request x item attribute columns.
    request: hashed columns of the request's own attributes (they separate arms, not items).
    """

    item: int = 24
    product: int = 24
    attributes: int = 32
    crosses: int = 16
    request: int = 8


@dataclass(frozen=True, slots=True)
class Block:
    """A run of columns of one meaning.

    mean, precision: the prior of each weight, in rewards and in noise units. relative: the mean counts in expected
    rewards, so that likeness moves a shop of 2 % clicks and a cinema of 50 % likes by the same share.
    """

    name: str
    columns: tuple[str, ...]
    mean: float = 0.0
    precision: float = 20.0
    relative: bool = False


FIXED = (
    Block("bias", ("1",), precision=5.0),
    Block("level", ("overall",), mean=1.0, precision=100.0),
    Block("item so far", ("item_mean",), mean=1.0),
    Block("item so far x shows", ("item_log_shows", "item_mean_x_log_shows")),
    Block("company", ("item_company",)),
    Block("asked for", ("item_log_asked_squared", "item_log_asked_lately")),
    Block("user so far", ("user_mean",), mean=0.5),
    Block("user so far x item", ("user_log_shows", "user_mean_x_item_mean")),
    Block("age", ("age_log", "age_month", "age_years", "age_linear")),
    Block("taste", ("taste",), mean=1.0),
    Block("taste x certainty", ("taste_certain",)),
    Block("asked for x user", ("user_x_item_log_asked",)),
    Block("similar to request", ("request_similarity",), mean=2.0, relative=True),
    Block("similar to history", ("history_similarity",), mean=0.5, relative=True),
)


def _place(first: str, last: str) -> slice:
    """The columns from the block `first` to the block `last`, both included, among the fixed ones."""
    names = [block.name for block in FIXED for _ in block.columns]
    return slice(names.index(first), len(names) - names[::-1].index(last))


AGE = _place("age", "age")
TASTE = _place("taste", "taste x certainty")
DEMAND = _place("asked for x user", "asked for x user")
SIMILAR = _place("similar to request", "similar to history")


class Layout:
    """The columns of a feature row, in blocks.

    Raises: ConfigurationError: a block of negative size, or more than 128 columns.
    """

    def __init__(self, settings: PairingSettings) -> None:
        sizes = {
            "item text": (settings.item, 100.0 / max(1, settings.item)),
            "request x item text": (settings.product, 60.0),
            "item attributes": (settings.attributes, 20.0),
            "request x item attributes": (settings.crosses, 20.0),
            "request attributes": (settings.request, 20.0),
        }
        for name, (size, _) in sizes.items():
            if size < 0:
                raise ConfigurationError(f"the pairing block '{name}' got {size} columns: 0 or more")
        learned = tuple(
            Block(name, tuple(f"{name} {j}" for j in range(size)), precision=precision)
            for name, (size, precision) in sizes.items()
        )
        self.blocks = FIXED + learned
        if self.dim > MAX_DIM:
            raise ConfigurationError(
                f"the pairing has {self.dim} columns, at most {MAX_DIM} are allowed: make item, product, "
                f"attributes, crosses or request smaller in [pairing]"
            )

    @cached_property
    def dim(self) -> int:
        """d, the width of a feature row."""
        return sum(len(block.columns) for block in self.blocks)

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """Block name to its columns."""
        edges = np.cumsum([0, *(len(block.columns) for block in self.blocks)]).tolist()
        return {block.name: slice(edges[i], edges[i + 1]) for i, block in enumerate(self.blocks)}

    def prior_mean(self, expected_reward: float) -> Floats:
        """(d,) what each weight is believed to be on day one: a sensible recommender without any feedback."""
        means = [block.mean * (expected_reward if block.relative else 1.0) for block in self.blocks]
        return np.repeat(means, [len(block.columns) for block in self.blocks])

    @cached_property
    def prior_precision(self) -> Floats:
        """(d,) how firmly, in units of one observation's noise."""
        return np.concatenate([np.full(len(block.columns), block.precision) for block in self.blocks])
