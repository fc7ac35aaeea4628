"""Straight or bent: two posteriors for each arm, each believed as far as its forecasts have come true.

One is a linear regression an arm, the other the same with random Fourier features (see `arms`). A line learns from
few rows and cannot bend; waves bend and cost rows where there is nothing to find. Nobody knows beforehand which of the
two a set of contexts wants, and the rows tell. With w_m the probability of model m and p_m(r) its density of the
reward that came, forecast before the row was learned,

    w_m <- w_m p_m(r) / sum_n w_n p_n(r),    then    w_m <- (1 - alpha) w_m + alpha / 2

The first is Bayes' rule (model averaging: Hoeting et al. 1999), and holds whoever chose the arm, since a choice
depends on the context and on earlier rewards alone. The second, with a small alpha, lets a model that comes out best
later take over soon (fixed share: Herbster and Warmuth 1998). A belief is the mixture: of means, of variances with what
lies between the means (the law of total variance), and a draw is one of the models' draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from equipoise.core import Batch, Candidates, FeatureSpace, Floats, State, Vectors
from equipoise.policies.base import Belief, Prior, dice
from equipoise.policies.posteriors.arms import ArmsSettings, PerArmPosterior
from equipoise.policies.ranges import require
from equipoise.policies.stored import stored, under, within
from equipoise.policies.weights import copies, heavy, refuse_heavy, weights_of

LEAST = 1e-300
"""No model is given up for ever, not even where nothing is ever switched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragedSettings(ArmsSettings):
    """Those of `ArmsSettings`, the Fourier features being those of the model that has them.

    switching: alpha, in [0, 1): how likely it is at each row that another model is the right one from here on.
    """

    precision: float = 3.0
    fourier: int = 256
    switching: float = 0.001

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is made anew, and super() here would mean the one before.
        ArmsSettings.__post_init__(self)
        require("switching", self.switching, 0.0, 1.0)


class AveragedPosterior:
    """A line and waves for each item_id, averaged by how well each has forecast."""

    def __init__(
        self, space: FeatureSpace, *, settings: AveragedSettings | None = None, prior: Prior | None = None
    ) -> None:
        chosen = settings or AveragedSettings()
        self._models = tuple(
            PerArmPosterior(space, settings=each, prior=prior)
            for each in (replace(chosen, fourier=0), chosen)
        )
        self._switching = chosen.switching
        self._odds: Floats = np.full(len(self._models), 1.0 / len(self._models))

    @property
    def space(self) -> FeatureSpace:
        return self._models[0].space

    @property
    def odds(self) -> Floats:
        """(2,) probability of the line and of the waves."""
        return self._odds.copy()

    def believe(
        self,
        candidates: Candidates,
        *,
        draws: int = 0,
        spread: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Belief:
        beliefs = [model.believe(candidates, draws=draws, spread=spread, rng=rng) for model in self._models]
        means = np.array([belief.mean for belief in beliefs])
        mean = self._odds @ means
        return replace(
            beliefs[0],
            mean=mean,
            spread=self._spread(beliefs, means - mean) if spread else None,
            samples=self._samples(beliefs, dice(rng), draws) if draws else None,
        )

    def _spread(self, beliefs: list[Belief], apart: Floats) -> Floats:
        within = np.array([np.square(belief.spread) for belief in beliefs if belief.spread is not None])
        return np.asarray(np.sqrt(self._odds @ (within + np.square(apart))))

    def _samples(self, beliefs: list[Belief], rng: np.random.Generator, draws: int) -> Vectors:
        """(draws, k). The two draws of a mirrored pair come from one model, or they would mirror nothing."""
        pairs = (draws + 1) // 2
        chosen = np.tile(rng.choice(len(beliefs), size=pairs, p=self._odds), 2)[:draws]
        drawn = np.array([belief.samples for belief in beliefs])
        return np.asarray(drawn[chosen, np.arange(draws)], dtype=np.float32)

    def check(self, batch: Batch) -> None:
        """Raises: InputError: more arms than `most_arms`, or a row that is too heavy to be learned copy by copy."""
        self._models[0].check(batch)
        refuse_heavy(batch, who="the posterior 'averaged'")

    def update(self, batch: Batch) -> None:
        batch = heavy(batch)
        for row, weight in enumerate(weights_of(batch)):
            single = _row(batch, row)
            for share in copies(weight):
                self._learn(single, share)

    def _learn(self, row: Batch, share: float) -> None:
        """Judge by the forecasts, then learn. share: how much of a row it is, up to 1."""
        told = np.array([_log_density(model, row) for model in self._models])
        odds = np.maximum(self._odds * np.exp(share * (told - told.max())), LEAST)
        left = self._switching * share
        self._odds = (1.0 - left) * odds / odds.sum() + left / len(odds)
        learned = row if share == 1.0 else replace(row, weights=np.array([share]))
        for model in self._models:
            model.update(learned)

    def state(self) -> State:
        line, waves = (model.state() for model in self._models)
        return {"odds": self._odds.copy(), **under("line", line), **under("waves", waves)}

    def restore(self, state: State) -> None:
        odds = stored(state, "odds", (len(self._models),))
        for name, model in zip(("line", "waves"), self._models, strict=True):
            model.restore(within(name, state))
        self._odds = odds


def _row(batch: Batch, row: int) -> Batch:
    """One row alone, counting for one."""
    cut = slice(row, row + 1)
    return Batch(
        batch.item_ids[cut],
        batch.user_ids[cut],
        batch.features[cut],
        batch.rewards[cut],
        batch.propensities[cut],
        batch.space,
    )


def _log_density(model: PerArmPosterior, row: Batch) -> float:
    """Of the reward under the model's forecast, taken for normal, up to a constant."""
    mean, variance = model.forecast(row.item_ids[0], row.features)
    error = float(row.rewards[0]) - mean
    return -0.5 * (float(np.log(variance)) + error * error / variance)
