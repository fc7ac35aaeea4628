"""What rows said that were never learned one by one: a normal likelihood of the weights, taken in at once.

    P <- P + E,    h <- h + g,    mean = P^-1 h,    E (d, d) and g (d,) in units of the noise

as n rows would have left them with E = sum w x x' and g = sum w x r (Bayes' rule for normals), for posteriors whose
weights are shared by all items. What the rows said of the noise, of single items and of users is not in it.
"""

from __future__ import annotations

import numpy as np

from equipoise.core import ConfigurationError, Floats, State
from equipoise.policies.base import Posterior
from equipoise.policies.posteriors.beta import BetaPosterior
from equipoise.policies.posteriors.kernel import KernelPosterior
from equipoise.policies.posteriors.linear import LinearPosterior
from equipoise.policies.posteriors.mixed import MixedPosterior
from equipoise.policies.stored import under, within
from equipoise.policies.weights import rows_state, rows_stored


def take_in(posterior: Posterior, precision: Floats, information: Floats, *, rows: float) -> None:
    """precision: E, positive semidefinite. information: g. rows: how many rows they stand for.

    Raises: ConfigurationError: a posterior whose items do not share weights in units of reward, such as `arms` and
        `logistic`, or of another width.
    """
    state = posterior.state()
    if isinstance(posterior, LinearPosterior | MixedPosterior | KernelPosterior):
        learned = _learned(state, precision, information, rows)
    elif isinstance(posterior, BetaPosterior):
        text = _learned(within("text", state), precision, information, rows)
        learned = {**state, **under("text", text), "rows": _more(state, rows)}
    else:
        raise ConfigurationError(
            f"a {type(posterior).__name__} cannot take in what rows said of weights that all items share: take posterior"
            " 'mixed', 'linear', 'kernel' or 'beta', or let it learn the rows themselves"
        )
    posterior.restore(learned)


def _learned(state: State, precision: Floats, information: Floats, rows: float) -> State:
    mean = state["mean"]
    if precision.shape != (len(mean), len(mean)) or information.shape != mean.shape:
        raise ConfigurationError(
            f"what rows said has shape {precision.shape} but the posterior's shared weights are {len(mean)}: learn the"
            " rows themselves"
        )
    if "covariance" in state:
        lower = np.tril(state["covariance"])
        before = np.linalg.inv(lower + np.tril(lower, -1).T)
        after = before + precision
        found = np.linalg.solve(after, before @ mean + information)
        learned: State = {"mean": found, "covariance": np.tril(np.linalg.inv(after))}
    else:
        after, both = state["precision"] + precision, state["information"] + information
        learned = {"mean": np.linalg.solve(after, both), "precision": after, "information": both}
    return {**state, **learned, "rows": _more(state, rows)}


def _more(state: State, rows: float) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    learned, surplus = rows_stored(state)
    return rows_state(learned, surplus + rows)
