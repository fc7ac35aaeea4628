"""Request and items to policy features: the one place where text, attributes and experience meet.

A row is linear in what a policy may learn, so that the posterior mean of all items, or one draw from the
posterior, is an inner product with the items' own vectors (`Pairing.direction`): the index can search by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from equipoise.core import Experience, FeatureSpace, Floats, InputError, State, Vectors, fingerprint
from equipoise.encoders.pairing.attributes import AttributeCode, cross_matrix, request_columns
from equipoise.encoders.pairing.layout import Layout, PairingSettings
from equipoise.encoders.pairing.taste import taste

DAY = 86_400.0
CROSSED = 8
HALF_LIFE = 10.0
NEAREST = 3
FIT_ROWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Items as the pairing sees them.

    coordinates: (k, p) of their texts, from `Pairing.project`. attributes: (k, h), from `Pairing.code`.
    born: (k,) seconds, NaN unknown.
    """

    coordinates: Vectors
    attributes: Vectors
    born: Floats

    def __len__(self) -> int:
        return len(self.coordinates)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request as the pairing sees it.

    vector: (e,) of the text, None without text. history: (h, p) coordinates of items the user is said to like,
    oldest first; None lets the experience say it. attributes: facts of the moment. at: seconds.
    """

    at: float
    vector: Vectors | None = None
    history: Vectors | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Where weights point for one request: an item's score is, up to a constant and what only its features tell,
    similarity x (vector . request) + coordinates . inner + attributes . traits + standing x (mean so far)."""

    similarity: float
    inner: Vectors
    traits: Vectors
    standing: float


class Pairing:
    """A fitted pairing: immutable, versioned by what it is, part of the feature space of every policy on it."""

    def __init__(self, layout: Layout, code: AttributeCode, state: State, encoder: FeatureSpace) -> None:
        self.layout = layout
        self.code = code
        self.encoder = encoder
        self._mean: Vectors = state["mean"]
        self._projection: Vectors = state["projection"]
        self._born_mean, self._born_scale = (float(value) for value in state["born"])
        contents = [
            f"{key}:{value.dtype}:{value.tobytes().hex()}" for key, value in sorted(self.state().items())
        ]
        self.space = FeatureSpace("pairing", fingerprint(str(encoder), *contents), layout.dim)

    @classmethod
    def fit(
        cls,
        settings: PairingSettings,
        *,
        encoder: FeatureSpace,
        vectors: Vectors,
        attributes: Sequence[Mapping[str, Any]],
        born: Floats,
    ) -> Pairing:
        """Fit on a catalogue of n items: vectors (n, e), free attributes (n,), birth times (n,).

        The projection keeps the principal axes of the items' vectors (Pearson 1901), scaled so that each carries
        the same variance and a row has mean square length 1; above 20,000 items it sees an even sample.

        Raises: InputError: an empty catalogue.
        """
        if len(vectors) == 0:
            raise InputError("a pairing cannot be fitted on 0 items: load a catalogue first")
        layout = Layout(settings)
        keep = np.unique(np.linspace(0, len(vectors) - 1, FIT_ROWS).astype(np.int64))
        mean, projection = principal_axes(vectors[keep], max(settings.item, settings.product))
        known = born[np.isfinite(born)]
        scale = [float(known.mean()), float(known.std()) or 1.0] if len(known) else [0.0, 1.0]
        state: State = {"mean": mean, "projection": projection, "born": np.array(scale)}
        return cls(layout, AttributeCode.fit(attributes, settings.attributes), state, encoder)

    def project(self, vectors: Vectors) -> Vectors:
        """(k, e) to (k, p) coordinates, each row by itself: an item has the same ones in whatever company."""
        centred = (vectors - self._mean)[:, None, :]
        return np.asarray(np.matmul(centred, self._projection)[:, 0, :], dtype=np.float32)

    def pair(
        self,
        asked: Asked,
        shown: Shown,
        experience: Experience,
        remembered: Shown,
        *,
        similarity: Floats | None,
    ) -> Vectors:
        """The features of k items for one request.

        shown: the k items. experience: of the same k items and the user. remembered: the h items of
        `experience.recent`, in that order. similarity: (k,) of each item and the request's text, None without text.
        Returns: (k, d) float32 in `space`.
        """
        layout = self.layout
        summary = self._summary(asked, remembered.coordinates[experience.residuals > 0])
        out = np.zeros((len(shown), layout.dim), dtype=np.float32)
        out[:, : layout.fixed] = np.hstack(
            [
                _so_far(experience),
                _age(asked.at, shown.born),
                self._taste(shown, remembered, experience),
                _similarities(similarity, summary, shown, remembered, experience),
            ]
        )
        self._learned(out, asked, shown, self._focus(asked, summary))
        return out

    def direction(self, weights: Floats, asked: Asked, liked: Vectors) -> Direction:
        """What weights (d,) look for in this request. liked: (h, p) coordinates of what the user liked, if any."""
        cut = self.layout.slices
        summary = self._summary(asked, liked)
        focus = self._focus(asked, summary)
        p_item, p_product = self._widths()
        inner = np.zeros(self._projection.shape[1], dtype=np.float64)
        inner[:p_item] += weights[cut["item text"]][:p_item]
        if focus is not None:
            inner[:p_product] += weights[cut["request x item text"]][:p_product] * self._scaled(focus)
        if summary is not None:
            inner += float(weights[cut["similar to history"]][0]) * summary
        return Direction(
            similarity=float(weights[cut["similar to request"]][0]),
            inner=inner.astype(np.float32),
            traits=weights[cut["item attributes"]].astype(np.float32),
            standing=float(weights[cut["item so far"]][0]),
        )

    def unfold(self, direction: Direction, vector: Vectors | None) -> Vectors:
        """A direction as one query (e,) for an index of the items' own vectors, attributes and standing left out."""
        query = self._projection @ direction.inner
        if vector is not None:
            query = query + np.float32(direction.similarity) * vector
        return np.asarray(query, dtype=np.float32)

    def _widths(self) -> tuple[int, int]:
        cut = self.layout.slices
        available = self._projection.shape[1]
        item, product = cut["item text"], cut["request x item text"]
        return min(available, item.stop - item.start), min(available, product.stop - product.start)

    def _summary(self, asked: Asked, liked: Vectors) -> Vectors | None:
        """(p,) unit coordinates of the request's history, else of what the user liked; None without either."""
        return history_vector(asked.history if asked.history is not None else liked)

    def _focus(self, asked: Asked, summary: Vectors | None) -> Vectors | None:
        """(p,) what the request is about: its text, else the history; or nothing."""
        return summary if asked.vector is None else self.project(asked.vector[None, :])[0]

    def _scaled(self, focus: Vectors) -> Vectors:
        """(p_product,) so that the product with an item's coordinates has length about 1 too."""
        _, p_product = self._widths()
        return np.asarray(focus[:p_product] * np.sqrt(max(1, p_product)), dtype=np.float32)

    def _taste(self, shown: Shown, remembered: Shown, experience: Experience) -> Floats:
        mean, certainty = taste(self._place(shown), self._place(remembered), experience.residuals)
        return np.stack([mean, 2.0 * mean * np.sqrt(np.maximum(certainty, 0.0))], axis=1)

    def _place(self, shown: Shown) -> Vectors:
        """(k, q) where tastes live: a constant, the text's coordinates, attributes, date of birth."""
        born = np.nan_to_num((shown.born - self._born_mean) / self._born_scale)[:, None]
        constant = np.ones((len(shown), 1))
        return np.hstack([constant, shown.coordinates, shown.attributes, born]).astype(np.float32)

    def _learned(self, out: Vectors, asked: Asked, shown: Shown, focus: Vectors | None) -> None:
        cut = self.layout.slices
        p_item, p_product = self._widths()
        coordinates = shown.coordinates
        out[:, cut["item text"]][:, :p_item] = coordinates[:, :p_item]
        if focus is not None:
            out[:, cut["request x item text"]][:, :p_product] = coordinates[:, :p_product] * self._scaled(
                focus
            )
        out[:, cut["item attributes"]] = shown.attributes
        if asked.attributes:
            crossed = np.hstack([shown.attributes, coordinates[:, :CROSSED]])
            crosses = cut["request x item attributes"]
            matrix = cross_matrix(asked.attributes, crossed.shape[1], crosses.stop - crosses.start)
            out[:, crosses] = crossed @ matrix
            own = cut["request attributes"]
            out[:, own] = request_columns(asked.attributes, own.stop - own.start)

    def state(self) -> State:
        born = np.array([self._born_mean, self._born_scale])
        return {"mean": self._mean, "projection": self._projection, "born": born, **self.code.state()}

    @classmethod
    def restored(cls, settings: PairingSettings, state: State, encoder: FeatureSpace) -> Pairing:
        return cls(Layout(settings), AttributeCode.restored(state), state, encoder)


def principal_axes(vectors: Vectors, size: int) -> tuple[Vectors, Vectors]:
    """Mean (e,) and scaled principal axes (e, p) of vectors (n, e); p = min(size, rank)."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors.astype(np.float64) - mean
    values, axes = np.linalg.eigh(centred.T @ centred / len(vectors))
    order = np.argsort(values)[::-1][:size]
    order = order[values[order] > 1e-9 * max(float(values.max()), 1e-12)]
    axes = axes[:, order] * np.sign(axes[np.abs(axes[:, order]).argmax(axis=0), order])
    scaled = axes / np.sqrt(values[order] * max(1, len(order)))
    return mean.astype(np.float32), scaled.astype(np.float32)


def history_vector(history: Vectors | None) -> Vectors | None:
    """A history (h, e), oldest first, as one unit vector (e,): weights halve every 10 items back."""
    if history is None or len(history) == 0:
        return None
    weights = 0.5 ** (np.arange(len(history))[::-1] / HALF_LIFE)
    mean = weights @ history.astype(np.float64)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length, dtype=np.float32) if length > 0 else None


def _so_far(experience: Experience) -> Floats:
    """(k, 8): the bias, the level, what item and user have shown so far, and how surely."""
    means, logs = experience.item_means, np.log1p(experience.item_counts)
    user = experience.user_mean
    out = np.empty((len(means), 8))
    out[:, 0] = 1.0
    out[:, 1] = experience.overall
    out[:, 2] = means
    out[:, 3] = logs / 5.0
    out[:, 4] = means * logs / 3.0
    out[:, 5] = user
    out[:, 6] = np.log1p(experience.user_count) / 5.0
    out[:, 7] = means * user * 4.0
    return out


def _age(at: float, born: Floats) -> Floats:
    """(k, 4): an item's age as its logarithm, as new this month, as new these two years, and in decades."""
    days = np.maximum(np.nan_to_num((at - born) / DAY), 0.0)
    return np.stack(
        [np.log1p(days) / 10.0, np.exp(-days / 30.0), np.exp(-days / 730.0), days / 15_000.0], axis=1
    )


def _similarities(
    similarity: Floats | None,
    summary: Vectors | None,
    shown: Shown,
    remembered: Shown,
    experience: Experience,
) -> Floats:
    """(k, 4): to the request, to the history, and to what was liked beyond what was disliked, mean and nearest."""
    out = np.zeros((len(shown), 4))
    if similarity is not None:
        out[:, 0] = similarity
    if summary is not None:
        out[:, 1] = shown.coordinates @ summary
    liked, disliked = experience.residuals > 0, experience.residuals < 0
    if liked.any() and disliked.any():
        alike = _cosines(shown.coordinates, remembered.coordinates)
        out[:, 2] = alike[:, liked].mean(axis=1) - alike[:, disliked].mean(axis=1)
        out[:, 3] = _nearest(alike[:, liked]) - _nearest(alike[:, disliked])
    return out


def _cosines(one: Vectors, other: Vectors) -> Vectors:
    """(k, h) cosines of coordinates; a zero row is like nothing."""
    lengths = [np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (one, other)]
    return np.asarray((one / lengths[0]) @ (other / lengths[1]).T)


def _nearest(alike: Vectors) -> Floats:
    """(k,) mean of the three greatest."""
    count = min(NEAREST, alike.shape[1])
    return np.asarray(np.partition(alike, -count, axis=1)[:, -count:].mean(axis=1), dtype=np.float64)
