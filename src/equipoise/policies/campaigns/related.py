"""What the arms of past tests say of new ones whose texts are like theirs: a Gaussian process over all arms.

    logit of arm i in test u = mu + level_u + f(x_i) + own_i
    level_u ~ N(0, level),    f_u ~ GP(0, text exp(-|x - x'| - |u - u'| / fade)),    own_i ~ N(0, own)

x is the arm's features: a row of several parts, such as the layers of an encoder, each brought to length 1 and
divided by its typical distance, so that |x - x'| is about 1 for two arms that have nothing to do with each other.
The exponential kernel (Matern 1/2) is rough: it lets near texts be very alike and still lets each arm differ a
little from all others. What a text is worth drifts, so that older tests count for less. A past arm tells its logit
with the variance of counted clicks,

    y_i = log((c_i + 1/2) / (n_i - c_i + 1/2)),    variance 1 / (c_i + 1/2) + 1 / (n_i - c_i + 1/2)

(the empirical logit: Haldane 1955; Cox 1970), about 1 / clicks where clicks are rare. For the arms of a new test the
process gives a joint normal belief about their logits. Reference: Rasmussen and Williams 2006, eqs 2.25 and 2.26;
the test's level is the random intercept of a mixed model. What a finished test adds: `observed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import logit

from equipoise.core import ConfigurationError, FeatureSpace, Floats, InputError, Vectors
from equipoise.policies.campaigns.likeness import likeness, placed, typical_distances
from equipoise.policies.campaigns.logits import LogitNormal
from equipoise.policies.campaigns.observed import Observed, observed
from equipoise.policies.campaigns.programme import Upcoming
from equipoise.policies.ranges import require


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedSettings:
    """Variances in squared logits, each of one normal effect.

    text: of what an arm's features say. own: of what they cannot say. level: of a test as a whole. fade: after how many
    tests what a text is worth has changed to 1/e; inf for never. parts: of how many equally wide parts the
    features are made. chance: expected before any past test, in (0, 1).
    """

    text: float = 0.13
    own: float = 0.06
    level: float = 0.32
    fade: float = 2_500.0
    parts: int = 1
    chance: float = 0.01

    def __post_init__(self) -> None:
        require("text", self.text, 0.0)
        require("own", self.own, 0.0, above=True)
        require("level", self.level, 0.0)
        require("fade", self.fade, 0.0, above=True)
        require("parts", self.parts, 1)
        require("chance", self.chance, 1e-6, 1.0 - 1e-6)


@dataclass(frozen=True, slots=True, eq=False)
class PastTest:
    """A finished test. features: (k, d). shown: (k,) visitors of each arm. clicks: (k,) of them, at most `shown`."""

    features: Vectors
    shown: Floats
    clicks: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the past tests told.

    positions: (n, d) of their arms. numbers: (n,) which test each belongs to. root: (n, n) lower, the Cholesky factor
    of the logits' covariance. weights: (n,) covariance^-1 (logits - mean).
    """

    positions: Floats
    numbers: Floats
    weights: Floats
    root: Floats
    mean: float


@dataclass(frozen=True, slots=True, eq=False)
class RelatedArms:
    """The belief about the arms of any new test; see the module. Made by `RelatedArms.of`.

    scales: (parts,) the typical distance within each part.
    """

    space: FeatureSpace
    settings: RelatedSettings
    scales: Floats
    evidence: Evidence | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        space: FeatureSpace,
        past: Sequence[PastTest] = (),
        *,
        settings: RelatedSettings | None = None,
    ) -> RelatedArms:
        """Learn from past tests: n arms cost n^3 / 3 operations and n^2 numbers; 5,000 take a few seconds and 200 MB.

        Raises: ConfigurationError: the features do not fall into that many parts. InputError: a test's shapes or
            counts are wrong.
        """
        chosen = settings or RelatedSettings()
        if space.dim % chosen.parts:
            raise ConfigurationError(
                f"{space.dim} features do not fall into {chosen.parts} equal parts: set 'parts' to a divisor"
            )
        for number, test in enumerate(past):
            _check(test, number, space.dim)
        if not past:
            return cls(space, chosen, np.ones(chosen.parts))
        features = np.concatenate([test.features for test in past]).astype(np.float64)
        scales = typical_distances(features, chosen.parts)
        return cls(space, chosen, scales, _learned(past, placed(features, scales), chosen))

    def with_test(self, test: PastTest) -> RelatedArms:
        """The belief once this test, played after all others, is over too; its arms may have been shown unevenly.

        Mean logit and typical distances stay what they were, unless this is the first test. k arms cost O(n^2 k)
        operations. Arms never shown tell nothing, and a test without visitors does not count as one.
        Raises: InputError: the test's shapes or counts are wrong.
        """
        _check(test, 0 if self.evidence is None else int(self.evidence.numbers[-1]) + 1, self.space.dim)
        seen = test.shown > 0.0
        if not seen.any():
            return self
        features = test.features[seen].astype(np.float64)
        known = self if self.evidence else replace(self, scales=typical_distances(features, len(self.scales)))
        positions = placed(features, known.scales)
        mean, told = known._told(positions, np.zeros(len(positions)))
        prior = LogitNormal(mean, known._covariance(positions, told))
        found = observed(prior, test.shown[seen], test.clicks[seen])
        return replace(known, evidence=_extended(known._before(), positions, told, found))

    def _before(self) -> Evidence:
        if self.evidence is not None:
            return self.evidence
        nobody = np.zeros(0)
        return Evidence(
            np.zeros((0, self.space.dim)),
            nobody,
            nobody,
            np.zeros((0, 0)),
            float(logit(self.settings.chance)),
        )

    def prior(self, features: Vectors, *, later: int = 0) -> LogitNormal:
        """The joint belief about one new test's arms. features: (k, d). later: how many tests lie between."""
        return self.priors([features], later=later)[0]

    def priors(self, features: Sequence[Vectors], *, later: int = 0) -> list[LogitNormal]:
        """The same for several tests that follow each other. features: (k, d) a test. later: of the first."""
        whole = placed(np.concatenate(features).astype(np.float64), self.scales)
        sizes = [len(rows) for rows in features]
        edges = np.cumsum(sizes)[:-1]
        mean, told = self._told(whole, later + np.repeat(np.arange(len(sizes), dtype=np.float64), sizes))
        return [
            LogitNormal(centre, self._covariance(rows, across))
            for centre, rows, across in zip(
                np.split(mean, edges), np.split(whole, edges), np.split(told, edges, axis=1), strict=True
            )
        ]

    def upcoming(self, features: Sequence[Vectors]) -> Upcoming:
        """The joint belief about all arms of several tests that follow each other, for a `Programme`.

        features: (k, d) a test; N arms in all take N^2 numbers.
        """
        positions = placed(np.concatenate(features).astype(np.float64), self.scales)
        sizes = [len(rows) for rows in features]
        ages = np.repeat(np.arange(len(sizes), dtype=np.float64), sizes)
        mean, told = self._told(positions, ages)
        apart = np.abs(ages[:, np.newaxis] - ages) / self.settings.fade
        covariance = self.settings.text * likeness(positions, positions, apart) - told.T @ told
        edges = (0, *np.cumsum(sizes).tolist())
        return Upcoming(edges, mean, covariance, self.settings.level, self.settings.own)

    def _told(self, positions: Floats, ages: Floats) -> tuple[Floats, Floats]:
        """(k,) means, and (n, k) of which the squares are what the past arms take off the variance.

        ages: (k,) tests since the last past one.
        """
        seen = self.evidence
        if seen is None:
            return np.full(len(positions), float(logit(self.settings.chance))), np.zeros((0, len(positions)))
        since = (seen.numbers[-1] + 1.0 - seen.numbers)[:, np.newaxis] + ages
        across = self.settings.text * likeness(seen.positions, positions, since / self.settings.fade)
        mean = seen.mean + across.T @ seen.weights
        return mean, solve_triangular(seen.root, across, lower=True, check_finite=False)

    def _covariance(self, positions: Floats, told: Floats) -> Floats:
        own = self.settings.own * np.eye(len(positions))
        text = self.settings.text * likeness(positions, positions) - told.T @ told
        return np.asarray(text + own + self.settings.level)


def _learned(past: Sequence[PastTest], positions: Floats, settings: RelatedSettings) -> Evidence:
    good = np.concatenate([test.clicks for test in past]) + 0.5
    bad = np.concatenate([test.shown - test.clicks for test in past]) + 0.5
    logits = np.log(good / bad)
    sizes = [len(test.shown) for test in past]
    numbers = np.repeat(np.arange(len(past), dtype=np.float64), sizes)
    apart = np.abs(numbers[:, np.newaxis] - numbers) / settings.fade
    covariance = settings.text * likeness(positions, positions, apart)
    _add_levels(covariance, sizes, settings.level)
    covariance[np.diag_indices_from(covariance)] += settings.own + 1.0 / good + 1.0 / bad
    root = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
    mean = float(logits.mean())
    return Evidence(
        positions, numbers, cho_solve((root, True), logits - mean, check_finite=False), root, mean
    )


def _extended(seen: Evidence, positions: Floats, told: Floats, found: Observed) -> Evidence:
    """k more arms by block elimination. told: (n, k) root^-1 of their covariance with the n others."""
    n, k = told.shape
    root = np.zeros((n + k, n + k))
    root[:n, :n] = seen.root
    root[n:, :n] = told.T
    root[n:, n:] = cholesky(found.covariance, lower=True, check_finite=False)
    fresh = cho_solve((root[n:, n:], True), found.surprise, check_finite=False)
    back = (
        solve_triangular(seen.root, told @ fresh, lower=True, trans="T", check_finite=False)
        if n
        else fresh[:0]
    )
    number = seen.numbers[-1] + 1.0 if n else 0.0
    return Evidence(
        np.concatenate([seen.positions, positions]),
        np.append(seen.numbers, np.full(k, number)),
        np.append(seen.weights - back, fresh),
        root,
        seen.mean,
    )


def _add_levels(covariance: Floats, sizes: Sequence[int], level: float) -> None:
    start = 0
    for size in sizes:
        covariance[start : start + size, start : start + size] += level
        start += size


def _check(test: PastTest, number: int, dim: int) -> None:
    k = len(test.features)
    if test.features.shape != (k, dim) or test.shown.shape != (k,) or test.clicks.shape != (k,):
        raise InputError(
            f"past test {number} has features {test.features.shape}, shown {test.shown.shape} and clicks"
            f" {test.clicks.shape}: expected (k, {dim}), (k,) and (k,)"
        )
    if not (np.isfinite(test.features).all() and np.all((test.clicks >= 0.0) & (test.clicks <= test.shown))):
        raise InputError(
            f"past test {number} has clicks outside 0 to shown, or features that are not finite: leave it out"
        )
