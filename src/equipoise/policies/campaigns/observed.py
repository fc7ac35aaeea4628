"""What the clicks of a finished test say of its arms' logits: numbers with a normal error.

A test that was played by its own clicks shows its poorer arms seldom, where the empirical logit is biased: one visitor
without a click would count as log(.5 / 1.5), a chance of 25 %. So its clicks are learned as `logits` does, by Laplace's
approximation around what was believed before: with the mode t and p = sigmoid(t) they are worth

    y_i = t_i + (c_i - n_i p_i) / w_i,    variance 1 / w_i,    w_i = n_i p_i (1 - p_i)

which is the empirical logit again where clicks are many (Rasmussen and Williams 2006, sec. 3.4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from equipoise.core import Floats
from equipoise.policies.campaigns.logits import LogitNormal, learned


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Of the k arms of a finished test. covariance: (k, k) of their observed logits, as believed before the test and with
    the noise of its clicks. surprise: (k,) observed less expected."""

    covariance: Floats
    surprise: Floats


def observed(prior: LogitNormal, shown: Floats, clicks: Floats) -> Observed:
    """prior: of k arms. shown, clicks: (k,) counts; every arm was shown."""
    mode = learned(prior, shown, clicks).mean
    chance = expit(mode)
    weight = shown * chance * (1.0 - chance)
    return Observed(
        prior.covariance + np.diag(1.0 / weight), mode + (clicks - shown * chance) / weight - prior.mean
    )
