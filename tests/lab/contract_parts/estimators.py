"""Estimators that break one law each, and one that breaks none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.core import (
    Estimate,
    InputError,
    PropensityError,
)


class Ips:
    """Inverse propensity scoring (Horvitz and Thompson 1952)."""

    def estimate(self, rewards, propensities, target, baseline=None):
        if not len(rewards) == len(propensities) == len(target):
            raise InputError("lengths differ")
        self.check(propensities)
        terms = self.weights(propensities, target) * rewards
        return self.reported(terms, target / propensities)

    def check(self, propensities):
        if not np.all(propensities > 0):
            raise PropensityError("a propensity of 0 or less")

    def weights(self, propensities, target):
        return target / propensities

    def reported(self, terms, weights):
        n, value = len(terms), float(terms.mean())
        stderr = float(terms.std(ddof=1) / np.sqrt(n))
        worth = float(weights.sum() ** 2 / (weights**2).sum())
        return Estimate(value, stderr, value - 2 * stderr, value + 2 * stderr, n, worth)


class CountsWrongly(Ips):
    def reported(self, terms, weights):
        found = super().reported(terms, weights)
        return (
            replace(found, value=found.value * len(terms) / (len(terms) - 1)) if weights.std() == 0 else found
        )


class Clips(Ips):
    def weights(self, propensities, target):
        return np.minimum(super().weights(propensities, target), 2.0)


class Upside(Ips):
    def reported(self, terms, weights):
        found = super().reported(terms, weights)
        return replace(found, low=found.high + 1.0)


class AnyPropensity(Ips):
    def check(self, propensities):
        pass

    def weights(self, propensities, target):
        return target / np.maximum(np.nan_to_num(propensities, nan=1.0), 1e-3)

    def reported(self, terms, weights):
        return super().reported(terms, np.where(np.isfinite(weights), weights, 1.0))


class SaysTooSure(Ips):
    def reported(self, terms, weights):
        found = super().reported(terms, weights)
        return replace(found, stderr=found.stderr / 2)


class GoesWithout(Ips):
    """Doubly robust (Dudik et al. 2011), but silent about a reward model that it was not given."""

    leans = "wrong"

    def estimate(self, rewards, propensities, target, baseline=None):
        if baseline is None:
            return super().estimate(rewards, propensities, target)
        if not len(rewards) == len(propensities) == len(target):
            raise InputError("lengths differ")
        self.check(propensities)
        weights = self.weights(propensities, target)
        return self.reported(baseline.expected + weights * (rewards - baseline.shown), weights)
