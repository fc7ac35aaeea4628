"""A policy: a posterior that believes, an explorer that turns belief into odds, and a floor under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from equipoise.core import (
    Batch,
    Candidates,
    ConfigurationError,
    EquipoiseError,
    FeatureSpace,
    Floats,
    InputError,
    State,
    Vectors,
)
from equipoise.policies.base import Belief, Directed, Explorer, Posterior, Sequential
from equipoise.policies.checks import REMEDY, check_batch, check_candidates, check_means, is_sound_row
from equipoise.policies.diversity import Diversity
from equipoise.policies.floors import floored
from equipoise.policies.gaussian.normals import run
from equipoise.policies.ranges import require
from equipoise.policies.shortlist import Shortlist, shortlist
from equipoise.policies.stored import names, stored, under, within
from equipoise.policies.weights import heavy, refuse_heavy

FLOOR = 0.0002
"""The least probability any candidate gets: it bounds every importance weight by 5,000."""


class BanditPolicy:
    """Satisfies `core.Policy`.

    floor: in [0, 1]; 0 must be asked for, since it makes some candidates impossible to evaluate. Of k
        candidates in play each gets at least min(floor, 1 / k).
    similarity: which feature is the similarity of item and request; None if no explorer needs it.
    diversity: what a slate's further slots lose for being like those above; None for nothing.
    fingerprint: of the settings, for the decision's record.
    """

    def __init__(
        self,
        name: str,
        *,
        posterior: Posterior,
        explorer: Explorer,
        floor: float = FLOOR,
        similarity: int | None = None,
        diversity: Diversity | None = None,
        fingerprint: str = "",
    ) -> None:
        require("floor", floor, 0.0, 1.0)
        _check_similarity(similarity, posterior.space.dim)
        self.name = name
        self._who = f"policy '{name}'"
        self.posterior = posterior
        self.space = posterior.space
        self.explorer = explorer
        self.floor = floor
        self.fingerprint = fingerprint
        # Asked once here: looking through a protocol's methods takes longer than many a slot's odds.
        self._sequential = explorer if isinstance(explorer, Sequential) else None
        self._taught = explorer.learns
        self._directed = posterior if isinstance(posterior, Directed) else None
        self._similarity = similarity
        self._diversity = diversity

    def believe(self, candidates: Candidates, rng: np.random.Generator) -> Belief:
        """The belief with its spread, for explanations; the draws are those that a slate with `rng` uses."""
        return self._believe(candidates, rng, spread=True)

    @property
    def weights(self) -> Floats | None:
        """(d,) mean weights of the features; None where the posterior is not linear in them."""
        return None if self._directed is None else self._directed.weights

    def draw_weights(self, key: int) -> Floats | None:
        """(d,) the posterior draw of the weights that belongs to `key`; None where there are no weights."""
        return None if self._directed is None else self._directed.draw_weights(run(key, self.space.dim))

    def distribution(self, candidates: Candidates, rng: np.random.Generator) -> Floats:
        return self.slate(candidates, rng).given(())

    def slate(self, candidates: Candidates, rng: np.random.Generator) -> BanditSlate:
        """Believes once; each slot then asks the explorer again about the candidates that are left."""
        belief = self._believe(candidates, rng, spread=self.explorer.needs_spread)
        return BanditSlate(
            belief,
            explorer=self.explorer,
            floor=self.floor,
            sequential=self._sequential,
            diversity=self._diversity,
            vectors=candidates.vectors,
        )

    def over(self, item_ids: tuple[str, ...], means: Floats, *, rows: int) -> Floats:
        """The distribution over k items whose mean rewards (k,) were found elsewhere, as by a search along `weights`.

        For an explorer that asks for means alone, such as SquareCB: a whole catalogue is weighed without making the
        features of any item. rows: how many rows the means were learned from.
        Raises: ConfigurationError: the explorer asks for draws, spread or similarity. InputError: there is not one
        finite mean for each item.
        """
        if self.explorer.draws or self.explorer.needs_spread or self.explorer.learns:
            raise ConfigurationError(
                f"{self._who} needs more than means: give 'distribution' the candidates, or take policy 'squarecb'"
            )
        check_means(means, len(item_ids), who=self._who)
        belief = Belief(item_ids=item_ids, mean=means, spread=None, samples=None, rows=rows)
        return floored(self.explorer.distribution(belief), self.floor)

    def shortlist(self, items: Vectors, request: Vectors, k: int, rng: np.random.Generator) -> Shortlist:
        """The k of n items with the highest mean, and the distribution over them, where a candidate's features are
        request x item, element by element: what `distribution` says of such candidates, at half the time or less.

        items: (n, d) float32, C-contiguous, in `space`. request: (d,). k: 1 or more; all items where there are fewer.
        Raises: ConfigurationError: the policy is not 'thompson' on the posterior 'linear'. NoCandidatesError: there are
        no items. InputError: arrays of another kind, or not finite. MissingExtraError: `arithmetic` is "compiled" and
        numba is not installed.
        """
        return shortlist(
            self.posterior, self.explorer, items, request, k, rng, floor=self.floor, who=self._who
        )

    def update(self, batch: Batch) -> None:
        """Raises: FeatureSpaceError, InputError or PropensityError, with nothing of the batch learned."""
        if not is_sound_row(batch, self.space):
            check_batch(batch, self.space, who=self._who)
        self.posterior.check(batch)
        if self._taught:
            self._teach_both(batch)
        else:
            self.posterior.update(batch)

    def _teach_both(self, batch: Batch) -> None:
        """Row by row, since what the explorer learns is the forecast that the rows before it made."""
        refuse_heavy(batch, who=self._who)
        for row in single_rows(heavy(batch)):
            self.explorer.update(row, self._signals(row))
            self.posterior.update(row)

    def _signals(self, row: Batch) -> Floats:
        if self._similarity is not None:
            return row.features[:, self._similarity].astype(np.float64)
        (user_id,) = row.user_ids
        shown = Candidates(row.item_ids, row.features, row.space, user_id=user_id)
        return self.posterior.believe(shown).mean

    def state(self) -> State:
        space = names([self.space.name, self.space.version, str(self.space.dim)])
        return {
            "space": space,
            **under("posterior", self.posterior.state()),
            **under("explorer", self.explorer.state()),
        }

    def restore(self, state: State) -> None:
        """Raises: FeatureSpaceError or InputError, with what was learned before left as it was."""
        name, version, dim = (str(part) for part in stored(state, "space", (3,)))
        self.space.require(FeatureSpace(name, version, int(dim)), who=self._who, remedy=REMEDY)
        before = self.state()
        try:
            self._restore(state)
        except EquipoiseError:
            self._restore(before)
            raise

    def _restore(self, state: State) -> None:
        self.posterior.restore(within("posterior", state))
        self.explorer.restore(within("explorer", state))

    def _believe(self, candidates: Candidates, rng: np.random.Generator, *, spread: bool) -> Belief:
        check_candidates(candidates, self.space, who=self._who)
        belief = self.posterior.believe(candidates, draws=self.explorer.draws, spread=spread, rng=rng)
        if self._similarity is None:
            return belief
        return replace(belief, similarity=candidates.features[:, self._similarity].astype(np.float64))


def single_rows(batch: Batch) -> Iterator[Batch]:
    """The batch as n batches of one row."""
    for row in range(len(batch)):
        one = slice(row, row + 1)
        yield Batch(
            item_ids=batch.item_ids[one],
            user_ids=batch.user_ids[one],
            features=batch.features[one],
            rewards=batch.rewards[one],
            propensities=batch.propensities[one],
            space=batch.space,
            weights=None if batch.weights is None else batch.weights[one],
        )


class BanditSlate:
    """Satisfies `core.SlateDistribution`: one belief, asked slot by slot."""

    def __init__(
        self,
        belief: Belief,
        *,
        explorer: Explorer,
        floor: float,
        sequential: Sequential | None = None,
        diversity: Diversity | None = None,
        vectors: Vectors | None = None,
    ) -> None:
        if diversity is not None and vectors is None:
            raise InputError("diversity needs the items' vectors, but the candidates carry none: encode them")
        self._belief = belief
        self._explorer = explorer
        self._floor = floor
        self._diversity = diversity
        self._vectors = vectors
        self._opened = None if sequential is None or diversity is not None else sequential.opened(belief)

    def given(self, above: Sequence[int]) -> Floats:
        gone = list(above)
        if len(gone) >= len(self._belief):
            raise InputError(f"all {len(gone)} candidates lie above: there is none left for this slot")
        odds = self._asked(gone) if self._opened is None else self._opened(gone)
        return floored(odds, self._floor, gone)

    def _asked(self, gone: list[int]) -> Floats:
        """The explorer's odds for one slot, from what is believed of the candidates that are left."""
        if not gone:
            return self._explorer.distribution(self._belief)
        available = np.ones(len(self._belief), dtype=np.bool_)
        available[gone] = False
        return self._explorer.distribution(self._after(gone), available)

    def _after(self, above: Sequence[int]) -> Belief:
        if self._diversity is None or self._vectors is None:
            return self._belief
        return self._belief.shifted(self._diversity.shift(self._vectors, above))


def _check_similarity(similarity: int | None, dim: int) -> None:
    if similarity is None:
        return
    if not isinstance(similarity, int) or not 0 <= similarity < dim:
        raise ConfigurationError(
            f"setting 'similarity' is {similarity!r} but must be the number of a feature, 0 to {dim - 1}"
        )
