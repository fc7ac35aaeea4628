"""Everything that players may know before the first visitor: the past tests, and the texts of those to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import ConfigurationError, Floats, Vectors
from equipoise.lab.headlines.baselines import BASELINES, FixedPlayer, Past, forecast
from equipoise.lab.headlines.data import HeadlineTest
from equipoise.lab.headlines.ours import OURS, CampaignPlayer, related_arms
from equipoise.lab.headlines.texts import last_layer
from equipoise.lab.headlines.world import Player
from equipoise.policies import Upcoming

REFERENCES = ("uniform", "oracle")


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """past: the tests to learn from. tests: those to be played. forecasts: of each, the (k,) click rates that ridge
    regression expects. upcoming: what our policy believes of all of them before the first visitor.
    """

    past: Sequence[HeadlineTest]
    tests: Sequence[HeadlineTest]
    forecasts: Sequence[Floats]
    upcoming: Upcoming

    @classmethod
    def of(
        cls, past: Sequence[HeadlineTest], tests: Sequence[HeadlineTest], vectors: Sequence[Vectors]
    ) -> Season:
        """vectors: one (k, d) a test, of all layers; the past tests first."""
        before, after = vectors[: len(past)], vectors[len(past) :]
        told = forecast(Past(past, last_layer(before)), last_layer(after))
        return cls(past, tests, told, related_arms(past, before).upcoming(after))

    def player(self, name: str, *, seeds: int) -> Player:
        """Raises: ConfigurationError: a name that nobody has."""
        if name in OURS:
            return CampaignPlayer(self.upcoming, OURS[name], seeds=seeds)
        if name in BASELINES:
            return BASELINES[name](self.tests, Past(self.past, ()), self.forecasts, seeds)
        if name == "uniform":
            return FixedPlayer([np.full(len(test), 1.0 / len(test)) for test in self.tests], seeds)
        if name == "oracle":
            return FixedPlayer([np.eye(len(test))[np.argmax(test.rates)] for test in self.tests], seeds)
        raise ConfigurationError(f"nobody is called '{name}': choose one of {', '.join(names())}")


def names() -> tuple[str, ...]:
    """Everybody who can play."""
    return (*OURS, *BASELINES, *REFERENCES)
