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
    """Items as the pairing sees them. vectors: (k, e); attributes: (k, h) coded; born: (k,) seconds, NaN unknown."""

    vectors: Vectors
    attributes: Vectors
    born: Floats

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request as the pairing sees it.

    vector: (e,) of the text, None without text. history: (h, e) items the user liked, oldest first.
    attributes: facts of the moment. at: seconds.
    """

    at: float
    vector: Vectors | None = None
    history: Vectors | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


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
        """(k, e) to (k, p) coordinates; a zero vector, which says nothing, stays 0."""
        return np.asarray((vectors - self._mean) @ self._projection, dtype=np.float32)

    def pair(self, asked: Asked, shown: Shown, experience: Experience, remembered: Shown) -> Vectors:
        """The features of k items for one request.

        shown: the k items. experience: of the same k items and the user. remembered: the h items of
        `experience.recent`, in that order.
        Returns: (k, d) float32 in `space`.
        """
        layout = self.layout
        coordinates = self.project(shown.vectors)
        liked = remembered.vectors[experience.residuals > 0]
        focus = self._focus(asked, liked)
        out = np.zeros((len(shown), layout.dim), dtype=np.float32)
        out[:, : layout.fixed] = np.hstack(
            [
                _so_far(experience),
                _age(asked.at, shown.born),
                self._taste(coordinates, shown, remembered, experience),
                self._similarities(asked, shown, remembered, experience),
            ]
        )
        self._learned(out, asked, coordinates, shown, focus)
        return out

    def direction(self, weights: Floats, asked: Asked, liked: Vectors) -> Vectors:
        """Fold policy weights (d,) into one query (e,): its inner product with an item's vector is all of the
        score that depends on the item's text, up to a constant. liked: (h, e) items the user liked, if any."""
        cut = self.layout.slices
        focus = self._focus(asked, liked)
        p_item, p_product = self._widths()
        inner = np.zeros(self._projection.shape[1], dtype=np.float64)
        inner[:p_item] += weights[cut["item text"]]
        if focus is not None:
            scale = np.sqrt(max(1, p_product))
            inner[:p_product] += (
                weights[cut["request x item text"]] * self.project(focus[None, :])[0, :p_product] * scale
            )
        query = self._projection @ inner
        if asked.vector is not None:
            query = query + float(weights[cut["similar to request"]][0]) * asked.vector
        summary = history_vector(asked.history if asked.history is not None else liked)
        if summary is not None:
            query = query + float(weights[cut["similar to history"]][0]) * summary
        return np.asarray(query, dtype=np.float32)

    def standing(self, weights: Floats, attributes: Vectors, item_means: Floats) -> Floats:
        """The part of n items' scores that their text does not tell: attributes (n, h) and means so far (n,)."""
        cut = self.layout.slices
        by_attribute = attributes @ weights[cut["item attributes"]].astype(np.float32)
        return np.asarray(by_attribute + item_means * float(weights[cut["item so far"]][0]), dtype=np.float64)

    def _widths(self) -> tuple[int, int]:
        cut = self.layout.slices
        available = self._projection.shape[1]
        item, product = cut["item text"], cut["request x item text"]
        return min(available, item.stop - item.start), min(available, product.stop - product.start)

    def _focus(self, asked: Asked, liked: Vectors) -> Vectors | None:
        """(e,) what the request is about: its text, else what the user liked."""
        if asked.vector is not None:
            return asked.vector
        return history_vector(asked.history if asked.history is not None else liked)

    def _taste(self, coordinates: Vectors, shown: Shown, remembered: Shown, experience: Experience) -> Floats:
        mean, certainty = taste(
            self._coordinates(coordinates, shown),
            self._coordinates(self.project(remembered.vectors), remembered),
            experience.residuals,
        )
        return np.stack([mean, 2.0 * mean * np.sqrt(np.maximum(certainty, 0.0))], axis=1)

    def _coordinates(self, coordinates: Vectors, shown: Shown) -> Vectors:
        """(k, q) where tastes live: a constant, the text's coordinates, attributes, date of birth."""
        born = np.nan_to_num((shown.born - self._born_mean) / self._born_scale)[:, None]
        constant = np.ones((len(shown), 1))
        return np.hstack([constant, coordinates, shown.attributes, born]).astype(np.float32)

    def _similarities(self, asked: Asked, shown: Shown, remembered: Shown, experience: Experience) -> Floats:
        liked = remembered.vectors[experience.residuals > 0]
        disliked = remembered.vectors[experience.residuals < 0]
        out = np.zeros((len(shown), 4))
        if asked.vector is not None:
            out[:, 0] = shown.vectors @ asked.vector
        summary = history_vector(asked.history if asked.history is not None else liked)
        if summary is not None:
            out[:, 1] = shown.vectors @ summary
        if len(liked) and len(disliked):
            out[:, 2] = shown.vectors @ (liked.mean(axis=0) - disliked.mean(axis=0))
            out[:, 3] = _nearest(shown.vectors, liked) - _nearest(shown.vectors, disliked)
        return out

    def _learned(
        self, out: Vectors, asked: Asked, coordinates: Vectors, shown: Shown, focus: Vectors | None
    ) -> None:
        cut = self.layout.slices
        p_item, p_product = self._widths()
        out[:, cut["item text"]][:, :p_item] = coordinates[:, :p_item]
        if focus is not None:
            scaled = self.project(focus[None, :])[0, :p_product] * np.float32(np.sqrt(max(1, p_product)))
            out[:, cut["request x item text"]][:, :p_product] = coordinates[:, :p_product] * scaled
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


def _nearest(vectors: Vectors, others: Vectors) -> Floats:
    """(k,) mean similarity to the three nearest of the others."""
    similar = vectors @ others.T
    count = min(NEAREST, len(others))
    return np.asarray(np.partition(similar, -count, axis=1)[:, -count:].mean(axis=1), dtype=np.float64)
