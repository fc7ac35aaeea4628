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
from equipoise.encoders.pairing.attributes import CLIP, AttributeCode, cross_matrix, request_columns
from equipoise.encoders.pairing.layout import AGE, DEMAND, SIMILAR, TASTE, Layout, PairingSettings
from equipoise.encoders.pairing.taste import leaning, taste

DAY = 86_400.0
FORMULA = "3"
"""Changes with any formula of this room: features of two formulas must not meet in one policy."""

CROSSED = 8
FAR = 3.0
HALF_LIFE = 10.0
FIT_ROWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Items as the pairing sees them.

    cards: (k, p + h + 1) from `Pairing.cards`: the text's coordinates, the coded attributes, the date of birth.
    born: (k,) seconds, NaN unknown.
    """

    cards: Vectors
    born: Floats

    def __len__(self) -> int:
        return len(self.cards)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request as the pairing sees it.

    vector: (e,) of the text, None without text. history: (h, p + h + 1) cards of items the user is said to
    like, oldest first; None lets the experience say it. attributes: facts of the moment. at: seconds.
    alike: vectors have unit length, so that inner products are similarities; False for plain numbers.
    """

    at: float
    vector: Vectors | None = None
    history: Vectors | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    alike: bool = True

    @property
    def likeness(self) -> Vectors | None:
        """(e,) the vector whose inner product with an item's is their similarity; None where there is none."""
        return self.vector if self.alike else None


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a request is about, in coordinates. history: (p,) unit, None without a past; focus: (p,) the text's, else
    the history."""

    history: Vectors | None
    focus: Vectors | None


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Where weights point for one request: an item's score is, up to a constant and what only its features tell,
    similarity x (vector . request) + card . inner + standing x (mean so far)."""

    similarity: float
    inner: Vectors
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
        self.space = FeatureSpace(
            "pairing", fingerprint(FORMULA, str(encoder), repr(layout.slices), *contents), layout.dim
        )

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
        scale = [float(known.mean()), max(DAY, float(known.std()))] if len(known) else [0.0, DAY]
        state: State = {"mean": mean, "projection": projection, "born": np.array(scale)}
        return cls(layout, AttributeCode.fit(attributes, settings.attributes), state, encoder)

    def project(self, vectors: Vectors) -> Vectors:
        """(k, e) to (k, p) coordinates, each row by itself: an item has the same ones in whatever company.

        They are clipped to 3, beyond which only plain numbers come that the catalogue had not seen.
        """
        centred = (vectors - self._mean)[:, None, :]
        return np.asarray(np.clip(np.matmul(centred, self._projection)[:, 0, :], -FAR, FAR), dtype=np.float32)

    def cards(self, vectors: Vectors, attributes: Sequence[Mapping[str, Any]], born: Floats) -> Vectors:
        """(k, p + h + 1) float32: coordinates, coded attributes, and the date of birth, 0 where unknown.

        A date counts deviations from the mean and is clipped to 3, so that what comes years after the catalogue was
        fitted is not judged by its date alone.
        """
        date = np.clip(np.nan_to_num((born - self._born_mean) / self._born_scale), -CLIP, CLIP)
        return np.hstack(
            [self.project(vectors), self.code.encode(attributes), date[:, None].astype(np.float32)]
        )

    def outlook(self, asked: Asked, liked: Vectors) -> Outlook:
        """What a request is about. liked: (h, p + h + 1) cards of what the user liked, oldest first; the
        request's own history, if it has one, counts instead."""
        past = asked.history if asked.history is not None else liked
        history = history_vector(past[:, : self._p])
        focus = history if asked.vector is None else self.project(asked.vector[None, :])[0]
        return Outlook(history, focus)

    def pair(
        self,
        asked: Asked,
        outlook: Outlook,
        shown: Shown,
        experience: Experience,
        remembered: Vectors,
        *,
        similarity: Floats | None,
    ) -> Vectors:
        """The features of k items for one request.

        shown: the k items. experience: of the same k items and the user. remembered: (h, p + h + 1) cards of
        `experience.recent`, in that order. similarity: (k,) of each item and the request's text, None without text.
        Returns: (k, d) float32 in `space`.
        """
        out = np.zeros((len(shown), self.layout.dim), dtype=np.float32)
        _so_far(out, experience)
        _age(out[:, AGE], asked.at, shown.born)
        if len(remembered):
            mean, certainty = taste(shown.cards, remembered, experience.residuals)
            out[:, TASTE.start] = mean
            out[:, TASTE.start + 1] = 2.0 * mean * np.sqrt(certainty)
            out[:, DEMAND.start] = leaning(
                np.log1p(experience.item_asked), np.log1p(experience.recent_asked), experience.residuals
            )
        if similarity is not None:
            out[:, SIMILAR.start] = similarity
        if outlook.history is not None:
            out[:, SIMILAR.start + 1] = _product(shown.cards[:, : self._p], outlook.history)
        self._learned(out, asked, shown.cards, outlook.focus)
        return out

    def direction(self, weights: Floats, outlook: Outlook) -> Direction:
        """What weights (d,) look for in a request."""
        cut = self.layout.slices
        p_item, p_product = self._widths()
        inner = np.zeros(self._p + self.code.size + 1, dtype=np.float64)
        inner[:p_item] += weights[cut["item text"]][:p_item]
        if outlook.focus is not None:
            inner[:p_product] += weights[cut["request x item text"]][:p_product] * self._scaled(outlook.focus)
        if outlook.history is not None:
            inner[: self._p] += float(weights[SIMILAR.start + 1]) * outlook.history
        inner[self._p : -1] = weights[cut["item attributes"]]
        standing = float(weights[cut["item so far"]][0])
        return Direction(float(weights[SIMILAR.start]), inner.astype(np.float32), standing)

    def unfold(self, direction: Direction, vector: Vectors | None) -> Vectors:
        """A direction as one query (e,) for an index of the items' own vectors, attributes and standing left out."""
        query = self._projection @ direction.inner[: self._p]
        if vector is not None:
            query = query + np.float32(direction.similarity) * vector
        return np.asarray(query, dtype=np.float32)

    @property
    def _p(self) -> int:
        return int(self._projection.shape[1])

    def _widths(self) -> tuple[int, int]:
        cut = self.layout.slices
        available = self._projection.shape[1]
        item, product = cut["item text"], cut["request x item text"]
        return min(available, item.stop - item.start), min(available, product.stop - product.start)

    def _scaled(self, focus: Vectors) -> Vectors:
        """(p_product,) so that the product with an item's coordinates has length about 1 too."""
        _, p_product = self._widths()
        return np.asarray(focus[:p_product] * np.sqrt(max(1, p_product)), dtype=np.float32)

    def _learned(self, out: Vectors, asked: Asked, cards: Vectors, focus: Vectors | None) -> None:
        cut = self.layout.slices
        p_item, p_product = self._widths()
        out[:, cut["item text"]][:, :p_item] = cards[:, :p_item]
        if focus is not None:
            out[:, cut["request x item text"]][:, :p_product] = cards[:, :p_product] * self._scaled(focus)
        attributes = cards[:, self._p : -1]
        out[:, cut["item attributes"]] = attributes
        if asked.attributes:
            crossed = np.hstack([attributes, cards[:, : min(CROSSED, self._p)]])
            crosses = cut["request x item attributes"]
            matrix = cross_matrix(asked.attributes, crossed.shape[1], crosses.stop - crosses.start)
            out[:, crosses] = _product(crossed, matrix)
            own = cut["request attributes"]
            out[:, own] = request_columns(asked.attributes, own.stop - own.start)

    def state(self) -> State:
        born = np.array([self._born_mean, self._born_scale])
        return {"mean": self._mean, "projection": self._projection, "born": born, **self.code.state()}

    @classmethod
    def restored(cls, settings: PairingSettings, state: State, encoder: FeatureSpace) -> Pairing:
        return cls(Layout(settings), AttributeCode.restored(state), state, encoder)


def principal_axes(vectors: Vectors, size: int) -> tuple[Vectors, Vectors]:
    """Mean (e,) and scaled principal axes (e, p) of vectors (n, e); p = min(size, rank).

    What float32 makes of equal vectors, a variance of about 1e-14 of their mean square, is no axis.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors.astype(np.float64) - mean
    values, axes = np.linalg.eigh(centred.T @ centred / len(vectors))
    order = np.argsort(values)[::-1][:size]
    rounding = float(np.square(vectors, dtype=np.float64).sum()) / len(vectors) * 1e-13
    order = order[values[order] > max(1e-9 * float(values.max(initial=0.0)), rounding)]
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


def _product(rows: Vectors, columns: Vectors) -> Floats:
    """In float64, so that rounded to float32 a row is the same in whatever company: a float32 product is not."""
    return np.asarray(rows.astype(np.float64) @ columns.astype(np.float64))


def _so_far(out: Vectors, experience: Experience) -> None:
    """The first 11 columns: the bias, the level, what item and user have shown so far, and how surely."""
    means, logs = experience.item_means, np.log1p(experience.item_counts)
    asked = np.log1p(experience.item_asked) / 5.0
    out[:, 0] = 1.0
    out[:, 1] = experience.overall
    out[:, 2] = means
    out[:, 3] = logs / 5.0
    out[:, 4] = means * logs / 3.0
    out[:, 5] = 20.0 * experience.item_company
    out[:, 6] = asked * asked
    out[:, 7] = np.log1p(experience.item_asked_lately) / 5.0
    out[:, 8] = experience.user_mean
    out[:, 9] = np.log1p(experience.user_count) / 5.0
    out[:, 10] = means * (4.0 * experience.user_mean)


def _age(out: Vectors, at: float, born: Floats) -> None:
    """(k, 4): an item's age as its logarithm, as new this month, as new these two years, and linear; unknown is 0."""
    days = np.fmax((at - born) / DAY, 0.0)
    out[:, 0] = np.log1p(days) / 10.0
    out[:, 1] = np.exp(days / -30.0)
    out[:, 2] = np.exp(days / -730.0)
    out[:, 3] = days / 15_000.0
