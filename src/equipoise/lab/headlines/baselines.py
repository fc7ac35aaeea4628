"""What a newsroom could do without our policy: by clicks alone, by the text alone, and by both as a Beta prior.

Each headline has a Beta(w m, w (1 - m)) belief: m is the mean click rate of the past, or a ridge regression's forecast
from the headline's text; w is what that is worth in visitors. It is played by its mean (greedy) or by Thompson sampling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.core import Floats, Vectors
from equipoise.lab.headlines.data import HeadlineTest
from equipoise.lab.headlines.world import Stream

DRAWS = 20
"""Posterior draws a batch, one a visitor; their winners' frequencies are the odds, which averages to Thompson's own."""

PENALTY = 300.0
"""Of the ridge regression, on within-test centred logits weighted by their precision; of 3 to 1,000 chosen on the
training tests alone: learned on the first 820, played on the other 409."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """The training tests and their texts. vectors: one (k, d) a test, of the encoder's last layer."""

    tests: Sequence[HeadlineTest]
    vectors: Sequence[Vectors]

    @property
    def rate(self) -> float:
        """Mean click rate over all visitors, kept above 0."""
        clicks = sum(float(test.clicks.sum()) for test in self.tests)
        seen = sum(float(test.impressions.sum()) for test in self.tests)
        return (clicks + 0.5) / (seen + 1.0)


def forecast(past: Past, vectors: Sequence[Vectors]) -> list[Floats]:
    """For each test in `vectors` (k, d), the (k,) click rates that a ridge regression expects.

    It regresses the logit less its test's mean on the vector less its test's mean, so that it learns what
    makes one headline better than another about the same story.
    """
    slopes = ridge(past, penalty=PENALTY)
    base = np.log(past.rate / (1.0 - past.rate))
    return [1.0 / (1.0 + np.exp(-base - _centred(rows.astype(np.float64)) @ slopes)) for rows in vectors]


def ridge(past: Past, *, penalty: float) -> Floats:
    """(d,) slopes of the centred logits."""
    features = np.concatenate([_centred(rows.astype(np.float64)) for rows in past.vectors])
    logits, precision = zip(*(_logits(test) for test in past.tests), strict=True)
    weighted = features * np.concatenate(precision)[:, np.newaxis]
    gram = weighted.T @ features + penalty * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(gram, weighted.T @ np.concatenate(logits)))


def _centred(rows: Floats) -> Floats:
    return np.asarray(rows - rows.mean(axis=0))


def _logits(test: HeadlineTest) -> tuple[Floats, Floats]:
    """(k,) logits less their mean, and their precision: half a click is added on both sides (Haldane 1955)."""
    good, bad = test.clicks + 0.5, test.impressions - test.clicks + 0.5
    return _centred(np.log(good / bad)), np.asarray(good * bad / (good + bad))


class BetaStream:
    """One test under Beta beliefs."""

    def __init__(self, means: Floats, *, worth: float, seeds: int, rng: np.random.Generator | None) -> None:
        self._good = np.tile(worth * means, (seeds, 1))
        self._bad = np.tile(worth * (1.0 - means), (seeds, 1))
        self._rng = rng

    def odds(self) -> Floats:
        if self._rng is None:
            return _winners(self._good / (self._good + self._bad))
        seeds, k = self._good.shape
        drawn = self._rng.beta(self._good, self._bad, size=(DRAWS, seeds, k))
        return np.asarray(_winners(drawn).mean(axis=0))

    def learn(self, shown: Floats, clicks: Floats) -> None:
        self._good += clicks
        self._bad += shown - clicks


def _winners(scores: Floats) -> Floats:
    """(..., k) all the odds on the best, shared where several are."""
    best = scores == scores.max(axis=-1, keepdims=True)
    return np.asarray(best / best.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class BetaPlayer:
    """means: one (k,) prior mean a test to be played. worth: of that prior, in visitors."""

    means: Sequence[Floats]
    worth: float
    seeds: int
    thompson: bool

    def open(self, test: int, *, visitors: int) -> Stream:
        rng = np.random.default_rng([test, visitors]) if self.thompson else None
        return BetaStream(self.means[test], worth=self.worth, seeds=self.seeds, rng=rng)

    def close(self, test: int, shown: Floats, clicks: Floats) -> None:
        """Nothing is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class FixedPlayer:
    """The same odds from first to last. odds: one (k,) a test."""

    fixed: Sequence[Floats]
    seeds: int

    def open(self, test: int, *, visitors: int) -> Stream:
        return FixedStream(np.tile(self.fixed[test], (self.seeds, 1)))

    def close(self, test: int, shown: Floats, clicks: Floats) -> None:
        """Nothing is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class FixedStream:
    """Satisfies `Stream`."""

    fixed: Floats

    def odds(self) -> Floats:
        return self.fixed

    def learn(self, shown: Floats, clicks: Floats) -> None:
        """Nothing is learned."""


Maker = Callable[[Sequence[HeadlineTest], Past, Sequence[Floats], int], BetaPlayer | FixedPlayer]
"""From the tests to be played, the past, the text's forecasts (k,) of each test, and the number of seeds."""


def _beta(worth: float, *, text: bool, thompson: bool) -> Maker:
    def make(tests: Sequence[HeadlineTest], past: Past, told: Sequence[Floats], seeds: int) -> BetaPlayer:
        means = told if text else [np.full(len(test), past.rate) for test in tests]
        return BetaPlayer(means, worth, seeds, thompson)

    return make


def _plain_thompson(
    tests: Sequence[HeadlineTest], past: Past, told: Sequence[Floats], seeds: int
) -> BetaPlayer | FixedPlayer:
    """A prior worth one click."""
    return _beta(1.0 / past.rate, text=False, thompson=True)(tests, past, told, seeds)


def _best_text(tests: Sequence[HeadlineTest], past: Past, told: Sequence[Floats], seeds: int) -> FixedPlayer:
    return FixedPlayer([_winners(rates) for rates in told], seeds)


BASELINES: dict[str, Maker] = {
    "beta_thompson": _plain_thompson,
    "text": _best_text,
    "text_1000": _beta(1000.0, text=True, thompson=False),
    "text_300": _beta(300.0, text=True, thompson=False),
    "text_300_thompson": _beta(300.0, text=True, thompson=True),
}
"""By name: clicks alone; the text alone; the text as a prior of so many visitors, by its mean or by Thompson."""
