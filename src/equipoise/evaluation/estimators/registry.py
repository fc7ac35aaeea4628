"""Estimators by name, as the command line and reports know them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from equipoise.core import InputError
from equipoise.evaluation.estimators.leaning import (
    Dm,
    Dr,
    MoreRobustDr,
    OptimisticDr,
    Sndr,
    SubGaussianDr,
    SwitchDr,
)
from equipoise.evaluation.estimators.loggers import BalancedIps
from equipoise.evaluation.estimators.marginal import Mips
from equipoise.evaluation.estimators.paired import WithTerms
from equipoise.evaluation.estimators.replay import Replay
from equipoise.evaluation.estimators.tuning import Tuned
from equipoise.evaluation.estimators.weighting import ClippedIps, Ips, Snips, SubGaussianIps

CEILINGS = (math.inf, 1000.0, 500.0, 200.0, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0)
"""Of weights, least bias first."""

SHRINKAGES = (math.inf, 1e6, 1e5, 1e4, 3e3, 1e3, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
"""Of optimistic shrinkage, in squared weights, least bias first."""

SHARES = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
"""Of harmonic shrinkage, least bias first."""

ESTIMATORS: Mapping[str, Callable[[], WithTerms]] = MappingProxyType(
    {
        "replay": Replay,
        "ips": Ips,
        "clipped_ips": lambda: Tuned(family=lambda at: ClippedIps(ceiling=at), grid=CEILINGS),
        "snips": Snips,
        "dm": Dm,
        "dr": Dr,
        "sndr": Sndr,
        "switch_dr": lambda: Tuned(family=lambda at: SwitchDr(ceiling=at), grid=CEILINGS),
        "dros": lambda: Tuned(family=lambda at: OptimisticDr(shrinkage=at), grid=SHRINKAGES),
        "sg_ips": lambda: Tuned(family=lambda at: SubGaussianIps(shrinkage=at), grid=SHARES),
        "sg_dr": lambda: Tuned(family=lambda at: SubGaussianDr(shrinkage=at), grid=SHARES),
        "mrdr": MoreRobustDr,
        "balanced_ips": BalancedIps,
        "mips": Mips,
    }
)
"""Name to a maker of the estimator in its defaults; the tuned ones choose their parameter by least squared
error.

`dm`, `dr`, `sndr`, `switch_dr`, `dros`, `sg_dr` and `mrdr` need a baseline. `balanced_ips` takes the mixture's
propensities (or is made with `Loggers`), `mips` the pair from `marginalised`.
"""

NEEDS_BASELINE = frozenset({"dm", "dr", "sndr", "switch_dr", "dros", "sg_dr", "mrdr"})


def estimator(name: str) -> WithTerms:
    """The estimator of that name, in its defaults. Raises: InputError: there is none."""
    if name not in ESTIMATORS:
        raise InputError(f"there is no estimator {name!r}: choose one of {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name]()
