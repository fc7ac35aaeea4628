"""What a cascade world is made of, and the tables that its seed gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from equipoise.core import ConfigurationError, Floats

MOST_SLATES = 100_000
REACHES = ("own", "above", "all")


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """contexts, items, slots: c, k, m; the world holds every one of the k^m slates, so keep them few.

    reach: what the chance of a slot's reward depends on beside its own item: nothing (`own`), the items above it
        (`above`: the cascade), or also those below (`all`).
    interaction: how strongly, in logits: the standard deviation of the effect of one item on another.
    repeats: True fills every slot by dice of its own, so that an item may come twice; False draws without
        replacement, as the package's own slates are.
    sharpness: how far logging and target policy differ from uniform, in logits.
    floor: the least probability that either gives an item that is left; above 0 and at most 1 / items.
    """

    contexts: int = 3
    items: int = 5
    slots: int = 3
    reach: Literal["own", "above", "all"] = "above"
    interaction: float = 2.0
    repeats: bool = False
    sharpness: float = 1.0
    floor: float = 0.02

    def __post_init__(self) -> None:
        if min(self.contexts, self.items, self.slots) < 1 or self.items**self.slots > MOST_SLATES:
            raise ConfigurationError(
                f"contexts {self.contexts}, items {self.items}, slots {self.slots} must be 1 or more, with at most "
                f"{MOST_SLATES} slates: items^slots is {self.items**self.slots}"
            )
        if not self.repeats and self.items < self.slots:
            raise ConfigurationError(
                f"{self.slots} slots cannot be filled from {self.items} items without repeats: have more items"
            )
        if self.reach not in REACHES:
            raise ConfigurationError(f"reach is {self.reach!r} but must be one of {', '.join(REACHES)}")
        if not 0.0 < self.floor <= 1.0 / self.items:
            raise ConfigurationError(
                f"floor is {self.floor} but must be above 0 and at most {1 / self.items:g}"
            )


def slates(settings: CascadeSettings) -> Floats:
    """(k^m, m) every slate's item positions, in the order of counting with slot 0 as the first digit."""
    grid = np.indices((settings.items,) * settings.slots)
    return np.asarray(grid.reshape(settings.slots, -1).T)


def conditionals(settings: CascadeSettings, rng: np.random.Generator) -> Floats:
    """(c, k^m, m) a random policy: of each slate the probability of each slot's item given those above.

    One softmax over the items a context, renormalised over what is left unless items repeat.
    """
    logits = rng.normal(0.0, settings.sharpness, (settings.contexts, settings.items))
    odds = np.exp(logits)
    odds /= odds.sum(axis=1, keepdims=True)
    odds = settings.floor + (1.0 - settings.items * settings.floor) * odds
    shown = odds[:, slates(settings)]
    if settings.repeats:
        return np.asarray(shown)
    left = 1.0 - np.concatenate([np.zeros_like(shown[..., :1]), np.cumsum(shown, axis=2)[..., :-1]], axis=2)
    chances = np.divide(shown, left, out=np.zeros_like(shown), where=left > 0.5 * settings.floor)
    return np.asarray(chances * _first_time(settings))


def _first_time(settings: CascadeSettings) -> Floats:
    """(k^m, m) 1 where the item has not stood above, else 0."""
    grid = slates(settings)
    again = np.zeros(grid.shape, dtype=np.bool_)
    for slot in range(1, settings.slots):
        again[:, slot] = (grid[:, :slot] == grid[:, slot : slot + 1]).any(axis=1)
    return np.where(again, 0.0, 1.0)


def chances(settings: CascadeSettings, rng: np.random.Generator) -> Floats:
    """(c, k^m, m) chance of a reward in each slot of each slate, by `reach`.

    The logit is the item's worth in the context, less 0.3 a slot further down, plus the mean effect of the
    items within reach on this one.
    """
    worth = rng.normal(-0.5, 1.0, (settings.contexts, settings.items))
    effect = rng.normal(0.0, settings.interaction, (settings.items, settings.items))
    grid = slates(settings)
    logits = worth[:, grid] - 0.3 * np.arange(settings.slots)
    for slot in range(settings.slots):
        near = _within_reach(settings, slot)
        if near:
            logits[:, :, slot] += effect[grid[:, near], grid[:, slot : slot + 1]].sum(axis=1)
    return np.asarray(expit(logits))


def _within_reach(settings: CascadeSettings, slot: int) -> list[int]:
    last = {"own": 0, "above": slot, "all": settings.slots}[settings.reach]
    return [other for other in range(last) if other != slot]
