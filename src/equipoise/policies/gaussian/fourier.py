"""Random Fourier features: a linear regression on them is a smooth, non-linear one on what they were made of.

    phi(x) = a sqrt(2 / D) (cos w_1'x, sin w_1'x, ..., cos w_{D/2}'x, sin w_{D/2}'x),    w_j ~ N(0, I / l_j^2)

With every l_j = l, phi(x)'phi(y) tends to a^2 exp(-|x - y|^2 / (2 l^2)) as D grows: the kernel of a Gaussian process.
Here the l_j are spread evenly in log l over a factor of four around `length`, a mixture of such kernels, because nobody
knows beforehand at which distance two contexts are alike. The frequencies are drawn from a seed of their own, so that
the same settings give the same features for ever.
Reference: Rahimi and Recht 2007, "Random Features for Large-Scale Kernel Machines", Alg. 1.
"""

from __future__ import annotations

import numpy as np

from equipoise.core import Floats
from equipoise.policies.base import Prior

SEED = 5
NARROWEST, WIDEST = 0.4, 1.6
"""The lengths l_j, as shares of `length`."""


class FourierMap:
    """x to (x, phi(x)). dim: d. count: D, even; 0 leaves x alone. length: in units of x. weight: a, phi's norm."""

    def __init__(self, dim: int, *, count: int, length: float, weight: float) -> None:
        rng = np.random.Generator(np.random.PCG64(SEED))
        pairs = count // 2
        lengths = length * np.exp(rng.uniform(np.log(NARROWEST), np.log(WIDEST), pairs))
        self._frequencies: Floats = rng.standard_normal((dim, pairs)) / lengths
        self._scale = weight * np.sqrt(2.0 / count) if count else 0.0
        self.count = count

    def __call__(self, features: Floats) -> Floats:
        """features: (k, d). Returns: (k, d + D)."""
        if not self.count:
            return features
        angles = features @ self._frequencies
        waves = [self._scale * np.cos(angles), self._scale * np.sin(angles)]
        return np.concatenate([features, *waves], axis=1)

    def widened(self, prior: Prior, *, precision: float) -> Prior:
        """A prior of the d weights, with mean 0 and `precision` for phi's."""
        flat = np.zeros(self.count), np.full(self.count, float(precision))
        return Prior(np.append(prior.mean, flat[0]), np.append(prior.precision, flat[1]))
