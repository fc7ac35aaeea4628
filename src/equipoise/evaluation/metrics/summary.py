"""One number a list to a mean with its interval."""

from __future__ import annotations

import numpy as np
from scipy import special

from equipoise.core import Estimate, Floats, InputError


def summary(values: Floats, *, level: float = 0.95) -> Estimate:
    """The mean over the lists that could be judged, with a normal interval; n counts those alone.

    values: (n,), NaN where a list could not be judged. With one list stderr is infinite.
    Raises: InputError: no list could be judged, or a level outside (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level} but must lie between 0 and 1: 0.95 is usual")
    known = values[~np.isnan(values)]
    if not known.size:
        raise InputError(f"none of {values.size} lists could be judged: nothing is relevant in any of them")
    n, value = len(known), float(known.mean())
    stderr = float(known.std(ddof=1) / np.sqrt(n)) if n > 1 else np.inf
    half = float(-special.ndtri((1.0 - level) / 2.0)) * stderr
    return Estimate(value, stderr, value - half, value + half, n, float(n))
